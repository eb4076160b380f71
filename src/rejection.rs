//! Rejections: why the gateway refuses a request before a run starts.

use std::borrow::Cow;
use std::fmt;

use tidegate_json::Kind;

/// A rejection. Its text is for the client and contains only the rule and the
/// client's own values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// The path is unknown, or the endpoint is disabled.
    NoRoute,
    /// The endpoint is disabled.
    Disabled,
    /// The client begins a WebSocket.
    WebSocket,
    /// An untrusted proxy added headers, or a trusted one omitted the client.
    Proxied,
    /// The endpoint has other methods; the value of `Allow`.
    Method(&'static str),
    /// The credential is missing or wrong. The client does not learn which.
    Unauthorized,
    /// The API key has expired.
    KeyExpired,
    /// The client's address is locked out, for this number of seconds.
    Locked(u32),
    /// The API key exceeds a rate limit.
    RateLimited {
        /// The limit.
        limit: RateLimit,
        /// The time until the next window, in seconds.
        retry_after: u32,
    },
    /// The caller lacks a permission or scope.
    Forbidden {
        /// The member or header at fault.
        param: &'static str,
        /// What is not allowed.
        message: String,
    },
    /// The body cannot be read.
    Body(BodyFault),
    /// A value of the request is invalid.
    Invalid {
        /// The member or header at fault.
        param: Option<Cow<'static, str>>,
        /// What to change.
        message: String,
    },
    /// The request selects an unknown agent.
    UnknownAgent(String),
    /// The request names an unknown model.
    UnknownModel(String),
    /// The request continues a response that is not the caller's, or not the agent's.
    UnknownResponse,
    /// The request continues a response, and the gateway has no secret for that.
    ResponsesNotKept,
    /// What the request asks of the store is not possible.
    Stored(StoredFault),
}

/// Why the body of a request cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyFault {
    /// The body is larger than this number of bytes.
    TooLarge(usize),
    /// The body holds more than this number of JSON values.
    TooManyValues(usize),
    /// The body did not arrive in time.
    Timeout,
    /// The body is incomplete.
    Incomplete,
    /// The body has this content coding.
    Coding(String),
    /// The body does not have the format of its content coding.
    BadCoding,
    /// The bodies of other requests use the memory.
    Overloaded,
    /// The body is not UTF-8 from this byte on.
    NotUtf8(usize),
    /// The body is not JSON; the position and the reason.
    NotJson(String),
}

impl From<StoredFault> for Rejection {
    fn from(fault: StoredFault) -> Self {
        Self::Stored(fault)
    }
}

/// Why a request for the store is not possible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredFault {
    /// There is no stored response with this id for the caller.
    NoResponse(String),
    /// The run of the response depends on its connection, so it cannot be cancelled.
    NotInBackground,
    /// The stored response is incomplete.
    Incomplete,
    /// Runs cannot go on without their clients.
    NoBackground,
    /// The key-value store has failed.
    StoreFailed,
}

/// A rate limit of an API key, or of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimit {
    /// The number of requests per minute.
    RequestsPerMinute(u32),
    /// The number of runs per day.
    RunsPerDay(u32),
    /// The number of concurrent runs.
    ConcurrentRuns(u32),
    /// The number of concurrent runs of all callers.
    GatewayRuns(u32),
}

const NO_ROUTE: &str = "Unknown path. Use POST /v1/chat/completions, /v1/responses or \
    /v1/embeddings, or GET /v1/models.";

const PROXIED: &str = "The request came through an untrusted proxy, or the proxy did not send \
    the client's address in `X-Forwarded-For`. The operator can add the proxy to \
    `gateway.trustedProxies`, or let it remove `Forwarded`, `X-Real-IP` and `X-Forwarded-*`.";

/// A quotation of a client's value. A long value is cut off.
#[derive(Debug, Clone, Copy)]
pub struct Quote<'t>(pub &'t str);

/// The maximum length of a quotation, in bytes.
const QUOTE_LIMIT: usize = 100;

impl fmt::Display for Quote<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0.floor_char_boundary(QUOTE_LIMIT);
        match self.0.split_at_checked(end) {
            Some((begin, rest)) if !rest.is_empty() => write!(f, "{begin}…"),
            Some(_) | None => f.write_str(self.0),
        }
    }
}

impl Rejection {
    /// Rejects the value of a member or header.
    pub fn invalid(param: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::Invalid {
            param: Some(param.into()),
            message: message.into(),
        }
    }

    /// Rejects a member or header that the caller may not use.
    pub fn forbidden(param: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::Forbidden { param, message }
    }

