"""pydantic-ai with its models `openai:`, which use the Responses API."""

import asyncio

from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.exceptions import AgentRunError, ModelHTTPError
from pydantic_ai.models.openai import OpenAIResponsesModelSettings
from pydantic_ai.providers import infer_provider_class
from pydantic_ai.models import infer_model

from check import API_KEY, BASE_URL, FAULTS_URL, Skip, calls, left_within, run_async, seen, waited_a_second, word


def model(name="openclaw", url=BASE_URL, key=API_KEY):
    """Returns a model `openai:` of Tidegate."""
    return infer_model(f"openai:{name}", lambda provider: infer_provider_class(provider)(base_url=url, api_key=key))


class Weather(BaseModel):
    city: str
    degrees: int


async def text():
    result = await Agent(model(), instructions="Be brief.").run("{{say Good morning.}}")
    assert result.output == "Good morning."
    assert result.usage().total_tokens == 102


async def stream():
    async with Agent(model("openclaw/research")).run_stream("{{words 5 20}}") as result:
        pieces = [piece async for piece in result.stream_text(delta=True, debounce_by=None)]
    assert len(pieces) > 1 and "".join(pieces).strip() == "word0 word1 word2 word3 word4", pieces


async def tools():
    agent = Agent(model())

    @agent.tool_plain
    def get_weather(city: str) -> str:
        """Returns the weather of a city."""
        return f"21 degrees in {city}"

    result = await agent.run('{{tool get_weather {"city":"Paris"}}}')
    assert result.output == "The tool said: 21 degrees in Paris", result.output


async def parsed():
    # The final result is a call of a tool, or with NativeOutput the text.
    result = await Agent(model(), output_type=Weather).run('{{tool final_result {"city":"Paris","degrees":21}}}')
    assert result.output == Weather(city="Paris", degrees=21)
    native = await Agent(model(), output_type=NativeOutput(Weather)).run('{{say {"city":"Paris","degrees":21}}}')
    assert native.output == Weather(city="Paris", degrees=21)


async def hand_off():
    raise Skip("pydantic-ai calls another agent as a tool")


async def previous():
    secret, mark = word(), word()
    agent = Agent(model())
    first = await agent.run(f"Remember {secret}.")
    settings = OpenAIResponsesModelSettings(openai_previous_response_id="auto")
    await agent.run(f"And? {mark}", message_history=first.all_messages(), model_settings=settings)
    # The LLM repeats each message, so the model sees the first turn as message and as reply.
    assert seen(mark).count(secret) == 2, seen(mark)


async def cancel():
    mark = word()
    async with Agent(model()).run_stream(f"{{{{words 1000 20}}}} {mark}") as result:
        async for _ in result.stream_text(delta=True, debounce_by=None):
            break
    assert await asyncio.to_thread(left_within, 1, mark)


async def status_401():
    try:
        await Agent(model(key="not-a-key")).run("Hello")
        raise AssertionError("a stranger was answered")
    except ModelHTTPError as error:
        assert error.status_code == 401 and error.body["code"] == "invalid_api_key", error


async def status_400():
    try:
        await Agent(model()).run("Hello", model_settings={"temperature": 3})
        raise AssertionError("a temperature of 3 was accepted")
    except ModelHTTPError as error:
        assert error.status_code == 400 and error.body["param"] == "temperature", error


async def status_429():
    mark = word()
    result = await Agent(model(url=FAULTS_URL)).run(f"{{{{once 429 1}}}} {mark}")
    assert result.output.endswith(mark)
    assert waited_a_second(mark)


async def broken():
    agent = Agent(model(url=FAULTS_URL))
    mark = word()
    try:
        answer = await agent.run(f"{{{{break}}}} {mark}")
        raise AssertionError(f"half an answer was taken for a whole one: {answer}")
    except ModelHTTPError as error:
        assert error.status_code == 502, error
    assert len(calls(mark)) == 1, "it was run again"

    mark = word()
    try:
        async with agent.run_stream(f"{{{{break}}}} {mark}") as result:
            answer = await result.get_output()
        raise AssertionError(f"half an answer was taken for a whole one: {answer}")
    except AgentRunError:
        pass
    assert len(calls(mark)) == 1, "it was run again"


if __name__ == "__main__":
    run_async(
        text=text, stream=stream, tools=tools, object=parsed, hand_off=hand_off, previous=previous, cancel=cancel,
        status_401=status_401, status_400=status_400, status_429=status_429, broken=broken,
    )
