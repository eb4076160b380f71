"""The Responses API with the openai package for Python."""

import json

import openai
from openai import OpenAI
from pydantic import BaseModel

from check import API_KEY, BASE_URL, FAULTS_URL, Skip, calls, left_within, run, seen, waited_a_second, word

client = OpenAI(base_url=BASE_URL, api_key=API_KEY)
faults = OpenAI(base_url=FAULTS_URL, api_key=API_KEY)

TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "Returns the weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": False,
}


class Weather(BaseModel):
    city: str
    degrees: int


def text():
    response = client.responses.create(model="openclaw", instructions="Be brief.", input="{{say Good morning.}}")
    assert response.output_text == "Good morning."
    assert response.status == "completed"
    assert response.usage.total_tokens == 102
    assert response.usage.input_tokens_details.cached_tokens == 40


def stream():
    events = client.responses.create(model="openclaw/research", input="{{words 5 20}}", stream=True)
    pieces = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert len(pieces) > 1 and "".join(pieces).strip() == "word0 word1 word2 word3 word4", pieces
    # The helper joins the events to the response.
    with client.responses.stream(model="openclaw", input="{{words 5 20}}") as events:
        final = events.get_final_response()
    assert final.output_text.strip() == "word0 word1 word2 word3 word4"


def tools():
    items = [{"role": "user", "content": '{{tool get_weather {"city":"Paris"}}}'}]
    asked = client.responses.create(model="openclaw", input=items, tools=[TOOL])
    items += asked.output
    for call in asked.output:
        if call.type == "function_call":
            city = json.loads(call.arguments)["city"]
            output = f"21 degrees in {city}"
            items.append({"type": "function_call_output", "call_id": call.call_id, "output": output})
    answered = client.responses.create(model="openclaw", input=items, tools=[TOOL])
    assert answered.output_text == "The tool said: 21 degrees in Paris", answered


def parsed():
    script = '{{say {"city":"Paris","degrees":21}}}'
    response = client.responses.parse(model="openclaw", input=script, text_format=Weather)
    assert response.output_parsed == Weather(city="Paris", degrees=21)


def hand_off():
    raise Skip("only agent SDKs hand off")


def previous():
    secret, mark = word(), word()
    first = client.responses.create(model="openclaw", input=f"Remember {secret}.")
    second = client.responses.create(model="openclaw", input=f"And? {mark}", previous_response_id=first.id)
    assert second.previous_response_id == first.id
    # The LLM repeats each message, so the model sees the first turn as message and as reply.
    assert seen(mark).count(secret) == 2, seen(mark)


def cancel():
    mark = word()
    events = client.responses.create(model="openclaw", input=f"{{{{words 1000 20}}}} {mark}", stream=True)
    next(event for event in events if event.type == "response.output_text.delta")
    events.close()
    assert left_within(1, mark)


def status_401():
    stranger = OpenAI(base_url=BASE_URL, api_key="not-a-key")
    try:
        stranger.responses.create(model="openclaw", input="Hello")
        raise AssertionError("a stranger was answered")
    except openai.AuthenticationError as error:
        assert error.code == "invalid_api_key"


def status_400():
    try:
        client.responses.create(model="openclaw", input="Hello", temperature=3)
        raise AssertionError("a temperature of 3 was accepted")
    except openai.BadRequestError as error:
        assert error.param == "temperature"
    try:
        client.responses.create(model="openclaw", input="Hello", previous_response_id="resp_unknown")
        raise AssertionError("an unknown response was continued")
    except openai.BadRequestError as error:
        assert error.code == "previous_response_not_found"


def status_429():
    mark = word()
    response = faults.responses.create(model="openclaw", input=f"{{{{once 429 1}}}} {mark}")
    assert response.output_text.endswith(mark)
    assert waited_a_second(mark)


def broken():
    mark = word()
    try:
        answer = faults.responses.create(model="openclaw", input=f"{{{{break}}}} {mark}")
        raise AssertionError(f"half an answer was taken for a whole one: {answer}")
    except openai.APIError as error:
        assert error.type == "api_error", error
    assert len(calls(mark)) == 1, "it was run again"

    mark = word()
    *_, last = faults.responses.create(model="openclaw", input=f"{{{{break}}}} {mark}", stream=True)
    assert last.type == "response.failed" and last.response.status == "failed", last
    assert last.response.error.code == "server_error"
    assert last.response.output_text == "This is half"
    assert len(calls(mark)) == 1, "it was run again"


if __name__ == "__main__":
    run(
        text=text, stream=stream, tools=tools, object=parsed, hand_off=hand_off, previous=previous, cancel=cancel,
        status_401=status_401, status_400=status_400, status_429=status_429, broken=broken,
    )
