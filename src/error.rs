//! Everything that can go wrong, and the one place where it becomes HTTP.
//!
//! Who must act decides the kind: the caller ([`Rejection`]), the runtime
//! ([`RunError`]), or the operator. What the caller reads and what the operator
//! reads in the log are different texts: only a mistake in the caller's own
//! request is explained to the caller.
//!
//! A run is not idempotent, and OpenAI's SDKs repeat 408, 409, 429 and 5xx by
//! themselves: `x-should-retry: false` is sent whenever a run may have begun.

use http::StatusCode;
use tidegate_config::Faults;

use crate::openai::error::ErrorObject;
use crate::rejection::Rejection;
use crate::runtime::{InvalidKind, InvalidRequest, RunError};

/// Why a request has no answer.
#[derive(Debug, Clone)]
pub enum Error {
    /// The caller must change something.
    Rejected(Rejection),
    /// The runtime refused the run, or the run failed.
    Run(RunError),
    /// The configuration is faulty.
    Misconfigured(Faults),
    /// The gateway itself is at fault, while it did what the text says.
    Internal(&'static str),
}

/// An error as the client gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status of the response.
    pub status: StatusCode,
    /// The error object of the body.
    pub error: ErrorObject,
    /// The value of `Allow`.
    pub allow: Option<&'static str>,
    /// The value of `Retry-After`, in seconds.
    pub retry_after: Option<u32>,
    /// Whether a second try is safe.
    pub retry: Retry,
}

/// Whether a client may send the same request again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Nothing was run: the client may follow its own rules.
    Safe,
    /// A run may have begun: `x-should-retry: false`.
    Never,
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<RunError> for Error {
    fn from(error: RunError) -> Self {
        Self::Run(error)
    }
}

impl From<Faults> for Error {
    fn from(faults: Faults) -> Self {
        Self::Misconfigured(faults)
    }
}

impl Error {
    /// Returns what the client is told.
    #[must_use]
    pub fn answer(&self) -> Answer {
        match self {
            Self::Rejected(rejection) => rejected(rejection),
            Self::Run(error) => failed(error),
            Self::Misconfigured(_) => misconfigured(),
            Self::Internal(_) => Answer::api(StatusCode::INTERNAL_SERVER_ERROR, "internal error"),
        }
    }

    /// Returns what the operator should know beyond the answer.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Rejected(_) => None,
            Self::Misconfigured(faults) => Some(faults.to_string()),
            Self::Internal(doing) => Some((*doing).to_owned()),
            Self::Run(error) => match error {
                RunError::Unreachable(text)
                | RunError::Denied(text)
                | RunError::Misconfigured(text)
                | RunError::TimedOut(text)
                | RunError::Failed(text) => Some(text.clone()),
                RunError::Invalid(_)
                | RunError::UnknownAgent
                | RunError::Busy(_)
                | RunError::Unavailable(_)
                | RunError::ToolChoiceUnmet => None,
            },
        }
    }
}

impl Answer {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            error: ErrorObject {
                message: message.into(),
                r#type: kind,
                param: None,
                code: None,
            },
            allow: None,
            retry_after: None,
            retry: Retry::Safe,
        }
    }

    fn invalid(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(status, "invalid_request_error", message)
    }

    fn api(status: StatusCode, message: &str) -> Self {
        Self::new(status, "api_error", message)
    }

    fn never_again(mut self) -> Self {
        self.retry = Retry::Never;
        self
    }

    fn after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// OpenAI's SDKs wait for a minute at most, and for less than that if they
    /// are told more: they would come back in vain.
    fn unless_later_than_sdks_wait(self) -> Self {
        match self.retry_after {
            Some(61..) => self.never_again(),
            Some(_) | None => self,
        }
    }

    fn param(mut self, param: impl Into<String>) -> Self {
        self.error.param = Some(param.into());
        self
    }

    fn code(mut self, code: impl Into<String>) -> Self {
        self.error.code = Some(code.into());
        self
    }
}

