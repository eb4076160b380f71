//! Why a request is refused before anything is run: what the caller must change.

use std::borrow::Cow;
use std::fmt;

use tidegate_json::Kind;

use crate::rate::Budget;

/// A refusal. Its text is written for the caller and holds nothing but the
/// caller's own words and the rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// There is nothing under this path.
    NoRoute,
    /// The endpoint is one of OpenAI's that is not offered here.
    NotOffered,
    /// A proxy that is not configured has added headers of its own.
    Proxied,
    /// The path knows other methods, given as the value of `Allow`.
    Method(&'static str),
    /// The credentials are missing or wrong; which of both is not told.
    Unauthorized,
    /// The key has expired.
    KeyExpired,
    /// The client has guessed at credentials too often; for how many seconds it
    /// is locked out.
    Locked(u32),
    /// The key has called too often.
    OverBudget {
        /// What there is no more of.
        budget: Budget,
        /// In how many seconds there is more.
        after: u32,
    },
    /// The caller's key does not allow something that the request asks for.
    Forbidden {
        /// The member or header that is meant.
        param: &'static str,
        /// What the key does not allow.
        message: String,
    },
    /// The body is larger than this many bytes.
    TooLarge(usize),
    /// The body holds more than this many JSON values.
    TooManyValues(usize),
    /// The body did not come in time.
    BodyTimeout,
    /// The body broke off.
    BodyBroken,
    /// The body is not JSON; where and why.
    NotJson(String),
    /// Something in the request is not as it must be.
    Invalid {
        /// The member or header that is meant.
        param: Option<Cow<'static, str>>,
        /// What to change.
        message: String,
    },
    /// The request names an agent that does not exist.
    UnknownAgent(String),
    /// `/v1/models/{id}` names a model that does not exist.
    UnknownModel(String),
}

/// A client's own word in a text for it: the beginning, if it is long.
#[derive(Debug, Clone, Copy)]
pub struct Quote<'t>(pub &'t str);

/// The most of a word that is quoted, in bytes.
const QUOTE_LIMIT: usize = 100;

impl fmt::Display for Quote<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self
            .0
            .split_at_checked(self.0.floor_char_boundary(QUOTE_LIMIT))
        {
            Some((begin, end)) if !end.is_empty() => write!(f, "{begin}…"),
            _ => f.write_str(self.0),
        }
    }
}

impl Rejection {
    /// Refuses the value of a member or header.
    pub fn invalid(param: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::Invalid {
            param: Some(param.into()),
            message: message.into(),
        }
    }

    /// Refuses what a caller's key does not allow.
    pub fn forbidden(param: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::Forbidden { param, message }
    }

    /// Refuses a member because of its type.
    pub fn wrong_type(param: &'static str, expected: &str, found: Kind) -> Self {
        Self::invalid(param, format!("`{param}` must be {expected}, not {found}."))
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoute => f.write_str(
                "There is nothing under this path. Use POST /v1/chat/completions or GET /v1/models.",
            ),
            Self::NotOffered => f.write_str(
                "This endpoint is not offered here. Use POST /v1/chat/completions.",
            ),
            Self::Proxied => f.write_str(
                "The request came through a proxy that the gateway does not know, or that does \
                 not tell the client's address in `X-Forwarded-For`. Its operator can name it in \
                 `gateway.trustedProxies`, or have it strip `Forwarded`, `X-Real-IP` and \
                 `X-Forwarded-*`.",
            ),
            Self::Method(allow) => write!(f, "This path takes {allow} only."),
            Self::Unauthorized => f.write_str(
                "Unauthorized: send the gateway's key as `Authorization: Bearer <key>`.",
            ),
            Self::TooLarge(limit) => {
                write!(f, "The request body is larger than {limit} bytes. Send less.")
            }
            Self::TooManyValues(limit) => {
                write!(f, "The request body holds more than {limit} JSON values. Send less.")
            }
            Self::BodyTimeout => f.write_str("The request body did not arrive in time."),
            Self::BodyBroken => f.write_str("The request body broke off before its end."),
            Self::NotJson(problem) => write!(f, "The request body is not valid JSON: {problem}."),
            Self::Locked(seconds) => write!(
                f,
                "Too many wrong credentials came from this address. Try again in {seconds} seconds.",
            ),
            Self::OverBudget { budget, after } => match budget {
                Budget::RequestsPerMinute(limit) => write!(
                    f,
                    "This key may send {limit} requests in a minute. Try again in {after} seconds.",
                ),
                Budget::RunsPerDay(limit) => write!(
                    f,
                    "This key may begin {limit} runs in a day (UTC). Try again in {after} seconds.",
                ),
            },
            Self::KeyExpired => f.write_str("This key has expired. Ask for a new one."),
            Self::Invalid { message, .. } | Self::Forbidden { message, .. } => f.write_str(message),
            Self::UnknownAgent(agent) => {
                write!(f, "Unknown agent '{}'. GET /v1/models lists the agents.", Quote(agent))
            }
            Self::UnknownModel(model) => {
                write!(f, "Model '{}' not found. GET /v1/models lists the models.", Quote(model))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_word_is_quoted_by_its_beginning() {
        let long = "é".repeat(60);
        for (word, quoted) in [
            ("", String::new()),
            ("main", "main".to_owned()),
            (&"n".repeat(100), "n".repeat(100)),
            (&"n".repeat(101), "n".repeat(100) + "…"),
            (&format!("n{long}"), format!("n{}…", "é".repeat(49))),
        ] {
            assert_eq!(Quote(word).to_string(), quoted);
        }
    }
}
