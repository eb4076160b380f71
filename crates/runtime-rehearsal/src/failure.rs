//! The errors of `/fail`, by name.

use crate::types::{InvalidKind, InvalidRequest, RunError};

/// Returns the error with a name. Returns `None` for an unknown name, and for seconds with
/// an error that has none.
pub(crate) fn named(kind: &str, seconds: Option<u32>) -> Option<RunError> {
    match (kind, seconds) {
        ("busy", seconds) => Some(RunError::Busy(seconds)),
        ("unavailable", seconds) => Some(RunError::Unavailable(seconds)),
        (kind, None) => untimed(kind),
        (_, Some(_)) => None,
    }
}

/// Makes the error of an invalid script.
pub(crate) fn invalid_script(message: String) -> RunError {
    invalid(InvalidKind::Malformed, message, None)
}

fn untimed(kind: &str) -> Option<RunError> {
    let log = || format!("scripted by /fail {kind}");
    let scripted = |invalid_kind, code| invalid(invalid_kind, log(), code);
    Some(match kind {
        "invalid" => scripted(InvalidKind::Malformed, None),
        "not-found" => scripted(InvalidKind::NotFound, Some("model_not_found")),
        "too-large" => scripted(InvalidKind::TooLarge, Some("context_length_exceeded")),
        "unprocessable" => scripted(InvalidKind::Unprocessable, None),
        "unknown-agent" => RunError::UnknownAgent,
        "unreachable" => RunError::Unreachable(log()),
        "denied" => RunError::Denied(log()),
        "misconfigured" => RunError::Misconfigured(log()),
        "timed-out" => RunError::TimedOut(log()),
        "tool-choice-unmet" => RunError::ToolChoiceUnmet,
        "failed" => RunError::Failed(log()),
        _ => return None,
    })
}

fn invalid(kind: InvalidKind, message: String, code: Option<&str>) -> RunError {
    RunError::Invalid(InvalidRequest {
        kind,
        message,
        param: Some("messages".to_owned()),
        code: code.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_errors_with_a_retry_time_take_seconds() {
        let cases = [
            ("busy", Some(3), Some(RunError::Busy(Some(3)))),
            ("busy", None, Some(RunError::Busy(None))),
            ("unavailable", Some(9), Some(RunError::Unavailable(Some(9)))),
            ("unknown-agent", None, Some(RunError::UnknownAgent)),
            ("unknown-agent", Some(3), None),
            ("tool-choice-unmet", None, Some(RunError::ToolChoiceUnmet)),
            ("sideways", None, None),
        ];
        for (kind, seconds, expected) in cases {
            assert_eq!(named(kind, seconds), expected, "{kind} {seconds:?}");
        }
    }
}
