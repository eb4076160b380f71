"""The openai package for Python, with asyncio."""

import asyncio
import json

import openai
from openai import AsyncOpenAI

from check import API_KEY, BASE_URL, FAULTS_URL, WEATHER, calls, left_within, run_async, waited_a_second, word

client = AsyncOpenAI(base_url=BASE_URL, api_key=API_KEY)
faults = AsyncOpenAI(base_url=FAULTS_URL, api_key=API_KEY)


def user(text):
    return [{"role": "user", "content": text}]


async def plain():
    # Two at a time: each response must match its request.
    questions = [user("{{say one}}"), user("{{say two}}")]
    completions = await asyncio.gather(
        *(client.chat.completions.create(model="openclaw", messages=question) for question in questions)
    )
    assert [completion.choices[0].message.content for completion in completions] == ["one", "two"]


async def stream():
    # The stream helper joins the chunks and validates each with the API's types.
    async with client.chat.completions.stream(model="openclaw", messages=user("{{words 5 20}}")) as events:
        pieces = [event.delta async for event in events if event.type == "content.delta"]
        final = await events.get_final_completion()
    assert len(pieces) > 1 and "".join(pieces).strip() == "word0 word1 word2 word3 word4", pieces
    assert final.choices[0].finish_reason == "stop"


async def tools():
    messages = user('{{tool get_weather {"city":"Paris"}}}')
    async with client.chat.completions.stream(model="openclaw", messages=messages, tools=[WEATHER]) as events:
        asked = (await events.get_final_completion()).choices[0].message
    messages.append({"role": "assistant", "tool_calls": [call.to_dict() for call in asked.tool_calls]})
    for call in asked.tool_calls:
        city = json.loads(call.function.arguments)["city"]
        messages.append({"role": "tool", "tool_call_id": call.id, "content": f"21 degrees in {city}"})
    answered = await client.chat.completions.create(model="openclaw", messages=messages, tools=[WEATHER])
    assert answered.choices[0].message.content == "The tool said: 21 degrees in Paris"


async def models():
    ids = [model.id async for model in client.models.list()]
    assert {"openclaw", "openclaw/main", "openclaw/research"} <= set(ids), ids
    assert (await client.models.retrieve("openclaw/research")).id == "openclaw/research"


async def cancel():
    mark = word()
    started = asyncio.Event()

    async def read():
        messages = user(f"{{{{words 1000 20}}}} {mark}")
        async for chunk in await client.chat.completions.create(model="openclaw", messages=messages, stream=True):
            if chunk.choices[0].delta.content:
                started.set()

    reader = asyncio.create_task(read())
    await started.wait()
    reader.cancel()
    await asyncio.wait([reader])
    assert await asyncio.to_thread(left_within, 1, mark)


async def status_401():
    stranger = AsyncOpenAI(base_url=BASE_URL, api_key="not-a-key")
    try:
        await stranger.chat.completions.create(model="openclaw", messages=user("Hello"))
        raise AssertionError("a stranger was answered")
    except openai.AuthenticationError as error:
        assert error.code == "invalid_api_key"


async def status_400():
    try:
        await client.chat.completions.create(model="openclaw", messages=user("Hello"), stop=["a", "b", "c", "d", "e"])
        raise AssertionError("five stop sequences were accepted")
    except openai.BadRequestError as error:
        assert error.param == "stop"


async def status_429():
    mark = word()
    stream = await faults.chat.completions.create(
        model="openclaw", messages=user(f"{{{{once 429 1}}}} {mark}"), stream=True
    )
    text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    assert text.endswith(mark), text
    assert waited_a_second(mark)


async def broken():
    mark, pieces = word(), []
    try:
        stream = await faults.chat.completions.create(
            model="openclaw", messages=user(f"{{{{break}}}} {mark}"), stream=True
        )
        async for chunk in stream:
            pieces.append(chunk.choices[0].delta.content or "")
        raise AssertionError(f"half an answer was taken for a whole one: {pieces}")
    except openai.APIError as error:
        assert error.type == "api_error", error
    assert "".join(pieces) == "This is half", pieces
    assert len(calls(mark)) == 1, "it was run again"


if __name__ == "__main__":
    run_async(
        plain=plain, stream=stream, tools=tools, models=models, cancel=cancel,
        status_401=status_401, status_400=status_400, status_429=status_429, broken=broken,
    )
