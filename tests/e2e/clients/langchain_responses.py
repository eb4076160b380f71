"""The Responses API with langchain-openai for Python."""

from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from check import API_KEY, BASE_URL, Skip, run, seen, word
from langchain_checks import checks

chat = ChatOpenAI(base_url=BASE_URL, api_key=API_KEY, model="openclaw", use_responses_api=True)


class Weather(BaseModel):
    """The weather of a city."""

    city: str
    degrees: int


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


def stream_error(error):
    """LangChain raises the code of `response.failed`."""
    assert isinstance(error, ValueError) and "server_error" in str(error), error


if __name__ == "__main__":
    shared = checks(stream_error, use_responses_api=True)
    run(text=text, stream=stream, object=parsed, hand_off=hand_off, previous=previous, **shared)
