//! The types of the members that the gateway uses.

use tidegate_json::Member;

use crate::openai::request::ChatCompletionRequest;
use crate::rejection::Rejection;

use super::sampling;
use super::type_check::{not_null, nullable};

/// Checks the types in OpenClaw's order.
///
/// # Errors
/// The first member of the wrong type.
pub(super) fn check_types(request: &ChatCompletionRequest<'_>) -> Result<(), Rejection> {
    not_null("model", "a string", &request.model)?;
    nullable("stream", "a boolean", &request.stream)?;
    nullable("stream_options", "an object", &request.stream_options)?;
    if let Member::Is(options) = &request.stream_options {
        not_null(
            "stream_options.include_usage",
            "a boolean",
            &options.include_usage,
        )?;
    }
    not_null("tools", "an array", &request.tools)?;
    not_null("messages", "an array", &request.messages)?;
    not_null("user", "a string", &request.user)?;
    sampling::check_cap("max_tokens", &request.max_tokens)?;
    sampling::check_cap("max_completion_tokens", &request.max_completion_tokens)?;
    nullable("temperature", "a number", &request.temperature)?;
    nullable("top_p", "a number", &request.top_p)?;
    nullable("frequency_penalty", "a number", &request.frequency_penalty)?;
    nullable("presence_penalty", "a number", &request.presence_penalty)?;
    nullable("seed", "a number", &request.seed)?;
    sampling::check_stop(&request.stop)
}
