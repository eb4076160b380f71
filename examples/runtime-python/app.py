"""An agent runtime in Python that counts the words of the message."""

import collections

import wit_world
from componentize_py_async_support import spawn
from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports import types

AGENT = "counter"


class Runtime(exports.Runtime):
    """The exported interface `tidegate:agent/runtime`."""

    async def run(self, request, cancelled):
        """Returns immediately. All errors arrive on the future."""
        writer, events = wit_world.types_run_event_stream()
        ending, outcome = wit_world.result_types_run_outcome_types_run_error_future(abandoned)
        spawn(carry_out(request, cancelled, writer, ending))
        return events, outcome

    async def agents(self, upstream):
        return [types.Agent(AGENT)]


def abandoned():
    return Err(types.RunError_Failed("the run was abandoned"))


async def carry_out(request, cancelled, events, ending):
    """Sends all events, ends the stream, and then resolves the future."""
    if request.agent != AGENT:
        result = Err(types.RunError_UnknownAgent())
    else:
        result = await count(request, events)
    with events, cancelled:
        pass
    await ending.write(result)


async def count(request, events):
    """This run never waits for anything but its caller, so it need not wait for `cancelled`."""
    words = collections.Counter(user_text(request.messages).lower().split())
    for word, times in words.most_common():
        await events.write_all([types.RunEvent_Text(f"{word}: {times}\n")])
        if events.reader_dropped:
            return Err(types.RunError_Failed("the caller disconnected"))
    return Ok(types.RunOutcome(types.StopReason.END_TURN, None))


def user_text(messages):
    from_user = (message for message in reversed(messages) if message.role == types.Role.USER)
    parts = next(from_user).content
    return " ".join(part.value for part in parts if isinstance(part, types.ContentPart_Text))
