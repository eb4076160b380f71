"""Shared by the Python clients: Tidegate's URLs, the calls of the LLM, and the output of checks."""

import asyncio
import json
import os
import time
import traceback
import urllib.request
import uuid

# Tidegate with a real OpenClaw, and the clients' API key.
BASE_URL = os.environ["TIDEGATE_BASE_URL"]
API_KEY = os.environ["TIDEGATE_API_KEY"]

# Tidegate with only the scripted LLM, which fails immediately.
FAULTS_URL = os.environ["FAULTS_BASE_URL"]

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tells the weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class Skip(Exception):
    """Skips the check, with a reason."""


def word():
    """Returns a word that identifies the calls of a check."""
    return f"word-{uuid.uuid4().hex[:12]}"


def calls(word):
    """Returns the LLM's calls whose last message contains the word."""
    return llm("calls", word)


def seen(word):
    """Returns the messages that the model received in the first call with the word, as JSON."""
    return json.dumps(calls(word)[0]["body"]["messages"])


def left_within(seconds, word):
    """Returns whether a call with the word is disconnected within the time limit."""
    begun = time.monotonic()
    return bool(llm("left", word)) and time.monotonic() - begun < seconds


def llm(path, word):
    with urllib.request.urlopen(f"{os.environ['LLM_URL']}/{path}?with={word}") as answer:
        return json.load(answer)


def waited_a_second(word):
    """Returns whether the LLM was called twice with a second between the calls, as `Retry-After` requests."""
    times = [call["at"] for call in calls(word)]
    return len(times) == 2 and times[1] - times[0] >= 1000


def run(**checks):
    """Runs each check and prints its line."""
    for name, check in checks.items():
        tell(name, check)


def run_async(**checks):
    """Runs each check, a coroutine, in one event loop and prints its line."""
    with asyncio.Runner() as runner:
        for name, check in checks.items():
            tell(name, lambda: runner.run(check()))


def tell(name, check):
    name = name.removeprefix("status_").replace("_", "-")
    try:
        check()
        lines = [f"ok - {name}"]
    except Skip as reason:
        lines = [f"ok - {name} # SKIP {reason}"]
    except Exception:
        trace = traceback.format_exc().splitlines()
        lines = [f"not ok - {name}", *(f"# {line}" for line in trace)]
    print("\n".join(lines), flush=True)
