"""The Responses API with langchain-openai for Python."""

import openai
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from check import API_KEY, BASE_URL, FAULTS_URL, Skip, calls, left_within, run, seen, waited_a_second, word

chat = ChatOpenAI(base_url=BASE_URL, api_key=API_KEY, model="openclaw", use_responses_api=True)
faults = ChatOpenAI(base_url=FAULTS_URL, api_key=API_KEY, model="openclaw", use_responses_api=True)


class Weather(BaseModel):
    """The weather of a city."""

    city: str
    degrees: int


@tool
def get_weather(city: str) -> str:
    """Returns the weather of a city."""
    return f"21 degrees in {city}"


def text():
    answer = chat.invoke("{{say Good morning.}}")
    assert answer.text == "Good morning."
    assert answer.response_metadata["status"] == "completed"
    assert answer.usage_metadata["total_tokens"] == 102


def stream():
    research = ChatOpenAI(base_url=BASE_URL, api_key=API_KEY, model="openclaw/research", use_responses_api=True)
    chunks = list(research.stream("{{words 5 20}}"))
    pieces = [chunk.text for chunk in chunks if chunk.text]
    assert len(pieces) > 1 and "".join(pieces).strip() == "word0 word1 word2 word3 word4", pieces
    whole = sum(chunks[1:], chunks[0])
    assert whole.response_metadata["status"] == "completed"
    assert whole.usage_metadata["output_tokens"] == 5


def tools():
    with_tools = chat.bind_tools([get_weather])
    messages = [HumanMessage('{{tool get_weather {"city":"Paris"}}}')]
    asked = with_tools.invoke(messages)
    messages.append(asked)
    messages += [get_weather.invoke(call) for call in asked.tool_calls]
    assert with_tools.invoke(messages).text == "The tool said: 21 degrees in Paris"


def parsed():
    structured = chat.with_structured_output(Weather)
    assert structured.invoke('{{say {"city":"Paris","degrees":21}}}') == Weather(city="Paris", degrees=21)


def hand_off():
    raise Skip("only agent SDKs hand off")


def previous():
    secret, mark = word(), word()
    first = chat.invoke(f"Remember {secret}.")
    chat.invoke(f"And? {mark}", previous_response_id=first.response_metadata["id"])
    # The LLM repeats each message, so the model sees the first turn as message and as reply.
    assert seen(mark).count(secret) == 2, seen(mark)


def cancel():
    mark = word()
    chunks = chat.stream(f"{{{{words 1000 20}}}} {mark}")
    next(chunk for chunk in chunks if chunk.text)
    chunks.close()
    assert left_within(1, mark)


def status_401():
    stranger = ChatOpenAI(base_url=BASE_URL, api_key="not-a-key", model="openclaw", use_responses_api=True)
    try:
        stranger.invoke("Hello")
        raise AssertionError("a stranger was answered")
    except openai.AuthenticationError as error:
        assert error.code == "invalid_api_key"


def status_400():
    try:
        chat.invoke("Hello", temperature=3)
        raise AssertionError("a temperature of 3 was accepted")
    except openai.BadRequestError as error:
        assert error.param == "temperature"


def status_429():
    mark = word()
    assert faults.invoke(f"{{{{once 429 1}}}} {mark}").text.endswith(mark)
    assert waited_a_second(mark)


def broken():
    mark = word()
    try:
        answer = faults.invoke(f"{{{{break}}}} {mark}")
        raise AssertionError(f"half an answer was taken for a whole one: {answer}")
    except openai.APIError as error:
        assert error.type == "api_error", error
    assert len(calls(mark)) == 1, "it was run again"

    mark = word()
    try:
        chunks = list(faults.stream(f"{{{{break}}}} {mark}"))
        raise AssertionError(f"half an answer was taken for a whole one: {chunks}")
    except ValueError as error:
        assert "server_error" in str(error), error
    assert len(calls(mark)) == 1, "it was run again"


if __name__ == "__main__":
    run(
        text=text, stream=stream, tools=tools, object=parsed, hand_off=hand_off, previous=previous, cancel=cancel,
        status_401=status_401, status_400=status_400, status_429=status_429, broken=broken,
    )
