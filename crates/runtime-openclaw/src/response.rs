//! The head of the upstream's response, and the body of one that is an error.
//!
//! A redirection is never followed: it would carry the token elsewhere.

use crate::censor::Censor;
use crate::error_object::ErrorObject;
use crate::types::{InvalidKind, RunError};

/// The most of an error's body that is read, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// The most of an error's type that goes into the log, in characters.
const KIND_LIMIT: usize = 64;

/// The part of the response's head that matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// The value of `Content-Type`.
    pub content_type: Option<String>,
    /// The value of `Retry-After`.
    pub retry_after: Option<String>,
}

impl Head {
    /// Tells whether the response is a success of the given media type.
    #[must_use]
    pub fn is_success(&self, media_type: &str) -> bool {
        let content_type = self.content_type.as_deref().unwrap_or_default();
        let own = content_type.split(';').next().unwrap_or_default().trim();
        self.status == 200 && own.eq_ignore_ascii_case(media_type)
    }

    /// Returns what a response that is no success means. `body` is the
    /// beginning of its body, `agent` the one that was asked for.
    #[must_use]
    pub fn error(&self, body: &[u8], agent: &str, censor: &Censor) -> RunError {
        let explained = ErrorObject::from_body(body);
        let error = explained.clone().unwrap_or_default();
        let invalid = |kind| RunError::Invalid(error.invalid_request(kind, censor));
        match self.status {
            400 if is_unknown_agent(&error, agent) => RunError::UnknownAgent,
            400 => invalid(InvalidKind::Malformed),
            401 | 403 => RunError::Denied(self.refusal(&error, censor)),
            // Whoever speaks the protocol explains itself with an error object.
            404 if explained.is_some() => invalid(InvalidKind::NotFound),
            404 | 405 => RunError::Denied(self.absence()),
            408 => RunError::TimedOut("the server took too long to read the request".to_owned()),
            413 => invalid(InvalidKind::TooLarge),
            422 => invalid(InvalidKind::Unprocessable),
            429 => RunError::Busy(self.retry_after_seconds()),
            503 | 529 => RunError::Unavailable(self.retry_after_seconds()),
            _ => RunError::Failed(error.log_text(&self.failure(), censor)),
        }
    }

    /// Returns the number of seconds to wait. A date is left out: no clock here
    /// is known to agree with the server's.
    fn retry_after_seconds(&self) -> Option<u32> {
        self.retry_after.as_deref()?.trim().parse().ok()
    }

    /// Says who refused, and nothing of the message: it may quote the token.
    fn refusal(&self, error: &ErrorObject, censor: &Censor) -> String {
        let kind = error.kind.as_deref().unwrap_or("no reason given");
        let kind = censor.clean(kind, KIND_LIMIT);
        let status = self.status;
        format!("the server refuses the configured token with status {status}: {kind}")
    }

    fn absence(&self) -> String {
        let status = self.status;
        format!(
            "status {status}: the server's chatCompletions endpoint is disabled or the URL is wrong"
        )
    }

    fn failure(&self) -> String {
        match self.status {
            200 => "the server answered with something else than was asked for".to_owned(),
            status @ 300..400 => format!("the server redirects with status {status}"),
            status => format!("the server answered with status {status}"),
        }
    }
}

