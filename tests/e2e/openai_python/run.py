"""Runs openai-python's own tests of chat completions, models and responses against Tidegate.

    python run.py SOURCES FOLDER        with Tidegate's base URL in TEST_API_BASE_URL

SOURCES has the source distribution of openai; its tests are unpacked into FOLDER, which should be empty.
Tidegate stands before the rehearsal runtime, with the key that the tests use ("My API Key") and aliases for
the models that they name.

The tests were generated for a server that checks nothing but the shape of a request. Some of their values have
no meaning for an agent, and CHANGES replaces them. What Tidegate does not offer is in left_out.txt.
"""

import pathlib
import sys
import tarfile

import pytest

TESTS = [
    "tests/api_resources/chat/test_completions.py",
    "tests/api_resources/test_models.py",
    "tests/api_resources/test_responses.py",
]

CHANGES = [
    # Like OpenClaw, Tidegate rejects a conversation that contains only instructions.
    ('"role": "developer"', '"role": "user"'),
    # A response has at least one token.
    ("max_tokens=0", "max_tokens=1"),
    ("max_completion_tokens=0", "max_completion_tokens=1"),
    # A run needs a message.
    ("responses.create()", 'responses.create(input="string")'),
    ("_response.create()", '_response.create(input="string")'),
    ("(\n            stream=True,\n        )", '(\n            input="string",\n            stream=True,\n        )'),
    # A run ends with its response, continues only a response of Tidegate, and has no prompt that OpenAI stores.
    ("background=True", "background=False"),
    ('previous_response_id="previous_response_id"', "previous_response_id=None"),
    ('prompt={\n                "id": "id",\n                "variables": {"foo": "string"},\n'
     '                "version": "version",\n            }', "prompt=None"),
]


def unpack(sources, folder):
    """Unpacks the tests and returns their folder."""
    (archive,) = pathlib.Path(sources).glob("openai-*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    (root,) = pathlib.Path(folder).iterdir()
    for test in TESTS:
        text = (root / test).read_text()
        for old, new in CHANGES:
            text = text.replace(old, new)
        (root / test).write_text(text)
    return root


def left_out():
    """Returns the names of skipped tests, each with its reason."""
    lines = pathlib.Path(__file__).with_name("left_out.txt").read_text().splitlines()
    return dict(line.rsplit(": ", 1) for line in lines if not line.startswith("#"))


class Lines:
    """A plugin for pytest that skips tests and prints a line per test."""

    def __init__(self):
        self.left_out = left_out()
        self.met = set()

    def pytest_collection_modifyitems(self, items):
        for item in items:
            # The classes for asyncio have the same tests.
            name = item.nodeid.split("::", 1)[1].removeprefix("TestAsync").removeprefix("Test")
            for start, reason in self.left_out.items():
                if f"Test{name}".startswith(start):
                    item.add_marker(pytest.mark.skip(reason=reason))
                    self.met.add(start)

    def pytest_runtest_logreport(self, report):
        name = report.nodeid.split("::", 1)[1]
        if report.skipped:
            print(f"ok - {name} # SKIP {report.longrepr[2]}")
        elif report.failed:
            print(f"not ok - {name}", *(f"# {line}" for line in report.longreprtext.splitlines()), sep="\n")
        elif report.when == "call":
            print(f"ok - {name}")

    def pytest_sessionfinish(self):
        for start in self.left_out.keys() - self.met:
            print(f"not ok - left_out.txt names a test: {start}")


def main(sources, folder):
    root = unpack(sources, folder)
    options = ["--override-ini", "addopts=", "-p", "no:cacheprovider", "-p", "no:terminal"]
    tests = [str(root / test) for test in TESTS]
    return pytest.main(["--rootdir", str(root), "-c", str(root / "pyproject.toml"), *options, *tests], [Lines()])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