    /// Rejects a member of the wrong type.
    pub fn wrong_type(param: &'static str, expected: &str, found: Kind) -> Self {
        Self::invalid(param, format!("`{param}` must be {expected}, not {found}."))
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoute => f.write_str(NO_ROUTE),
            Self::Disabled => f.write_str(
                "This endpoint is disabled. The operator can enable it with `gateway.http.endpoints`.",
            ),
            Self::WebSocket => {
                f.write_str("This path accepts no WebSocket. Use POST, and stream the response.")
            }
            Self::Proxied => f.write_str(PROXIED),
            Self::Method(allow) => write!(f, "This path accepts {allow} only."),
            Self::Unauthorized => f.write_str(
                "Unauthorized: send the gateway's key as `Authorization: Bearer <key>`.",
            ),
            Self::Body(fault) => fault.fmt(f),
            Self::Locked(seconds) => write!(
                f,
                "Too many failed attempts from this address. Try again in {seconds} seconds.",
            ),
            Self::RateLimited { limit, retry_after } => {
                write!(f, "{limit} Try again in {retry_after} seconds.")
            }
            Self::KeyExpired => f.write_str("This API key has expired. Request a new one."),
            Self::Invalid { message, .. } | Self::Forbidden { message, .. } => f.write_str(message),
            Self::UnknownResponse => f.write_str(
                "There is no response with this `previous_response_id` to continue. Omit it, and send the conversation as `input`.",
            ),
            Self::ResponsesNotKept => f.write_str(
                "This gateway cannot continue responses. The operator can enable that with `tidegate.session.secret`. Omit `previous_response_id`, and send the conversation as `input`.",
            ),
            Self::Stored(fault) => fault.fmt(f),
            Self::UnknownAgent(agent) => {
                write!(
                    f,
                    "Unknown agent '{}'. GET /v1/models lists the agents.",
                    Quote(agent)
                )
            }
            Self::UnknownModel(model) => {
                write!(
                    f,
                    "Model '{}' not found. GET /v1/models lists the models.",
                    Quote(model)
                )
            }
        }
    }
}

impl fmt::Display for BodyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge(limit) => {
                write!(
                    f,
                    "The request body is larger than {limit} bytes. Send less."
                )
            }
            Self::TooManyValues(limit) => {
                write!(
                    f,
                    "The request body holds more than {limit} JSON values. Send less."
                )
            }
            Self::Timeout => f.write_str("The request body did not arrive in time."),
            Self::Incomplete => f.write_str("The request body is incomplete."),
            Self::Coding(coding) => write!(
                f,
                "The request body has the content coding `{coding}`. Use gzip, deflate or none."
            ),
            Self::BadCoding => {
                f.write_str("The request body does not have the format of its `Content-Encoding`.")
            }
            Self::Overloaded => f.write_str(
                "The gateway has too many large requests at the moment. Try again later.",
            ),
            Self::NotUtf8(at) => write!(
                f,
                "The request body is not UTF-8: its byte {at} is invalid. Encode it as UTF-8."
            ),
            Self::NotJson(problem) => write!(f, "The request body is not valid JSON: {problem}."),
        }
    }
}

impl fmt::Display for StoredFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoResponse(id) => {
                write!(f, "Response with id '{}' not found.", Quote(id))
            }
            Self::NotInBackground => f.write_str(
                "Only a response with `background: true` can be cancelled. To cancel another one, close its connection.",
            ),
            Self::Incomplete => f.write_str(
                "The stored response is incomplete, so it cannot be sent again.",
            ),
            Self::NoBackground => f.write_str(
                "This gateway cannot carry out runs in the background. The operator can enable that with a key-value store and `tidegate.session.secret`. Omit `background`, and stream the response.",
            ),
            Self::StoreFailed => {
                f.write_str("The gateway's key-value store has failed. Try again later.")
            }
        }
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RequestsPerMinute(limit) => {
                write!(f, "This API key is limited to {limit} requests per minute.")
            }
            Self::RunsPerDay(limit) => {
                write!(f, "This API key is limited to {limit} runs per day (UTC).")
            }
            Self::ConcurrentRuns(limit) => {
                write!(f, "This API key is limited to {limit} concurrent runs.")
            }
            Self::GatewayRuns(limit) => {
                write!(
                    f,
                    "The gateway is limited to {limit} concurrent runs. Try again later."
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_cut_off() {
        let long = "é".repeat(60);
        for (value, quoted) in [
            ("", String::new()),
            ("main", "main".to_owned()),
            (&"n".repeat(100), "n".repeat(100)),
            (&"n".repeat(101), "n".repeat(100) + "…"),
            (&format!("n{long}"), format!("n{}…", "é".repeat(49))),
        ] {
            assert_eq!(Quote(value).to_string(), quoted);
        }
    }
}
