"""An agent runtime in Python that counts the words of the message."""

import collections

import wit_world
from componentize_py_async_support import spawn
from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.exports import runtime as contract

AGENT = "counter"


class Runtime(exports.Runtime):
    """The exported interface `tidegate:agent/runtime`."""

    async def run(self, request):
        """Returns immediately. All errors arrive on the future."""
        writer, events = wit_world.runtime_run_event_stream()
        ending, outcome = wit_world.result_runtime_run_outcome_runtime_run_error_future(abandoned)
        spawn(carry_out(request, writer, ending))
        return events, outcome

    async def agents(self):
        return [contract.Agent(AGENT)]


def abandoned():
    return Err(contract.RunError_Failed("the run was abandoned"))


async def carry_out(request, events, ending):
    """Sends all events, ends the stream, and then resolves the future."""
    if request.agent != AGENT:
        result = Err(contract.RunError_UnknownAgent())
    else:
        result = await count(request, events)
    with events:
        pass
    await ending.write(result)


async def count(request, events):
    words = collections.Counter(user_text(request.messages).lower().split())
    for word, times in words.most_common():
        await events.write_all([contract.RunEvent_Text(f"{word}: {times}\n")])
        if events.reader_dropped:
            return Err(contract.RunError_Failed("the caller disconnected"))
    return Ok(contract.RunOutcome(contract.StopReason.END_TURN, None))


def user_text(messages):
    from_user = (message for message in reversed(messages) if message.role == contract.Role.USER)
    parts = next(from_user).content
    return " ".join(part.value for part in parts if isinstance(part, contract.ContentPart_Text))
