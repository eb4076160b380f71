"""The openai package for Python."""

import json

import openai
from openai import OpenAI
from openai.types.chat import ChatCompletion

from check import API_KEY, BASE_URL, FAULTS_URL, WEATHER, calls, left_within, run, waited_a_second, word

client = OpenAI(base_url=BASE_URL, api_key=API_KEY)
faults = OpenAI(base_url=FAULTS_URL, api_key=API_KEY)


def plain():
    completion = client.chat.completions.create(
        model="openclaw",
        messages=[{"role": "user", "content": "{{say Good morning.}}"}],
    )
    assert completion.choices[0].message.content == "Good morning."
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage.total_tokens == 102


def stream():
    chunks = client.chat.completions.create(
        model="openclaw/research",
        messages=[{"role": "user", "content": "{{words 5 20}}"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    pieces, finishes, usage = [], [], None
    for chunk in chunks:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            pieces.append(choice.delta.content or "")
            finishes.append(choice.finish_reason)
    assert "".join(pieces).strip() == "word0 word1 word2 word3 word4", pieces
    assert len([piece for piece in pieces if piece]) > 1, pieces
    assert finishes[-1] == "stop" and set(finishes[:-1]) == {None}, finishes
    assert usage.completion_tokens == 5


def tools():
    messages = [{"role": "user", "content": '{{tool get_weather {"city":"Paris"}}}'}]
    asked = client.chat.completions.create(model="openclaw", messages=messages, tools=[WEATHER])
    assert asked.choices[0].finish_reason == "tool_calls"
    messages.append(asked.choices[0].message)
    for call in asked.choices[0].message.tool_calls:
        city = json.loads(call.function.arguments)["city"]
        messages.append({"role": "tool", "tool_call_id": call.id, "content": f"21 degrees in {city}"})
    answered = client.chat.completions.create(model="openclaw", messages=messages, tools=[WEATHER])
    assert answered.choices[0].message.content == "The tool said: 21 degrees in Paris"


def strict_types():
    asked = [
        ("{{say Hello.}}", {}),
        ('{{tool get_weather {"city":"Paris"}}}', {"tools": [WEATHER]}),
    ]
    for content, members in asked:
        answer = client.chat.completions.with_raw_response.create(
            model="openclaw", messages=[{"role": "user", "content": content}], **members
        )
        completion = ChatCompletion.model_validate_json(answer.text, strict=True)
        (choice,) = completion.choices
        assert {"content", "refusal", "role"} <= choice.message.model_fields_set, choice
        assert {"finish_reason", "index", "logprobs", "message"} <= choice.model_fields_set, choice
        assert bool(choice.message.tool_calls) == (choice.message.content is None), choice


def models():
    ids = [model.id for model in client.models.list()]
    assert {"openclaw", "openclaw/main", "openclaw/research"} <= set(ids), ids


def cancel():
    mark = word()
    chunks = client.chat.completions.create(
        model="openclaw",
        messages=[{"role": "user", "content": f"{{{{words 1000 20}}}} {mark}"}],
        stream=True,
    )
    next(chunk for chunk in chunks if chunk.choices[0].delta.content)
    chunks.close()
    assert left_within(1, mark)


def status_401():
    stranger = OpenAI(base_url=BASE_URL, api_key="not-a-key")
    try:
        stranger.chat.completions.create(model="openclaw", messages=[{"role": "user", "content": "Hello"}])
        raise AssertionError("a stranger was answered")
    except openai.AuthenticationError as error:
        assert error.code == "invalid_api_key"


def status_400():
    try:
        client.chat.completions.create(
            model="openclaw", messages=[{"role": "user", "content": "Hello"}], temperature=3
        )
        raise AssertionError("a temperature of 3 was accepted")
    except openai.BadRequestError as error:
        assert error.param == "temperature"


def status_429():
    mark = word()
    completion = faults.chat.completions.create(
        model="openclaw", messages=[{"role": "user", "content": f"{{{{once 429 1}}}} {mark}"}]
    )
    assert completion.choices[0].message.content.endswith(mark)
    assert waited_a_second(mark)


def broken():
    for stream in (False, True):
        mark, pieces = word(), []
        try:
            answer = faults.chat.completions.create(
                model="openclaw",
                messages=[{"role": "user", "content": f"{{{{break}}}} {mark}"}],
                stream=stream,
            )
            for chunk in answer:
                pieces.append(chunk.choices[0].delta.content or "")
            raise AssertionError(f"half an answer was taken for a whole one: {pieces}")
        except openai.APIError as error:
            assert error.type == "api_error", error
        assert "".join(pieces) == ("This is half" if stream else ""), pieces
        assert len(calls(mark)) == 1, "it was run again"


if __name__ == "__main__":
    run(
        plain=plain, stream=stream, tools=tools, strict_types=strict_types, models=models, cancel=cancel,
        status_401=status_401, status_400=status_400, status_429=status_429, broken=broken,
    )