fn rejected(rejection: &Rejection) -> Answer {
    let text = rejection.to_string();
    match rejection {
        Rejection::NoRoute | Rejection::NotOffered => {
            Answer::invalid(StatusCode::NOT_FOUND, text).code("unknown_url")
        }
        Rejection::Proxied => {
            Answer::new(StatusCode::FORBIDDEN, "proxy_attribution_required", text)
        }
        Rejection::Method(allow) => {
            let mut answer = Answer::invalid(StatusCode::METHOD_NOT_ALLOWED, text);
            answer.allow = Some(allow);
            answer.code("method_not_allowed")
        }
        Rejection::Unauthorized => {
            Answer::new(StatusCode::UNAUTHORIZED, "unauthorized", text).code("invalid_api_key")
        }
        Rejection::KeyExpired => {
            Answer::new(StatusCode::UNAUTHORIZED, "unauthorized", text).code("expired_api_key")
        }
        Rejection::Locked(seconds) => {
            Answer::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", text)
                .code("too_many_failed_attempts")
                .after(*seconds)
                .unless_later_than_sdks_wait()
        }
        Rejection::OverBudget { after, .. } => {
            Answer::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", text)
                .code("rate_limit_exceeded")
                .after(*after)
                .unless_later_than_sdks_wait()
        }
        Rejection::Forbidden { param, .. } => {
            Answer::new(StatusCode::FORBIDDEN, "forbidden", text).param(*param)
        }
        Rejection::TooLarge(_) | Rejection::TooManyValues(_) => {
            Answer::invalid(StatusCode::PAYLOAD_TOO_LARGE, text)
        }
        Rejection::BodyTimeout => Answer::invalid(StatusCode::REQUEST_TIMEOUT, text),
        Rejection::BodyBroken | Rejection::NotJson(_) => {
            Answer::invalid(StatusCode::BAD_REQUEST, text)
        }
        Rejection::Invalid { param: None, .. } => Answer::invalid(StatusCode::BAD_REQUEST, text),
        Rejection::Invalid {
            param: Some(param), ..
        } => Answer::invalid(StatusCode::BAD_REQUEST, text).param(param.clone()),
        Rejection::UnknownAgent(_) => Answer::invalid(StatusCode::BAD_REQUEST, text)
            .param("model")
            .code("model_not_found"),
        Rejection::UnknownModel(_) => Answer::invalid(StatusCode::NOT_FOUND, text)
            .param("model")
            .code("model_not_found"),
    }
}

fn failed(error: &RunError) -> Answer {
    const BUSY: &str = "The agent runtime is asked for too much at the moment.";
    let bad_gateway = |text| Answer::api(StatusCode::BAD_GATEWAY, text);
    match error {
        RunError::Invalid(invalid) => refused_by_runtime(invalid),
        RunError::UnknownAgent => Answer::invalid(
            StatusCode::BAD_REQUEST,
            "The agent runtime has no agent of this name.",
        )
        .param("model")
        .code("model_not_found"),
        RunError::Busy(after) => {
            let answer = Answer::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", BUSY);
            match after {
                Some(seconds) => answer.after(*seconds),
                None => answer.never_again(),
            }
        }
        RunError::Unavailable(Some(seconds)) => Answer::api(
            StatusCode::SERVICE_UNAVAILABLE,
            "The agent runtime is not ready at the moment.",
        )
        .after(*seconds),
        RunError::Unavailable(None) => {
            bad_gateway("The agent runtime was not able to carry out the run.").never_again()
        }
        RunError::Unreachable(_) => bad_gateway("The agent runtime cannot be reached."),
        RunError::Denied(_) => bad_gateway("The agent runtime does not accept the gateway."),
        RunError::Misconfigured(_) => misconfigured(),
        RunError::TimedOut(_) => Answer::api(
            StatusCode::GATEWAY_TIMEOUT,
            "The agent runtime did not answer in time.",
        )
        .never_again(),
        RunError::ToolChoiceUnmet => {
            bad_gateway("The agent did not call the tool that `tool_choice` requires.")
                .never_again()
        }
        RunError::Failed(_) => bad_gateway("The agent run failed.").never_again(),
    }
}

