//! The head of a backend's response, and the error that it means.
//!
//! Redirects are never followed: they would send the token to another server.

use std::time::SystemTime;

use crate::error_object::ErrorObject;
use crate::redactor::Redactor;
use crate::types::{InvalidKind, RunError};

/// The maximum size of the body of an error, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// The maximum length of an error's type in the log, in characters.
const KIND_LIMIT: usize = 64;

/// The relevant parts of a response's head.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// The value of `Content-Type`.
    pub content_type: Option<String>,
    /// The value of `Retry-After`.
    pub retry_after: Option<String>,
    /// The value of `Date`.
    pub date: Option<String>,
}

impl Head {
    /// Returns whether the response is a success with a media type.
    #[must_use]
    pub fn is_success(&self, media_type: &str) -> bool {
        let content_type = self.content_type.as_deref().unwrap_or_default();
        let own = content_type.split(';').next().unwrap_or_default().trim();
        self.status == 200 && own.eq_ignore_ascii_case(media_type)
    }

    /// Returns the error that the response means. `body` is the beginning of its body,
    /// `agent` the agent of the run.
    #[must_use]
    pub fn error(&self, body: &[u8], agent: &str, redactor: &Redactor) -> RunError {
        let explained = ErrorObject::from_body(body);
        let error = explained.clone().unwrap_or_default();
        let invalid = |kind| RunError::Invalid(error.invalid_request(kind, redactor));
        match self.status {
            400 if is_unknown_agent(&error, agent) => RunError::UnknownAgent,
            // The client would read the message.
            400 | 404 | 413 | 422 if error.is_about_keys() => {
                RunError::Denied(self.refusal(&error, redactor))
            }
            400 => invalid(InvalidKind::Malformed),
            401 | 403 => RunError::Denied(self.refusal(&error, redactor)),
            // A backend with this API explains a 404 with an error object.
            404 if explained.is_some() => invalid(InvalidKind::NotFound),
            404 | 405 => RunError::Denied(self.absence()),
            408 => RunError::TimedOut("the backend took too long to read the request".to_owned()),
            413 => invalid(InvalidKind::TooLarge),
            422 => invalid(InvalidKind::Unprocessable),
            429 => RunError::Busy(self.retry_after_seconds()),
            503 | 529 => RunError::Unavailable(self.retry_after_seconds()),
            _ => RunError::Failed(error.log_text(&self.failure(), redactor)),
        }
    }

    /// Returns whether the backend does not have the endpoint. One that has it explains a 404
    /// with an error object. `body` is the beginning of the body.
    #[must_use]
    pub fn is_missing_endpoint(&self, body: &[u8]) -> bool {
        matches!(self.status, 404 | 405) && ErrorObject::from_body(body).is_none()
    }

    /// Returns the number of seconds of `Retry-After` (RFC 9110, section 10.2.3). A date is
    /// compared with the response's own, because clocks differ.
    fn retry_after_seconds(&self) -> Option<u32> {
        let after = self.retry_after.as_deref()?.trim();
        if let Ok(seconds) = after.parse() {
            return Some(seconds);
        }
        let then = http_date(after)?;
        let now = http_date(self.date.as_deref()?)?;
        let wait = then.duration_since(now).unwrap_or_default();
        u32::try_from(wait.as_secs()).ok()
    }

    /// Describes a rejected token without the message, which may quote the token.
    fn refusal(&self, error: &ErrorObject, redactor: &Redactor) -> String {
        let kind = error.kind.as_deref().unwrap_or("no reason given");
        let kind = redactor.clean(kind, KIND_LIMIT);
        let status = self.status;
        format!("the backend rejects the configured token with status {status}: {kind}")
    }

    fn absence(&self) -> String {
        let status = self.status;
        format!(
            "status {status}: the backend's chatCompletions endpoint is disabled, or the URL is wrong"
        )
    }

