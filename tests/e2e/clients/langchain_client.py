"""langchain-openai for Python: the chat model, and tools bound to it."""

import openai
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from check import API_KEY, BASE_URL, FAULTS_URL, Skip, calls, left_within, run, waited_a_second, word

chat = ChatOpenAI(base_url=BASE_URL, api_key=API_KEY, model="openclaw")
faults = ChatOpenAI(base_url=FAULTS_URL, api_key=API_KEY, model="openclaw")


@tool
def get_weather(city: str) -> str:
    """Returns the weather of a city."""
    return f"21 degrees in {city}"


def plain():
    answer = chat.invoke("{{say Good morning.}}")
    assert answer.content == "Good morning."
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.usage_metadata["total_tokens"] == 102


def stream():
    research = ChatOpenAI(base_url=BASE_URL, api_key=API_KEY, model="openclaw/research", stream_usage=True)
    chunks = list(research.stream("{{words 5 20}}"))
    pieces = [chunk.content for chunk in chunks if chunk.content]
    assert len(pieces) > 1 and "".join(pieces).strip() == "word0 word1 word2 word3 word4", pieces
    whole = sum(chunks[1:], chunks[0])
    assert whole.response_metadata["finish_reason"] == "stop"
    assert whole.usage_metadata["output_tokens"] == 5


def tools():
    with_tools = chat.bind_tools([get_weather])
    messages = [HumanMessage('{{tool get_weather {"city":"Paris"}}}')]
    asked = with_tools.invoke(messages)
    messages.append(asked)
    for call in asked.tool_calls:
        result = get_weather.invoke(call)
        assert isinstance(result, ToolMessage)
        messages.append(result)
    assert with_tools.invoke(messages).content == "The tool said: 21 degrees in Paris"


def models():
    raise Skip("a chat model of LangChain lists none")


def cancel():
    mark = word()
    chunks = chat.stream(f"{{{{words 1000 20}}}} {mark}")
    next(chunk for chunk in chunks if chunk.content)
    chunks.close()
    assert left_within(1, mark)


def status_401():
    stranger = ChatOpenAI(base_url=BASE_URL, api_key="not-a-key", model="openclaw")
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
    assert faults.invoke(f"{{{{once 429 1}}}} {mark}").content.endswith(mark)
    assert waited_a_second(mark)


def broken():
    for ask in (faults.invoke, lambda text: list(faults.stream(text))):
        mark = word()
        try:
            answer = ask(f"{{{{break}}}} {mark}")
            raise AssertionError(f"half an answer was taken for a whole one: {answer}")
        except openai.APIError as error:
            assert error.type == "api_error", error
        assert len(calls(mark)) == 1, "it was run again"


if __name__ == "__main__":
    run(
        plain=plain, stream=stream, tools=tools, models=models, cancel=cancel,
        status_401=status_401, status_400=status_400, status_429=status_429, broken=broken,
    )
