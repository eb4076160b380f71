"""An agent runtime in Python: it counts the words of what it heard."""

import collections

import wit_world
from componentize_py_async_support import spawn
from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.exports import runtime as contract

AGENT = "counter"


class Runtime(exports.Runtime):
    """What the component exports as `tidegate:agent/runtime`."""

    async def run(self, request):
        """Returns at once; what can go wrong is told by the future."""
        events, told = wit_world.runtime_run_event_stream()
        outcome, ended = wit_world.result_runtime_run_outcome_runtime_run_error_future(abandoned)
        spawn(carry_out(request, events, outcome))
        return told, ended

    async def agents(self):
        return [contract.Agent(AGENT)]


def abandoned():
    return Err(contract.RunError_Failed("the run was abandoned"))


async def carry_out(request, events, outcome):
    """Tells everything, ends the stream, and then says how the run ended."""
    if request.agent != AGENT:
        ending = Err(contract.RunError_UnknownAgent())
    else:
        ending = await count(request, events)
    with events:
        pass
    await outcome.write(ending)


async def count(request, events):
    words = collections.Counter(heard(request.messages).lower().split())
    for word, times in words.most_common():
        await events.write_all([contract.RunEvent_Text(f"{word}: {times}\n")])
        if events.reader_dropped:
            return Err(contract.RunError_Failed("the caller has left"))
    return Ok(contract.RunOutcome(contract.StopReason.END_TURN, None))


def heard(messages):
    said = (message for message in reversed(messages) if message.role == contract.Role.USER)
    parts = next(said).content
    return " ".join(part.value for part in parts if isinstance(part, contract.ContentPart_Text))
