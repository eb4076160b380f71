"""Checks the recordings of recorder.py: each object and event against the types of two packages, and each stream.

    python validate.py FOLDER

The packages are openresponses-types, which is generated from the Open Responses specification, and openai-python.
Both validate in strict mode. EXCEPTIONS lists what the first package has no type for; each must occur.
"""

import collections
import json
import pathlib
import sys
import typing

import openai
import openresponses_types
import pydantic
from openai.types.responses import Response, ResponseStreamEvent

TERMINAL = {"response.completed", "response.incomplete", "response.failed"}

# A delta and the final event, with the member that has the whole text and the place of that text in the item.
TEXTS = {
    "response.output_text": ("text", lambda item, event: item["content"][event["content_index"]]["text"]),
    "response.function_call_arguments": ("arguments", lambda item, event: item["arguments"]),
    "response.custom_tool_call_input": ("input", lambda item, event: item["input"]),
    "response.reasoning_summary_text": ("text", lambda item, event: item["summary"][event["summary_index"]]["text"]),
}

# What the Open Responses specification does not have, or what its package types too narrowly. Each entry is the
# reason, and the change that leaves the rest of the object to be validated.
EXCEPTIONS = {
    "a custom tool, which the specification lacks": lambda response: keep(response, "tools", "type", "custom"),
    "a namespace of tools, which the specification lacks": lambda response: keep(response, "tools", "type", "namespace"),
    "a hosted tool, which the specification lacks": lambda response: keep(response, "tools", "type", "web_search"),
    "a call of a custom tool, which the specification lacks": lambda response: keep(
        response, "output", "type", "custom_tool_call"
    ),
    "a schema, which the package types as null": lambda response: without_schema(response),
}


def keep(response, member, name, value):
    """Removes the entries whose member has a value, and returns whether there were any."""
    before = response[member]
    response[member] = [entry for entry in before if entry.get(name) != value]
    return len(before) > len(response[member])


def without_schema(response):
    """Replaces the schema of `text.format`, and returns whether there was one."""
    form = response["text"]["format"]
    found = form.get("schema") is not None
    if found:
        form["schema"] = None
    return found


def models_by_type(models):
    """Returns the models by the values of their member `type`."""
    found = {}
    for model in models:
        annotation = model.model_fields["type"].annotation
        values = typing.get_args(annotation) or [member.value for member in annotation]
        found.update({value: model for value in values})
    return found


def open_responses_events():
    """Returns the package's models of events."""
    named = vars(openresponses_types).items()
    return models_by_type(model for name, model in named if name.endswith("StreamingEvent"))


def openai_events():
    """Returns openai-python's models of events."""
    union, _ = typing.get_args(ResponseStreamEvent)
    return models_by_type(typing.get_args(union))


OPEN_RESPONSES = open_responses_events()
OPENAI = openai_events()
# Members that openai-python's types do not have: three that the specification requires, the name of a function, which
# earlier versions of the types require, and the status of a custom tool's call, which OpenAI's API sends.
MEMBERS = {"presence_penalty", "frequency_penalty", "store", "name", "status"}


class Findings:
    """The claims, each with the faults of recordings."""

    def __init__(self):
        self.faults = collections.defaultdict(list)
        self.counts = collections.Counter()
        self.met = set()

    def check(self, claim, where, fault):
        """Counts a check, and keeps its fault if there is one."""
        self.counts[claim] += 1
        if fault:
            self.faults[claim].append(f"{where}: {fault}")

    def print(self):
        """Prints a line for each claim and exception."""
        for claim, count in self.counts.items():
            faults = self.faults[claim]
            print(f"not ok - {claim}" if faults else f"ok - {claim} ({count})")
            for fault in faults[:20]:
                print(*(f"# {line}" for line in fault.splitlines()), sep="\n")
        for reason in EXCEPTIONS:
            print(f"{'ok' if reason in self.met else 'not ok'} - exception: {reason}")


