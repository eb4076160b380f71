//! The tool calls of an assistant's message.

use tidegate_json::Member;

use crate::openai::request::{CalledFunction, ToolCall as SentCall};
use crate::rejection::{Quote, Rejection};
use crate::runtime::ToolCall;

use crate::run::call::{arguments, name};
use crate::run::place::Place;

type SentCalls<'de> = Member<Vec<Member<SentCall<'de>>>>;

/// Reads `tool_calls`.
///
/// # Errors
/// A call that is not a function's, or lacks its id or name.
pub(super) fn tool_calls(sent: SentCalls<'_>, place: Place) -> Result<Vec<ToolCall>, Rejection> {
    let sent = sent.optional().map_err(|kind| {
        let problem = format!("must be an array of tool calls, not {kind}.");
        place.reject(".tool_calls", &problem)
    })?;
    let calls = sent.unwrap_or_default().into_iter().enumerate();
    calls
        .map(|(at, call)| {
            let reject = |problem: &str| place.reject(&format!(".tool_calls[{at}]"), problem);
            let call = call.ok().ok_or_else(|| reject("must be an object."))?;
            tool_call(call).map_err(|problem| reject(&problem))
        })
        .collect()
}

fn tool_call(call: SentCall<'_>) -> Result<ToolCall, String> {
    if let Some(kind) = call.kind.ok()
        && kind != "function"
    {
        let kind = Quote(&kind);
        return Err(format!(
            "has the type `{kind}`. Only calls of the type `function` are supported."
        ));
    }
    let function = call.function.ok().ok_or("has no `function`.")?;
    Ok(ToolCall {
        id: name(call.id.ok()).ok_or("has no `id`.")?,
        arguments: arguments(function.arguments),
        name: name(function.name.ok()).ok_or("has no `function.name`.")?,
    })
}

/// Calls of the older API, which have no ids. A result names its function.
#[derive(Debug, Default)]
pub(super) struct OlderCalls(Vec<ToolCall>);

impl OlderCalls {
    /// Reads `function_call`, and gives the call an id.
    ///
    /// # Errors
    /// A call without a name.
    pub(super) fn call(
        &mut self,
        sent: Member<CalledFunction<'_>>,
        place: Place,
    ) -> Result<Option<ToolCall>, Rejection> {
        let reject = |problem: &str| place.reject(".function_call", problem);
        let sent = sent.optional();
        let sent = sent.map_err(|kind| reject(&format!("must be an object, not {kind}.")))?;
        let Some(function) = sent else {
            return Ok(None);
        };
        let call = ToolCall {
            id: format!("call_{}", place.at),
            arguments: arguments(function.arguments),
            name: name(function.name.ok()).ok_or_else(|| reject("has no `name`."))?,
        };
        self.0.push(call.clone());
        Ok(Some(call))
    }

    /// Returns the id of the oldest call of a function without a result.
    pub(super) fn answered(&mut self, function: &str) -> Option<String> {
        let at = self.0.iter().position(|call| call.name == function)?;
        Some(self.0.remove(at).id)
    }
}
