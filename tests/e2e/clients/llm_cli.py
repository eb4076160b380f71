"""The `llm` command line: `llm openai endpoint URL PROMPT --model openclaw --key KEY`."""

import pathlib
import signal
import subprocess
import sys

from check import API_KEY, BASE_URL, FAULTS_URL, calls, left_within, run, waited_a_second, word

LLM = str(pathlib.Path(sys.executable).parent / "llm")


def command(url, *arguments, key=API_KEY):
    return [LLM, "openai", "endpoint", url, *arguments, "--model", "openclaw", "--key", key]


def ask(url, *arguments, key=API_KEY):
    return subprocess.run(command(url, *arguments, key=key), capture_output=True, text=True, stdin=subprocess.DEVNULL)


def plain():
    asked = ask(BASE_URL, "{{say Good morning.}}", "--no-stream")
    assert asked.stdout == "Good morning.\n", asked


def stream():
    process = subprocess.Popen(
        command(BASE_URL, "{{words 5 200}}"), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    pieces = []
    while piece := process.stdout.read1():
        pieces.append(piece.decode())
    assert process.wait() == 0
    assert len(pieces) > 1 and "".join(pieces).strip() == "word0 word1 word2 word3 word4", pieces


def tools():
    function = 'def get_weather(city: str) -> str:\n    "Tells the weather."\n    return f"21 degrees in {city}"'
    asked = ask(BASE_URL, '{{tool get_weather {"city":"Paris"}}}', "--functions", function)
    assert asked.stdout == "The tool said: 21 degrees in Paris\n", asked


def models():
    listed = ask(BASE_URL, "--models").stdout.split()
    assert {"openclaw", "openclaw/main", "openclaw/research"} <= set(listed), listed


def cancel():
    mark = word()
    process = subprocess.Popen(
        command(BASE_URL, f"{{{{words 1000 20}}}} {mark}"),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )
    assert process.stdout.read1()
    process.send_signal(signal.SIGINT)
    assert left_within(1, mark)
    process.wait()


def status_401():
    asked = ask(BASE_URL, "Hello", key="not-a-key")
    assert asked.returncode != 0 and "Unauthorized" in asked.stderr, asked


def status_400():
    asked = ask(BASE_URL, "Hello", "--option", "stop", "a", "--option", "max_tokens", "0")
    assert asked.returncode != 0 and "max_tokens" in asked.stderr, asked


def status_429():
    mark = word()
    asked = ask(FAULTS_URL, f"{{{{once 429 1}}}} {mark}")
    assert asked.stdout.strip().endswith(mark), asked
    assert waited_a_second(mark)


def broken():
    for arguments in ([], ["--no-stream"]):
        mark = word()
        asked = ask(FAULTS_URL, f"{{{{break}}}} {mark}", *arguments)
        assert asked.returncode != 0 and "The agent run failed." in asked.stderr, asked
        assert len(calls(mark)) == 1, "it was run again"


if __name__ == "__main__":
    run(
        plain=plain, stream=stream, tools=tools, models=models, cancel=cancel,
        status_401=status_401, status_400=status_400, status_429=status_429, broken=broken,
    )