def fault_of(model, document):
    """Returns why a document does not have a type, or nothing."""
    try:
        found = model.model_validate_json(json.dumps(document), strict=True)
    except pydantic.ValidationError as error:
        return str(error)
    unknown = unknown_members(found) - MEMBERS
    return f"unknown members: {sorted(unknown)}" if unknown else None


def unknown_members(value):
    """Returns the names of the members that openai-python's types do not have."""
    if isinstance(value, openai.BaseModel):
        own = set(value.model_extra or {})
        return own.union(*(unknown_members(member) for _, member in value))
    if isinstance(value, list):
        return set().union(*(unknown_members(entry) for entry in value))
    return set()


def for_open_responses(response, findings):
    """Returns a response without the exceptions."""
    response = json.loads(json.dumps(response))
    findings.met.update(reason for reason, change in EXCEPTIONS.items() if change(response))
    return response


def check_response(response, where, findings):
    """Checks a response object."""
    findings.check("responses have openai-python's type", where, fault_of(Response, response))
    reduced = for_open_responses(response, findings)
    fault = fault_of(openresponses_types.ResponseResource, reduced)
    findings.check("responses have the specification's type", where, fault)


def check_event(event, where, findings):
    """Checks an event."""
    kind = event["type"]
    where = f"{where}, {kind} {event.get('sequence_number')}"
    model = OPENAI.get(kind)
    fault = fault_of(model, event) if model else "unknown event"
    findings.check("events have openai-python's type", where, fault)
    custom = event.get("item", {}).get("type") == "custom_tool_call" or "custom_tool_call" in kind
    if custom:
        return
    if "response" in event:
        event = {**event, "response": for_open_responses(event["response"], findings)}
    model = OPEN_RESPONSES.get(kind)
    fault = fault_of(model, event) if model else "unknown event"
    findings.check("events have the specification's type", where, fault)


def events_of(body, ended):
    """Parses server-sent events, and returns them, whether `[DONE]` is last, and a fault."""
    events, done = [], False
    *blocks, rest = body.split("\n\n")
    for block in blocks:
        # A heartbeat is a line, not an event.
        block = "\n".join(line for line in block.split("\n") if not line.startswith(":"))
        if not block:
            continue
        if done:
            return events, done, "there is an event after [DONE]"
        if block == "data: [DONE]":
            done = True
            continue
        lines = block.split("\n")
        if len(lines) != 2 or not lines[0].startswith("event: ") or not lines[1].startswith("data: "):
            return events, done, f"not an event: {block[:200]!r}"
        event = json.loads(lines[1].removeprefix("data: "))
        if event["type"] != lines[0].removeprefix("event: "):
            return events, done, f"the name {lines[0]!r} is not the type {event['type']!r}"
        events.append(event)
    return events, done, f"unfinished: {rest!r}" if rest and ended else None


class Stream:
    """The state of a stream: open items, and their deltas."""

    def __init__(self):
        self.item = None
        self.index = None
        self.parts = {}
        self.texts = collections.defaultdict(str)
        self.finished = {}
        self.items = []

    def take(self, event):
        """Follows an event, and returns its fault or nothing."""
        kind, action = event["type"].rsplit(".", 1)
        if kind == "response.output_item":
            return self.added(event) if action == "added" else self.done(event)
        if "item_id" not in event:
            return None
        if self.item is None or (event["item_id"], event["output_index"]) != (self.item["id"], self.index):
            return "the event belongs to no open item"
        place = event.get("content_index", event.get("summary_index", 0))
        if kind in ("response.content_part", "response.reasoning_summary_part"):
            return self.part(action, place, event["part"])
        if self.item["type"] in ("message", "reasoning") and not self.parts.get(place):
            return "the event belongs to no open part"
        if action == "delta":
            self.texts[kind, place] += event["delta"]
            return None
        member, _ = TEXTS[kind]
        self.finished[kind, place] = event
        return None if event[member] == self.texts[kind, place] else "the deltas are not the text"

    def added(self, event):
        if self.item is not None:
            return "another item is open"
        if event["output_index"] != len(self.items):
            return "an item is missing"
        self.item, self.index = event["item"], event["output_index"]
        self.parts, self.finished = {}, {}
        self.texts = collections.defaultdict(str)
        return None

    def part(self, action, place, part):
        if action == "added":
            known = place in self.parts
            self.parts[place] = True
            return "the part is not new" if known else None
        was_open = self.parts.get(place)
        self.parts[place] = False
        if not was_open:
            return "the part is not open"
        texts = {event[TEXTS[kind][0]] for (kind, at), event in self.finished.items() if at == place}
        return None if texts == {part["text"]} else "the part has another text"

    def done(self, event):
        item = event["item"]
        if self.item is None or (item["id"], event["output_index"]) != (self.item["id"], self.index):
            return "the item was not added"
        if any(self.parts.values()):
            return "a part is open"
        for key, text in self.texts.items():
            if key not in self.finished:
                return f"{key[0]} has no done"
            if TEXTS[key[0]][1](item, self.finished[key]) != text:
                return "the item has another text than its deltas"
        self.items.append(item)
        self.item = None
        return None


