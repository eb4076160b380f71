"""The OpenAI Agents SDK for Python, with its default API."""

import asyncio

import openai
from agents import (
    Agent, ModelSettings, OpenAIResponsesModel, RunConfig, Runner, function_tool, set_default_openai_client,
    set_tracing_disabled,
)
from openai import AsyncOpenAI
from pydantic import BaseModel

from check import API_KEY, BASE_URL, FAULTS_URL, calls, left_within, run_async, seen, waited_a_second, word

set_tracing_disabled(True)  # otherwise the SDK sends each run to OpenAI
client = AsyncOpenAI(base_url=BASE_URL, api_key=API_KEY)
set_default_openai_client(client)

# The SDK takes the part before a slash for the name of a provider.
research = OpenAIResponsesModel(model="openclaw/research", openai_client=client)
faults = OpenAIResponsesModel(
    model="openclaw", openai_client=AsyncOpenAI(base_url=FAULTS_URL, api_key=API_KEY)
)


class Weather(BaseModel):
    city: str
    degrees: int


@function_tool
def get_weather(city: str) -> str:
    """Returns the weather of a city."""
    return f"21 degrees in {city}"


assistant = Agent(name="Assistant", model="openclaw", instructions="Be brief.")


def deltas(events):
    """Returns the deltas of a streamed run's text."""
    raw = [event.data for event in events if event.type == "raw_response_event"]
    return [event.delta for event in raw if event.type == "response.output_text.delta"]


async def text():
    result = await Runner.run(assistant, "{{say Good morning.}}")
    assert result.final_output == "Good morning."
    assert result.context_wrapper.usage.total_tokens == 102


async def stream():
    result = Runner.run_streamed(Agent(name="Researcher", model=research), "{{words 5 20}}")
    pieces = deltas([event async for event in result.stream_events()])
    assert len(pieces) > 1 and "".join(pieces).strip() == "word0 word1 word2 word3 word4", pieces
    assert result.final_output.strip() == "word0 word1 word2 word3 word4"


async def tools():
    agent = Agent(name="Assistant", model="openclaw", tools=[get_weather])
    script = '{{tool get_weather {"city":"Paris"}}}'
    assert (await Runner.run(agent, script)).final_output == "The tool said: 21 degrees in Paris"
    result = Runner.run_streamed(agent, script)
    names = [event.name async for event in result.stream_events() if event.type == "run_item_stream_event"]
    assert names[:2] == ["tool_called", "tool_output"], names
    assert result.final_output == "The tool said: 21 degrees in Paris"


async def parsed():
    agent = Agent(name="Assistant", model="openclaw", output_type=Weather)
    result = await Runner.run(agent, '{{say {"city":"Paris","degrees":21}}}')
    assert result.final_output == Weather(city="Paris", degrees=21)


async def hand_off():
    weather = Agent(name="Weather", model="openclaw", tools=[get_weather])
    triage = Agent(name="Triage", model="openclaw", handoffs=[weather])
    result = await Runner.run(triage, "{{tool transfer_to_weather {}}}")
    assert result.last_agent is weather
    assert result.final_output.startswith("The tool said: "), result.final_output


async def previous():
    secret, mark = word(), word()
    first = await Runner.run(assistant, f"Remember {secret}.")
    await Runner.run(assistant, f"And? {mark}", previous_response_id=first.last_response_id)
    # The LLM repeats each message, so the model sees the first turn as message and as reply.
    assert seen(mark).count(secret) == 2, seen(mark)
    # With a tool, the second request has the result alone.
    agent = Agent(name="Assistant", model="openclaw", tools=[get_weather])
    script = '{{tool get_weather {"city":"Paris"}}}'
    result = await Runner.run(agent, script, auto_previous_response_id=True)
    assert result.final_output == "The tool said: 21 degrees in Paris", result.final_output


async def cancel():
    mark = word()
    result = Runner.run_streamed(assistant, f"{{{{words 1000 20}}}} {mark}")
    async for event in result.stream_events():
        if deltas([event]):
            result.cancel()
    assert await asyncio.to_thread(left_within, 1, mark)


async def status_401():
    stranger = OpenAIResponsesModel(
        model="openclaw", openai_client=AsyncOpenAI(base_url=BASE_URL, api_key="not-a-key")
    )
    try:
        await Runner.run(Agent(name="Stranger", model=stranger), "Hello")
        raise AssertionError("a stranger was answered")
    except openai.AuthenticationError as error:
        assert error.code == "invalid_api_key"


async def status_400():
    agent = Agent(name="Assistant", model="openclaw", model_settings=ModelSettings(temperature=3))
    try:
        await Runner.run(agent, "Hello")
        raise AssertionError("a temperature of 3 was accepted")
    except openai.BadRequestError as error:
        assert error.param == "temperature"


async def status_429():
    mark = word()
    result = await Runner.run(assistant, f"{{{{once 429 1}}}} {mark}", run_config=RunConfig(model=faults))
    assert result.final_output.endswith(mark)
    assert waited_a_second(mark)


async def broken():
    mark = word()
    try:
        answer = await Runner.run(assistant, f"{{{{break}}}} {mark}", run_config=RunConfig(model=faults))
        raise AssertionError(f"half an answer was taken for a whole one: {answer}")
    except openai.APIError as error:
        assert error.type == "api_error", error
    assert len(calls(mark)) == 1, "it was run again"

    mark = word()
    result = Runner.run_streamed(assistant, f"{{{{break}}}} {mark}", run_config=RunConfig(model=faults))
    try:
        events = [event async for event in result.stream_events()]
        raise AssertionError(f"half an answer was taken for a whole one: {events}")
    except Exception as error:
        assert "failed" in str(error), error
    assert len(calls(mark)) == 1, "it was run again"


if __name__ == "__main__":
    run_async(
        text=text, stream=stream, tools=tools, object=parsed, hand_off=hand_off, previous=previous, cancel=cancel,
        status_401=status_401, status_400=status_400, status_429=status_429, broken=broken,
    )