fn refused_by_runtime(invalid: &InvalidRequest) -> Answer {
    let status = match invalid.kind {
        InvalidKind::Malformed => StatusCode::BAD_REQUEST,
        InvalidKind::NotFound => StatusCode::NOT_FOUND,
        InvalidKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        InvalidKind::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let mut answer = Answer::invalid(status, invalid.message.clone());
    answer.error.param.clone_from(&invalid.param);
    answer.error.code.clone_from(&invalid.code);
    answer
}

fn misconfigured() -> Answer {
    Answer::api(
        StatusCode::INTERNAL_SERVER_ERROR,
        "The gateway is misconfigured. Its log tells the operator what to change.",
    )
    .code("misconfigured")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invalid(kind: InvalidKind) -> RunError {
        RunError::Invalid(InvalidRequest {
            kind,
            message: "Shorten it.".to_owned(),
            param: Some("messages".to_owned()),
            code: Some("context_length_exceeded".to_owned()),
        })
    }

    #[test]
    fn every_failure_of_a_run_has_its_status_and_says_if_a_second_try_is_safe() {
        let secret = || "s3cret".to_owned();
        let cases = [
            (
                invalid(InvalidKind::Malformed),
                "400 invalid_request_error - Safe",
            ),
            (
                invalid(InvalidKind::NotFound),
                "404 invalid_request_error - Safe",
            ),
            (
                invalid(InvalidKind::TooLarge),
                "413 invalid_request_error - Safe",
            ),
            (
                invalid(InvalidKind::Unprocessable),
                "422 invalid_request_error - Safe",
            ),
            (RunError::UnknownAgent, "400 invalid_request_error - Safe"),
            (RunError::Busy(Some(7)), "429 rate_limit_error 7 Safe"),
            (RunError::Busy(None), "429 rate_limit_error - Never"),
            (RunError::Unavailable(Some(1)), "503 api_error 1 Safe"),
            (RunError::Unavailable(None), "502 api_error - Never"),
            (RunError::Unreachable(secret()), "502 api_error - Safe"),
            (RunError::Denied(secret()), "502 api_error - Safe"),
            (RunError::Misconfigured(secret()), "500 api_error - Safe"),
            (RunError::TimedOut(secret()), "504 api_error - Never"),
            (RunError::ToolChoiceUnmet, "502 api_error - Never"),
            (RunError::Failed(secret()), "502 api_error - Never"),
        ];
        for (error, expected) in cases {
            let answer = Error::Run(error).answer();
            let (status, kind, retry) = (answer.status.as_u16(), answer.error.r#type, answer.retry);
            let after = answer
                .retry_after
                .map_or("-".to_owned(), |after| after.to_string());
            assert_eq!(format!("{status} {kind} {after} {retry:?}"), expected);
            assert!(!answer.error.message.contains("s3cret"), "{expected}");
        }
    }

    #[test]
    fn a_mistake_in_the_request_is_explained_in_the_runtimes_words() {
        let answer = Error::Run(invalid(InvalidKind::Malformed)).answer();
        assert_eq!(answer.error.message, "Shorten it.");
        assert_eq!(answer.error.param.as_deref(), Some("messages"));
        assert_eq!(
            answer.error.code.as_deref(),
            Some("context_length_exceeded")
        );
    }

    #[test]
    fn every_rejection_has_its_status() {
        for (rejection, status, kind) in [
            (Rejection::NoRoute, 404, "invalid_request_error"),
            (Rejection::NotOffered, 404, "invalid_request_error"),
            (Rejection::Proxied, 403, "proxy_attribution_required"),
            (Rejection::Method("POST"), 405, "invalid_request_error"),
            (Rejection::Unauthorized, 401, "unauthorized"),
            (Rejection::KeyExpired, 401, "unauthorized"),
            (Rejection::forbidden("tools", "why"), 403, "forbidden"),
            (Rejection::TooLarge(9), 413, "invalid_request_error"),
            (Rejection::TooManyValues(9), 413, "invalid_request_error"),
            (Rejection::BodyTimeout, 408, "invalid_request_error"),
            (Rejection::BodyBroken, 400, "invalid_request_error"),
            (
                Rejection::NotJson("why".to_owned()),
                400,
                "invalid_request_error",
            ),
            (
                Rejection::invalid("stop", "why"),
                400,
                "invalid_request_error",
            ),
            (
                Rejection::UnknownAgent("a".to_owned()),
                400,
                "invalid_request_error",
            ),
            (
                Rejection::UnknownModel("m".to_owned()),
                404,
                "invalid_request_error",
            ),
        ] {
            let answer = Error::from(rejection.clone()).answer();
            assert_eq!(answer.status.as_u16(), status, "{rejection:?}");
            assert_eq!(answer.error.r#type, kind, "{rejection:?}");
            assert_eq!(answer.retry, Retry::Safe, "{rejection:?}");
            assert_eq!(answer.error.message, rejection.to_string());
        }
    }

    #[test]
    fn faults_of_the_configuration_are_for_the_log_alone() {
        let faults = Faults(vec![tidegate_config::Fault {
            path: "gateway.auth.token".to_owned(),
            problem: "is missing".to_owned(),
        }]);
        let error = Error::from(faults);
        assert_eq!(error.answer().status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!error.answer().error.message.contains("auth"));
        assert_eq!(
            error.detail().as_deref(),
            Some("gateway.auth.token: is missing")
        );
    }
}
