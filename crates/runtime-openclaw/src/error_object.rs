//! OpenAI's error object, in a body or an event of a backend.

use std::borrow::Cow;

use tidegate_json::{Member, Shape, SyntaxError, Value, object_shape};

use crate::redactor::Redactor;
use crate::types::{InvalidKind, InvalidRequest};

/// The maximum length of a message for clients, in characters.
const MESSAGE_LIMIT: usize = 1000;

/// The maximum length of a type or code in the log, in characters.
const LOG_LIMIT: usize = 64;

/// The types and codes of errors about a credential.
const KEY_ERRORS: [&str; 9] = [
    "account_deactivated",
    "authentication_error",
    "billing_not_active",
    "invalid_api_key",
    "invalid_organization",
    "invalid_project",
    "organization_not_found",
    "permission_error",
    "unauthorized",
];

/// An error of a backend: `{message, type, param, code}`.
///
/// Backends omit some members and use other types for others, so all are optional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorObject {
    /// A sentence for people.
    pub message: Option<String>,
    /// The kind of error, `type`.
    pub kind: Option<String>,
    /// The member of the request at fault.
    pub param: Option<String>,
    /// A code for programs.
    pub code: Option<String>,
}

impl ErrorObject {
    /// Parses an error. Other text becomes an error without members.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let error = tidegate_json::parse(text).unwrap_or_default();
        Self::of(error).unwrap_or_default()
    }

    /// Returns the error of a member `error`, or `None` if it is missing or `null`.
    #[must_use]
    pub fn of(error: Member<Self>) -> Option<Self> {
        match error {
            Member::Absent | Member::Null => None,
            Member::Is(error) => Some(error),
            Member::Not(_) => Some(Self::default()),
        }
    }

    /// Parses a body `{"error": …}`. Returns `None` for another body.
    #[must_use]
    pub fn from_body(body: &[u8]) -> Option<Self> {
        let text = str::from_utf8(body).ok()?;
        let body: Body = tidegate_json::parse(text).ok()?.ok()?;
        Self::of(body.error)
    }

    /// Returns whether the error's type or code is one of `names`.
    #[must_use]
    pub fn is_any_of(&self, names: &[&str]) -> bool {
        let mut own = [&self.kind, &self.code].into_iter().flatten();
        own.any(|own| names.contains(&own.as_str()))
    }

    /// Returns the error for the client, as a fault of its request.
    #[must_use]
    pub fn invalid_request(&self, kind: InvalidKind, redactor: &Redactor) -> InvalidRequest {
        let clean = |text: &String| redactor.clean(text, MESSAGE_LIMIT);
        let message = self.message.as_ref().map(clean);
        InvalidRequest {
            kind,
            message: message.unwrap_or_else(|| default_message(kind).to_owned()),
            param: self.param.as_ref().map(clean),
            code: self.code.as_ref().map(clean),
        }
    }

    /// Returns whether the error is about the backend's own credential. Providers quote keys
    /// and accounts in such messages, also with the type `invalid_request_error`.
    #[must_use]
    pub fn is_about_keys(&self) -> bool {
        let message = self.message.as_deref().unwrap_or_default();
        let message = message.to_ascii_lowercase();
        self.is_any_of(&KEY_ERRORS) || message.contains("api key") || message.contains("api_key")
    }

    /// Formats the error for the log: its type and code. The message may quote the
    /// conversation. The text begins with `what`.
    #[must_use]
    pub fn log_text(&self, what: &str, redactor: &Redactor) -> String {
        let parts = [self.kind.as_ref(), self.code.as_ref()];
        let parts = parts.into_iter().flatten();
        let parts: Vec<_> = parts.map(|part| redactor.clean(part, LOG_LIMIT)).collect();
        match parts.as_slice() {
            [] => what.to_owned(),
            parts => format!("{what}: {}", parts.join(", ")),
        }
    }
}

/// An object, or only the message.
impl<'de> Shape<'de> for ErrorObject {
    fn read(value: Value<'_, 'de>) -> Result<Option<Self>, SyntaxError> {
        if let Value::String(message) = value {
            return Ok(Some(Self {
                message: Some(message.into_owned()),
                ..Self::default()
            }));
        }
        let object: Option<Fields<'_>> = value.object()?;
        let text = |field: Member<Cow<'_, str>>| field.ok().map(Cow::into_owned);
        Ok(object.map(|object| Self {
            message: text(object.message),
            kind: text(object.kind),
            param: text(object.param),
            code: text(object.code),
        }))
    }
}

#[derive(Default)]
struct Fields<'de> {
    message: Member<Cow<'de, str>>,
    kind: Member<Cow<'de, str>>,
    param: Member<Cow<'de, str>>,
    code: Member<Cow<'de, str>>,
}

object_shape!(Fields<'de> {
    "message" => message,
    "type" => kind,
    "param" => param,
    "code" => code,
});

#[derive(Default)]
struct Body {
    error: Member<ErrorObject>,
}

object_shape!(Body {
    "error" => error,
});

/// Returns the message for a fault that the backend did not explain.
fn default_message(kind: InvalidKind) -> &'static str {
    match kind {
        InvalidKind::Malformed => "The runtime rejects the request as invalid.",
        InvalidKind::NotFound => "The request names something that does not exist.",
        InvalidKind::TooLarge => "The request is too large for the runtime.",
        InvalidKind::Unprocessable => "The runtime cannot process the request.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_may_lack_members() {
        let full = ErrorObject {
            message: Some("m".to_owned()),
            kind: Some("t".to_owned()),
            param: Some("p".to_owned()),
            code: Some("c".to_owned()),
        };
        let message_only = ErrorObject {
            message: Some("m".to_owned()),
            ..ErrorObject::default()
        };
        let cases = [
            (
                r#"{"error":{"message":"m","type":"t","param":"p","code":"c"}}"#,
                Some(full),
            ),
            (
                r#"{"error":{"message":"m","type":null,"code":404}}"#,
                Some(message_only.clone()),
            ),
            (r#"{"error":"m"}"#, Some(message_only)),
            (r#"{"error":{}}"#, Some(ErrorObject::default())),
            (r#"{"error":null}"#, None),
            (r#"{"detail":"Not Found"}"#, None),
            ("[1]", None),
            ("Not Found", None),
            ("", None),
        ];
        for (body, expected) in cases {
            assert_eq!(ErrorObject::from_body(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn type_and_code_both_identify_the_error() {
        let body = br#"{"error":{"type":"a","code":"b"}}"#;
        let error = ErrorObject::from_body(body).unwrap();
        assert!(error.is_any_of(&["a"]));
        assert!(error.is_any_of(&["x", "b"]));
        assert!(!error.is_any_of(&["x"]));
    }

    #[test]
    fn the_log_has_the_type_and_the_code_and_not_the_message() {
        let error = ErrorObject {
            message: Some("the prompt".to_owned()),
            kind: Some("api_error".to_owned()),
            code: Some("oops".to_owned()),
            param: None,
        };
        let text = error.log_text("it broke", &Redactor::default());
        assert_eq!(text, "it broke: api_error, oops");
        let nothing = ErrorObject::default();
        assert_eq!(
            nothing.log_text("it broke", &Redactor::default()),
            "it broke"
        );
    }
}
