//! The types and values of a request's members.

use tidegate_json::Member;

use crate::openai::request::Text;
use crate::openai::responses::ResponseRequest;
use crate::rejection::Rejection;
use crate::run::sampling::{check_cap, within};
use crate::run::type_check::nullable;
use crate::runtime::Sampling;

/// Checks the types of all members, and refuses what changes the reply and is not possible.
///
/// # Errors
/// The first member of the wrong type, and the first one that is not supported.
pub(super) fn check(request: &ResponseRequest<'_>) -> Result<(), Rejection> {
    nullable("model", "a string", &request.model)?;
    nullable("input", "a string or an array of items", &request.input)?;
    nullable("instructions", "a string", &request.instructions)?;
    nullable("stream", "a boolean", &request.stream)?;
    check_cap("max_output_tokens", &request.max_output_tokens)?;
    nullable("user", "a string", &request.user)?;
    nullable("temperature", "a number", &request.temperature)?;
    nullable("top_p", "a number", &request.top_p)?;
    nullable("store", "a boolean", &request.store)?;
    nullable("background", "a boolean", &request.background)?;
    nullable(
        "parallel_tool_calls",
        "a boolean",
        &request.parallel_tool_calls,
    )?;
    nullable(
        "previous_response_id",
        "a string",
        &request.previous_response_id,
    )?;
    nullable(
        "conversation",
        "a string or an object",
        &request.conversation,
    )?;
    nullable("text", "an object", &request.text)?;
    nullable("reasoning", "an object", &request.reasoning)?;
    if let Member::Is(reasoning) = &request.reasoning {
        nullable("reasoning.effort", "a string", &reasoning.effort)?;
    }
    if let Member::Absent | Member::Null = request.input {
        return Err(Rejection::invalid("input", "`input` is missing."));
    }
    check_supported(request)
}

fn check_supported(request: &ResponseRequest<'_>) -> Result<(), Rejection> {
    if request.prompt.is_some() {
        let problem = "`prompt` names a template at OpenAI, which the agent does not have. Send its text as `instructions`.";
        return Err(Rejection::invalid("prompt", problem));
    }
    Ok(())
}

/// Reads the parameters of sampling.
///
/// # Errors
/// A number outside of its range.
pub(super) fn sampling(request: &ResponseRequest<'_>) -> Result<Sampling, Rejection> {
    Ok(Sampling {
        temperature: within("temperature", &request.temperature, 0.0..=2.0)?,
        top_p: within("top_p", &request.top_p, 0.0..=1.0)?,
        // `check_cap` has checked the range, so the conversion is exact.
        max_tokens: request.max_output_tokens.as_ok().map(|cap| *cap as u64),
        ..Sampling::default()
    })
}

/// Returns how much reasoning the model should do.
pub(super) fn effort<'de>(request: &ResponseRequest<'de>) -> Option<Text<'de>> {
    request.reasoning.as_ok()?.effort.as_ok().cloned()
}
