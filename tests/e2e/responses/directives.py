"""Sends the directives of the rehearsal, whole and streamed, so that the recordings have every kind of reply."""

import json
import os
import urllib.error
import urllib.request

from check import API_KEY, run

URL = os.environ["REHEARSAL_BASE_URL"]

FUNCTION = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}
CUSTOM = {"type": "custom", "name": "draw", "description": "Draws.", "format": {"type": "text"}}
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": 'start: "a"+'}
NAMESPACE = {
    "type": "namespace",
    "name": "files",
    "description": "Files.",
    "tools": [{**FUNCTION, "name": "read"}, {**CUSTOM, "name": "patch", "format": GRAMMAR}],
}
SCHEMA = {"type": "json_schema", "name": "answer", "schema": {"type": "object"}, "strict": True}

# The name of a check, the script, the other members of the request, and the status of the response or its error.
CASES = [
    ("a text", "Hello", {}, "completed"),
    ("a text that encoders corrupt", "/unicode", {}, "completed"),
    ("many words", "/tokens 300", {}, "completed"),
    ("a large text", "/bytes 300000", {}, "completed"),
    ("reasoning, then a text", "/reasoning Let me think.\n/say Hello", {}, "completed"),
    ("reasoning, text and calls", '/reasoning Hm\n/say Let me see.\n/tool get_weather {"city":"Rome"}', {"tools": [FUNCTION]},
     "completed"),
    ("two calls", '/tool get_weather {"city":"Paris"}\n/tool get_weather {"city":"Rome"}', {"tools": [FUNCTION]},
     "completed"),
    ("a call with invalid arguments", "/tool get_weather {not json", {"tools": [FUNCTION]}, "completed"),
    ("a call of a custom tool", '/tool draw {"input":"a \\"line\\"\\n\\u00e9"}', {"tools": [CUSTOM]}, "completed"),
    ("a call of a custom tool without JSON", "/tool draw a line", {"tools": [CUSTOM]}, "completed"),
    ("a call in a namespace", '/tool files__read {"city":"x"}', {"tools": [NAMESPACE]}, "completed"),
    ("a custom call in a namespace", '/tool files__patch {"input":"aaa"}', {"tools": [NAMESPACE]}, "completed"),
    ("a hosted tool", "Hello", {"tools": [FUNCTION, {"type": "web_search"}]}, "completed"),
    ("a choice", "/tool get_weather {}", {"tools": [FUNCTION], "tool_choice": {"type": "function", "name": "get_weather"}},
     "completed"),
    ("allowed tools", "Hello", {"tools": [FUNCTION], "tool_choice": {
        "type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "get_weather"}]}}, "completed"),
    ("a schema", "/json", {"text": {"format": SCHEMA}}, "completed"),
    ("a JSON object", "/json", {"text": {"format": {"type": "json_object"}, "verbosity": "low"}}, "completed"),
    ("every parameter", "Hello", {
        "instructions": "Be brief.", "temperature": 0.5, "top_p": 0.5, "max_output_tokens": 100, "max_tool_calls": 3,
        "metadata": {"key": "value"}, "reasoning": {"effort": "low", "summary": "auto"}, "truncation": "auto",
        "parallel_tool_calls": False, "prompt_cache_key": "key", "safety_identifier": "user", "service_tier": "flex",
        "store": False, "user": "alice", "top_logprobs": 2, "include": ["reasoning.encrypted_content"],
    }, "completed"),
    ("a count of tokens", "/usage 700 50 300 20", {}, "completed"),
    ("no count of tokens", "/nousage", {}, "completed"),
    ("no reply", "/empty", {}, "completed"),
    ("a token limit", "/tokens 10\n/length", {}, "incomplete"),
    ("a token limit in a call", '/tool get_weather {"city":\n/length', {"tools": [FUNCTION]}, "incomplete"),
    ("a filter", "/tokens 10\n/filter", {}, "incomplete"),
    ("a failure after words", "/break 5", {}, "failed"),
    ("a failure after a call", '/tool get_weather {"city":"Rome"}\n/fail failed', {"tools": [FUNCTION]}, "failed"),
    ("a failure before words", "/fail failed", {}, "failed"),
    ("a busy runtime", "/fail busy 3", {}, "failed"),
    ("a run that is refused", "/fail invalid", {}, "failed"),
    ("a run without an end", "/tokens 5\n/vanish", {}, "failed"),
]


def post(body):
    """Returns the status and the body of a reply."""
    headers = {"authorization": f"Bearer {API_KEY}", "content-type": "application/json"}
    request = urllib.request.Request(f"{URL}/responses", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def whole(body, expected):
    """Checks the status of a whole reply. A run that fails has an error instead."""
    status, text = post(body)
    document = json.loads(text)
    if expected == "failed":
        assert status >= 400 and document["error"]["message"], text
        return
    assert status == 200 and document["status"] == expected, text


def streamed(body, expected):
    """Checks the last event of a stream. A run may fail before the first event."""
    status, text = post({**body, "stream": True})
    if status != 200:
        assert expected == "failed", text
        return
    *_, last, done, rest = text.split("\n\n")
    assert (done, rest) == ("data: [DONE]", ""), text
    assert last.startswith(f"event: response.{expected}\n"), last


def check(script, members, expected):
    body = {"model": "openclaw", "input": script, **members}
    return lambda: (whole(body, expected), streamed(body, expected))


if __name__ == "__main__":
    run(**{name: check(script, members, expected) for name, script, members, expected in CASES})