/// Compares with OpenClaw's whole sentence about the agent that was asked for:
/// the error has no code that would tell it from other mistakes.
fn is_unknown_agent(error: &ErrorObject, agent: &str) -> bool {
    let sentence = format!("Unknown agent '{agent}'.");
    error.message.as_ref() == Some(&sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::InvalidRequest;

    fn head(status: u16) -> Head {
        Head {
            status,
            ..Head::default()
        }
    }

    fn error(head: &Head, body: &str) -> RunError {
        head.error(body.as_bytes(), "main", &Censor::default())
    }

    fn invalid(kind: InvalidKind, message: &str) -> RunError {
        RunError::Invalid(InvalidRequest {
            kind,
            message: message.to_owned(),
            param: None,
            code: None,
        })
    }

    #[test]
    fn only_status_200_of_the_right_media_type_is_a_success() {
        let cases = [
            (200, Some("text/event-stream"), true),
            (200, Some("text/event-stream; charset=utf-8"), true),
            (200, Some("Text/Event-Stream;charset=utf-8"), true),
            (200, Some("application/json"), false),
            (200, Some("text/event-streams"), false),
            (200, None, false),
            (201, Some("text/event-stream"), false),
            (204, Some("text/event-stream"), false),
            (302, Some("text/event-stream"), false),
            (500, Some("text/event-stream"), false),
        ];
        for (status, content_type, expected) in cases {
            let head = Head {
                status,
                content_type: content_type.map(str::to_owned),
                retry_after: None,
            };
            let success = head.is_success("text/event-stream");
            assert_eq!(success, expected, "{status} {content_type:?}");
        }
    }

    #[test]
    fn what_the_server_says_about_the_request_reaches_the_client() {
        let body = r#"{"error":{"message":"no","type":"invalid_request_error"}}"#;
        let cases = [
            (400, InvalidKind::Malformed),
            (404, InvalidKind::NotFound),
            (413, InvalidKind::TooLarge),
            (422, InvalidKind::Unprocessable),
        ];
        for (status, kind) in cases {
            assert_eq!(error(&head(status), body), invalid(kind, "no"), "{status}");
        }
    }

    #[test]
    fn a_refusal_that_quotes_the_token_or_the_address_does_not_tell_them() {
        let document =
            r#"{ tidegate: { runtime: { url: "http://10.0.0.7:18789", token: "s3cret" } } }"#;
        let document = tidegate_config::Document::parse(document).unwrap();
        let settings = crate::settings::Settings::read(&document).unwrap();
        let censor = Censor::new(&settings.servers);
        let body = r#"{"error":{"message":"s3cret","type":"no s3cret at 10.0.0.7:18789"}}"#;
        for status in [401, 403] {
            match head(status).error(body.as_bytes(), "main", &censor) {
                RunError::Denied(text) => {
                    assert!(text.ends_with("no [removed] at [removed]"), "{text}");
                }
                other => panic!("{status}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_mistake_that_is_not_explained_gets_our_words() {
        for (status, body) in [(400, ""), (413, "<html>"), (422, r#"{"detail":[]}"#)] {
            match error(&head(status), body) {
                RunError::Invalid(invalid) => assert!(invalid.message.ends_with('.'), "{status}"),
                other => panic!("{status}: {other:?}"),
            }
        }
    }

    #[test]
    fn param_and_code_are_passed_on_and_long_messages_cut() {
        let long = "x".repeat(2000);
        let body = format!(r#"{{"error":{{"message":"{long}","param":"messages","code":"c"}}}}"#);
        let expected = RunError::Invalid(InvalidRequest {
            kind: InvalidKind::Malformed,
            message: format!("{}…", "x".repeat(1000)),
            param: Some("messages".to_owned()),
            code: Some("c".to_owned()),
        });
        assert_eq!(error(&head(400), &body), expected);
    }

    #[test]
    fn an_unknown_agent_is_the_one_that_was_asked_for() {
        let body = |agent: &str| format!(r#"{{"error":{{"message":"Unknown agent '{agent}'."}}}}"#);
        assert_eq!(error(&head(400), &body("main")), RunError::UnknownAgent);
        let other = invalid(InvalidKind::Malformed, "Unknown agent 'beta'.");
        assert_eq!(error(&head(400), &body("beta")), other);
    }

    #[test]
    fn an_endpoint_that_is_not_there_is_the_operator_s_matter() {
        let cases = [
            (404, "Not Found"),
            (404, r#"{"detail":"Not Found"}"#),
            (405, ""),
        ];
        for (status, body) in cases {
            match error(&head(status), body) {
                RunError::Denied(text) => assert!(text.contains("URL is wrong"), "{text}"),
                other => panic!("{status}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_refused_token_is_not_quoted() {
        let body = r#"{"error":{"message":"Incorrect key: s3cret","type":"unauthorized"}}"#;
        for status in [401, 403] {
            match error(&head(status), body) {
                RunError::Denied(text) => {
                    assert!(text.contains("unauthorized"), "{text}");
                    assert!(!text.contains("s3cret"), "{text}");
                }
                other => panic!("{status}: {other:?}"),
            }
        }
    }

    #[test]
    fn the_time_to_wait_is_read_in_seconds_only() {
        let cases = [
            (Some("7"), Some(7)),
            (Some(" 7 "), Some(7)),
            (Some("Fri, 31 Dec 1999 23:59:59 GMT"), None),
            (Some("-1"), None),
            (Some("99999999999"), None),
            (None, None),
        ];
        for (retry_after, seconds) in cases {
            let head = |status| Head {
                status,
                content_type: None,
                retry_after: retry_after.map(str::to_owned),
            };
            assert_eq!(error(&head(429), ""), RunError::Busy(seconds));
            assert_eq!(error(&head(503), ""), RunError::Unavailable(seconds));
            assert_eq!(error(&head(529), ""), RunError::Unavailable(seconds));
        }
    }

    #[test]
    fn every_other_status_is_a_failure_of_the_server() {
        for status in [
            200, 201, 204, 206, 301, 302, 304, 307, 402, 409, 418, 500, 502, 504, 599,
        ] {
            let body = r#"{"error":{"message":"m","type":"t"}}"#;
            match error(&head(status), body) {
                RunError::Failed(text) => assert!(text.ends_with(": t, m"), "{status} {text}"),
                other => panic!("{status}: {other:?}"),
            }
        }
        assert!(matches!(error(&head(408), ""), RunError::TimedOut(_)));
    }
}
