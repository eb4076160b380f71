"""The checks of langchain-openai that do not depend on the API: tools, a disconnect, and errors."""

import openai
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from check import API_KEY, BASE_URL, FAULTS_URL, calls, left_within, waited_a_second, word


@tool
def get_weather(city: str) -> str:
    """Returns the weather of a city."""
    return f"21 degrees in {city}"


def checks(stream_error, **options):
    """Returns the checks of models with options. `stream_error` checks the error of a broken stream."""

    def model(base_url=BASE_URL, api_key=API_KEY):
        return ChatOpenAI(base_url=base_url, api_key=api_key, model="openclaw", **options)

    chat, faults = model(), model(FAULTS_URL)

    def tools():
        with_tools = chat.bind_tools([get_weather])
        messages = [HumanMessage('{{tool get_weather {"city":"Paris"}}}')]
        asked = with_tools.invoke(messages)
        messages.append(asked)
        for call in asked.tool_calls:
            result = get_weather.invoke(call)
            assert isinstance(result, ToolMessage)
            messages.append(result)
        assert with_tools.invoke(messages).text == "The tool said: 21 degrees in Paris"

    def cancel():
        mark = word()
        chunks = chat.stream(f"{{{{words 1000 20}}}} {mark}")
        next(chunk for chunk in chunks if chunk.text)
        chunks.close()
        assert left_within(1, mark)

    def status_401():
        try:
            model(api_key="not-a-key").invoke("Hello")
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
        for ask, check in ((faults.invoke, api_error), (lambda text: list(faults.stream(text)), stream_error)):
            mark = word()
            try:
                answer = ask(f"{{{{break}}}} {mark}")
            except (openai.APIError, ValueError) as error:
                check(error)
            else:
                raise AssertionError(f"half an answer was taken for a whole one: {answer}")
            assert len(calls(mark)) == 1, "it was run again"

    shared = (tools, cancel, status_401, status_400, status_429, broken)
    return {check.__name__: check for check in shared}


def api_error(error):
    """Checks the error of a run that failed."""
    assert isinstance(error, openai.APIError) and error.type == "api_error", error
