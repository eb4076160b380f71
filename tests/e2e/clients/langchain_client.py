"""langchain-openai for Python: the chat model, and tools bound to it."""

from langchain_openai import ChatOpenAI

from check import API_KEY, BASE_URL, Skip, run
from langchain_checks import api_error, checks


def plain():
    answer = ChatOpenAI(base_url=BASE_URL, api_key=API_KEY, model="openclaw").invoke("{{say Good morning.}}")
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


def models():
    raise Skip("a chat model of LangChain lists none")


if __name__ == "__main__":
    run(plain=plain, stream=stream, models=models, **checks(api_error))