def check_stream(recording, where, findings):
    """Checks a stream. Its client may have disconnected."""
    events, done, fault = events_of(recording["body"], recording["ended"])
    findings.check("an event has the name of its type", where, fault)
    numbers = [event.get("sequence_number") for event in events]
    fault = None if numbers == list(range(len(events))) else f"the numbers are {numbers}"
    findings.check("the sequence number rises by one", where, fault)
    kinds = [event["type"] for event in events]
    fault = None if kinds[:2] == ["response.created", "response.in_progress"] else f"it begins with {kinds[:2]}"
    findings.check("a stream begins with created and in_progress", where, fault)
    stream, faults = Stream(), []
    for event in events:
        check_event(event, where, findings)
        fault = stream.take(event)
        if fault:
            faults.append(f"{event['type']} {event['sequence_number']}: {fault}")
    findings.check("each item is added, filled by its deltas, and done", where, "\n".join(faults))
    if not recording["ended"]:
        return
    ends = [kind for kind in kinds if kind in TERMINAL]
    fault = None if done and len(ends) == 1 and kinds[-1] in TERMINAL else f"it ends with {kinds[-2:]}, {done}"
    findings.check("a stream has one last event, and [DONE]", where, fault)
    if fault:
        return
    fault = None if stream.item is None else "an item is open"
    if events[-1]["response"]["output"] != stream.items:
        fault = f"the items {stream.items} became {events[-1]['response']['output']}"
    findings.check("the last event has the items of the stream", where, fault)
    ids = {event["response"]["id"] for event in events if "response" in event}
    findings.check("a response has one id", where, None if len(ids) == 1 else f"it has {ids}")


def check_recording(recording, where, findings):
    """Checks a reply: a stream, a response or an error."""
    if recording["status"] == 200 and recording["type"] == "text/event-stream":
        return check_stream(recording, where, findings)
    if not recording["ended"]:
        return None
    document = json.loads(recording["body"])
    if recording["status"] == 200:
        return check_response(document, where, findings)
    members = {"error": {"message": str, "type": str, "param": (str, type(None)), "code": (str, type(None))}}
    fault = None
    if document.keys() != members.keys() or document["error"].keys() != members["error"].keys():
        fault = f"its members are {document}"
    elif not all(isinstance(document["error"][name], kind) for name, kind in members["error"].items()):
        fault = f"a member has another type: {document}"
    return findings.check("an error has all members", where, fault)


def main(folder):
    findings = Findings()
    clients = collections.Counter()
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        recording = json.loads(path.read_text())
        client = recording["client"] or "none"
        clients[client.split()[0]] += 1
        check_recording(recording, f"{path.name} of {client}, status {recording['status']}", findings)
    print("recorded:", ", ".join(f"{client} {count}" for client, count in clients.items()))
    findings.print()


if __name__ == "__main__":
    main(sys.argv[1])