    fn failure(&self) -> String {
        match self.status {
            200 => "the backend answered with another media type".to_owned(),
            status @ 300..400 => format!("the backend redirects with status {status}"),
            status => format!("the backend answered with status {status}"),
        }
    }
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Reads a date in the format that HTTP requires of senders (RFC 9110, section 5.6.7), such
/// as `Fri, 31 Dec 1999 23:59:59 GMT`.
fn http_date(text: &str) -> Option<SystemTime> {
    let words: Vec<_> = text.split_ascii_whitespace().collect();
    let [_, day, month, year, time, "GMT"] = words.as_slice() else {
        return None;
    };
    let month = MONTHS.iter().position(|name| name == month)? + 1;
    humantime::parse_rfc3339(&format!("{year}-{month:02}-{day}T{time}Z")).ok()
}

/// Recognizes OpenClaw's error by its message: it has no code of its own.
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
        head.error(body.as_bytes(), "main", &Redactor::default())
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
                ..Head::default()
            };
            let success = head.is_success("text/event-stream");
            assert_eq!(success, expected, "{status} {content_type:?}");
        }
    }

    #[test]
    fn errors_about_the_request_reach_the_client() {
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
    fn a_rejected_token_is_logged_without_secrets() {
        let document =
            r#"{ tidegate: { runtime: { url: "http://10.0.0.7:18789", token: "s3cret" } } }"#;
        let document = tidegate_config::Document::parse(document).unwrap();
        let settings = crate::settings::AllSettings::read(&document)
            .unwrap()
            .default;
        let redactor = Redactor::new(&settings.backends);
        let body = r#"{"error":{"message":"s3cret","type":"no s3cret at 10.0.0.7:18789"}}"#;
        for status in [401, 403] {
            match head(status).error(body.as_bytes(), "main", &redactor) {
                RunError::Denied(text) => {
                    assert!(text.ends_with("no [removed] at [removed]"), "{text}");
                }
                other => panic!("{status}: {other:?}"),
            }
        }
    }

    #[test]
    fn an_error_about_the_backends_own_key_never_reaches_the_client() {
        for body in [
            r#"{"error":{"message":"Incorrect API key provided: sk-1","type":"invalid_request_error","code":"invalid_api_key"}}"#,
            r#"{"error":{"message":"No such organization: org-1","type":"invalid_request_error","code":"invalid_organization"}}"#,
            r#"{"error":{"message":"Incorrect api key provided: sk-1","type":"invalid_request_error"}}"#,
            r#"{"error":{"message":"no","type":"authentication_error"}}"#,
        ] {
            assert_eq!(error(&head(429), body), RunError::Busy(None));
            for status in [400, 404, 422] {
                match error(&head(status), body) {
                    RunError::Denied(text) => assert!(!text.contains('1'), "{text}"),
                    other => panic!("{status} {body}: {other:?}"),
                }
            }
        }
    }

    #[test]
    fn an_unexplained_fault_has_a_default_message() {
        for (status, body) in [(400, ""), (413, "<html>"), (422, r#"{"detail":[]}"#)] {
            match error(&head(status), body) {
                RunError::Invalid(invalid) => assert!(invalid.message.ends_with('.'), "{status}"),
                other => panic!("{status}: {other:?}"),
            }
        }
    }

    #[test]
    fn param_and_code_are_forwarded_and_long_messages_cut() {
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
    fn an_unknown_agent_must_be_the_agent_of_the_run() {
        let body = |agent: &str| format!(r#"{{"error":{{"message":"Unknown agent '{agent}'."}}}}"#);
        assert_eq!(error(&head(400), &body("main")), RunError::UnknownAgent);
        let other = invalid(InvalidKind::Malformed, "Unknown agent 'beta'.");
        assert_eq!(error(&head(400), &body("beta")), other);
    }

    #[test]
    fn a_missing_endpoint_is_an_error_for_the_operator() {
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
    fn only_an_unexplained_404_or_405_says_that_the_endpoint_is_missing() {
        let explained = r#"{"error":{"message":"no such model"}}"#;
        for (status, body, is_missing) in [
            (404, "Not Found", true),
            (404, r#"{"detail":"Not Found"}"#, true),
            (405, "", true),
            (404, explained, false),
            (400, "", false),
            (500, "", false),
        ] {
            let found = head(status).is_missing_endpoint(body.as_bytes());
            assert_eq!(found, is_missing, "{status} {body}");
        }
    }

    #[test]
    fn a_rejected_token_is_not_quoted() {
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
    fn retry_after_is_in_seconds_or_a_date() {
        let cases = [
            (Some("7"), Some(7)),
            (Some(" 7 "), Some(7)),
            (Some("Fri, 31 Dec 1999 23:59:59 GMT"), Some(59)),
            (Some("Fri, 31 Foo 1999 23:59:59 GMT"), None),
            (Some("Fri, 31 Dec 1999 23:59:59 CET"), None),
            (Some("Fri, 31 Dec 1999 23:58:59 GMT"), Some(0)),
            (Some("Fri, 31 Dec 9999 23:59:59 GMT"), None),
            (Some("soon"), None),
            (Some("-1"), None),
            (Some("99999999999"), None),
            (None, None),
        ];
        for (retry_after, seconds) in cases {
            let head = |status| Head {
                status,
                content_type: None,
                retry_after: retry_after.map(str::to_owned),
                date: Some("Fri, 31 Dec 1999 23:59:00 GMT".to_owned()),
            };
            assert_eq!(error(&head(429), ""), RunError::Busy(seconds));
            assert_eq!(error(&head(503), ""), RunError::Unavailable(seconds));
            assert_eq!(error(&head(529), ""), RunError::Unavailable(seconds));
        }
    }

    #[test]
    fn every_other_status_is_a_failure() {
        for status in [
            200, 201, 204, 206, 301, 302, 304, 307, 402, 409, 418, 500, 502, 504, 599,
        ] {
            let body = r#"{"error":{"message":"m","type":"t"}}"#;
            match error(&head(status), body) {
                RunError::Failed(text) => assert!(text.ends_with(": t"), "{status} {text}"),
                other => panic!("{status}: {other:?}"),
            }
        }
        assert!(matches!(error(&head(408), ""), RunError::TimedOut(_)));
    }
}
