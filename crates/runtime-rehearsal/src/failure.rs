//! The ways in which a run can be made to fail, by name.

use crate::types::{InvalidKind, InvalidRequest, RunError};

/// Names the failure that `/fail` asks for; none if there is no such failure,
/// or if it takes no seconds and some were given.
pub(crate) fn named(kind: &str, seconds: Option<u32>) -> Option<RunError> {
    match (kind, seconds) {
        ("busy", seconds) => Some(RunError::Busy(seconds)),
        ("unavailable", seconds) => Some(RunError::Unavailable(seconds)),
        (kind, None) => untimed(kind),
        (_, Some(_)) => None,
    }
}

/// Makes the failure of a request that asks for what cannot be played.
pub(crate) fn unplayable(message: String) -> RunError {
    invalid(InvalidKind::Malformed, message, None)
}

fn untimed(kind: &str) -> Option<RunError> {
    let log = || format!("/fail {kind} was asked for");
    let told = |invalid_kind, code| invalid(invalid_kind, log(), code);
    Some(match kind {
        "invalid" => told(InvalidKind::Malformed, None),
        "not-found" => told(InvalidKind::NotFound, Some("model_not_found")),
        "too-large" => told(InvalidKind::TooLarge, Some("context_length_exceeded")),
        "unprocessable" => told(InvalidKind::Unprocessable, None),
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
    fn only_what_may_be_tried_again_later_takes_seconds() {
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
