//! The response to an error: status, headers, error object.
//!
//! A run is not idempotent, and OpenAI's SDKs retry 408, 409, 429 and 5xx by
//! themselves. If a run may have started, `x-should-retry: false` prevents that.

use http::StatusCode;

use crate::openai::error::ErrorObject;
use crate::rejection::{BodyFault, Rejection, StoredFault};
use crate::runtime::{InvalidKind, InvalidRequest, RunError};

use super::Error;

/// The response to an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorResponse {
    /// The status.
    pub status: StatusCode,
    /// The error object of the body.
    pub error: ErrorObject,
    /// The value of `Allow`.
    pub allow: Option<&'static str>,
    /// The value of `Retry-After`, in seconds.
    pub retry_after: Option<u32>,
    /// Whether the client may retry.
    pub retry: Retry,
    /// Whether the client may get plain text instead of the error object.
    pub form: Form,
    /// Details for the access log. The client must not see them.
    pub detail: Option<String>,
    /// What the access log has instead of a message that may quote the conversation.
    summary: Option<&'static str>,
}

/// Whether a client may send the same request again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// No run started. The client's own rules apply.
    Safe,
    /// A run may have started: `x-should-retry: false`.
    Never,
}

/// The form of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An error object.
    Json,
    /// Plain text for a client that does not accept JSON, as OpenClaw answers a
    /// request outside of its API.
    JsonOrText,
}

impl From<Error> for ErrorResponse {
    fn from(error: Error) -> Self {
        match error {
            Error::Rejected(rejection) => rejected(&rejection),
            Error::Run(error) => failed(error),
            Error::Embeddings(error) => embeddings_failed(error),
            Error::Misconfigured(faults) => misconfigured(faults.to_string()),
            Error::Internal(operation) => {
                Self::api(StatusCode::INTERNAL_SERVER_ERROR, "internal error").detail(operation)
            }
        }
    }
}

impl ErrorResponse {
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
            form: Form::Json,
            detail: None,
            summary: None,
        }
    }

    /// Returns the message for the access log, which has no text of a conversation.
    #[must_use]
    pub fn log_message(&self) -> &str {
        self.summary.unwrap_or(&self.error.message)
    }

    fn invalid(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(status, "invalid_request_error", message)
    }

    fn api(status: StatusCode, message: &str) -> Self {
        Self::new(status, "api_error", message)
    }

    fn never_retry(mut self) -> Self {
        self.retry = Retry::Never;
        self
    }

    /// Sets `Retry-After`. OpenAI's SDKs wait for at most a minute. With a later time they
    /// retry too early, so they must not retry at all.
    fn after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        match seconds {
            61.. => self.never_retry(),
            ..=60 => self,
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

    fn allow(mut self, methods: &'static str) -> Self {
        self.allow = Some(methods);
        self
    }

    fn or_text(mut self) -> Self {
        self.form = Form::JsonOrText;
        self
    }

    fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

fn rejected(rejection: &Rejection) -> ErrorResponse {
    let text = rejection.to_string();
    let invalid = |status| ErrorResponse::invalid(status, text.clone());
    match rejection {
        Rejection::NoRoute | Rejection::Disabled => {
            invalid(StatusCode::NOT_FOUND).code("unknown_url").or_text()
        }
        Rejection::WebSocket => {
            invalid(StatusCode::UPGRADE_REQUIRED).code("websocket_not_supported")
        }
        Rejection::Method(allow) => invalid(StatusCode::METHOD_NOT_ALLOWED)
            .code("method_not_allowed")
            .allow(allow)
            .or_text(),
        Rejection::Proxied => forbidden("proxy_attribution_required", text),
        Rejection::Forbidden { param, .. } => forbidden("forbidden", text).param(*param),
        Rejection::Unauthorized => unauthorized("invalid_api_key", text),
        Rejection::KeyExpired => unauthorized("expired_api_key", text),
        Rejection::Locked(seconds) => {
            limited("rate_limited", text, *seconds).code("too_many_failed_attempts")
        }
        Rejection::RateLimited { retry_after, .. } => {
            limited("rate_limit_error", text, *retry_after).code("rate_limit_exceeded")
        }
        Rejection::Body(fault) => unreadable(fault, text),
        Rejection::Invalid { param: None, .. } => invalid(StatusCode::BAD_REQUEST),
        Rejection::Invalid {
            param: Some(param), ..
        } => invalid(StatusCode::BAD_REQUEST).param(param.clone()),
        Rejection::UnknownResponse | Rejection::ResponsesNotKept => {
            invalid(StatusCode::BAD_REQUEST)
                .param("previous_response_id")
                .code("previous_response_not_found")
        }
        Rejection::Stored(fault) => stored(fault, text),
        Rejection::UnknownAgent(_) => unknown_model(StatusCode::BAD_REQUEST, text),
        Rejection::UnknownModel(_) => unknown_model(StatusCode::NOT_FOUND, text),
    }
}

fn stored(fault: &StoredFault, text: String) -> ErrorResponse {
    let status = match fault {
        StoredFault::NoResponse(_) => StatusCode::NOT_FOUND,
        StoredFault::NotInBackground | StoredFault::NoBackground => StatusCode::BAD_REQUEST,
        StoredFault::Incomplete => StatusCode::GONE,
        StoredFault::StoreFailed => {
            return ErrorResponse::api(StatusCode::SERVICE_UNAVAILABLE, &text)
                .code("store_failed")
                .after(1);
        }
    };
    let response = ErrorResponse::invalid(status, text);
    match fault {
        StoredFault::NoResponse(_) => response.code("response_not_found"),
        StoredFault::NoBackground => response
            .param("background")
            .code("background_not_available"),
        StoredFault::Incomplete => response.code("response_incomplete"),
        StoredFault::NotInBackground | StoredFault::StoreFailed => response,
    }
}

fn unreadable(fault: &BodyFault, text: String) -> ErrorResponse {
    let status = match fault {
        BodyFault::TooLarge(_) | BodyFault::TooManyValues(_) => StatusCode::PAYLOAD_TOO_LARGE,
        BodyFault::Timeout => StatusCode::REQUEST_TIMEOUT,
        BodyFault::Coding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        BodyFault::Overloaded => {
            return ErrorResponse::api(StatusCode::SERVICE_UNAVAILABLE, &text)
                .code("overloaded")
                .after(1);
        }
        BodyFault::BadCoding
        | BodyFault::Incomplete
        | BodyFault::NotUtf8(_)
        | BodyFault::NotJson(_) => StatusCode::BAD_REQUEST,
    };
    ErrorResponse::invalid(status, text)
}

fn unauthorized(code: &str, text: String) -> ErrorResponse {
    ErrorResponse::new(StatusCode::UNAUTHORIZED, "unauthorized", text).code(code)
}

fn forbidden(kind: &'static str, text: String) -> ErrorResponse {
    ErrorResponse::new(StatusCode::FORBIDDEN, kind, text)
}

fn limited(kind: &'static str, text: String, retry_after: u32) -> ErrorResponse {
    ErrorResponse::new(StatusCode::TOO_MANY_REQUESTS, kind, text).after(retry_after)
}

fn unknown_model(status: StatusCode, text: String) -> ErrorResponse {
    ErrorResponse::invalid(status, text)
        .param("model")
        .code("model_not_found")
}

fn failed(error: RunError) -> ErrorResponse {
    let bad_gateway = |text| ErrorResponse::api(StatusCode::BAD_GATEWAY, text);
    match error {
        RunError::Invalid(invalid) => refused_by_runtime(invalid),
        RunError::UnknownAgent => ErrorResponse::invalid(
            StatusCode::BAD_REQUEST,
            "The agent runtime has no agent with this name.",
        )
        .param("model")
        .code("model_not_found"),
        RunError::Busy(retry_after) => busy(retry_after),
        RunError::Unavailable(Some(seconds)) => ErrorResponse::api(
            StatusCode::SERVICE_UNAVAILABLE,
            "The agent runtime is not ready. Try again later.",
        )
        .after(seconds),
        RunError::Unavailable(None) => {
            bad_gateway("The agent runtime was not able to carry out the run.").never_retry()
        }
        RunError::Unreachable(detail) => {
            bad_gateway("The agent runtime cannot be reached.").detail(detail)
        }
        RunError::Denied(detail) => {
            bad_gateway("The agent runtime rejects the gateway's credential.").detail(detail)
        }
        RunError::Misconfigured(detail) => misconfigured(detail),
        RunError::TimedOut(detail) => ErrorResponse::api(
            StatusCode::GATEWAY_TIMEOUT,
            "The agent runtime did not answer in time.",
        )
        .never_retry()
        .detail(detail),
        RunError::ToolChoiceUnmet => {
            bad_gateway("The agent did not call the tool that `tool_choice` requires.")
                .never_retry()
        }
        RunError::Failed(detail) => bad_gateway("The agent run failed.")
            .never_retry()
            .detail(detail),
    }
}

/// Embeddings have no effects, so a client may repeat a request that may have begun.
fn embeddings_failed(error: RunError) -> ErrorResponse {
    let text = "The agent runtime was not able to compute the embeddings.";
    let bad_gateway = || ErrorResponse::api(StatusCode::BAD_GATEWAY, text);
    let response = match error {
        RunError::Failed(detail) => bad_gateway().detail(detail),
        RunError::Unavailable(None) => bad_gateway(),
        other => failed(other),
    };
    match response.retry_after {
        Some(61..) => response,
        Some(..=60) | None => ErrorResponse {
            retry: Retry::Safe,
            ..response
        },
    }
}

fn busy(retry_after: Option<u32>) -> ErrorResponse {
    let response = ErrorResponse::new(
        StatusCode::TOO_MANY_REQUESTS,
        "rate_limit_error",
        "The agent runtime is overloaded or rate-limited. Try again later.",
    );
    match retry_after {
        Some(seconds) => response.after(seconds),
        None => response.never_retry(),
    }
}

fn refused_by_runtime(invalid: InvalidRequest) -> ErrorResponse {
    let status = match invalid.kind {
        InvalidKind::Malformed => StatusCode::BAD_REQUEST,
        InvalidKind::NotFound => StatusCode::NOT_FOUND,
        InvalidKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        InvalidKind::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let mut response = ErrorResponse::invalid(status, invalid.message);
    response.summary = Some("The agent runtime rejects the request.");
    response.error.param = invalid.param;
    response.error.code = invalid.code;
    response
}

fn misconfigured(faults: String) -> ErrorResponse {
    ErrorResponse::api(
        StatusCode::INTERNAL_SERVER_ERROR,
        "The gateway is misconfigured. Its log lists the faults.",
    )
    .code("misconfigured")
    .detail(faults)
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
    fn a_client_may_repeat_a_request_for_embeddings() {
        let response = |error| ErrorResponse::from(Error::Embeddings(error));
        for (error, status) in [
            (RunError::Failed("s3cret".to_owned()), 502),
            (RunError::Unavailable(None), 502),
            (RunError::TimedOut("s3cret".to_owned()), 504),
            (RunError::Busy(None), 429),
            (RunError::no_embeddings(), 404),
        ] {
            let response = response(error);
            assert_eq!(
                (response.status.as_u16(), response.retry),
                (status, Retry::Safe)
            );
            assert!(!response.error.message.contains("s3cret"));
        }
        assert_eq!(response(RunError::Busy(Some(61))).retry, Retry::Never);
        let missing = response(RunError::no_embeddings());
        assert_eq!(missing.error.code.as_deref(), Some("unknown_url"));
    }

    #[test]
    fn every_run_error_has_its_status_and_retry_rule() {
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
            let response = ErrorResponse::from(Error::Run(error));
            let (status, kind) = (response.status.as_u16(), response.error.r#type);
            let retry = response.retry;
            let after = response
                .retry_after
                .map_or("-".to_owned(), |after| after.to_string());
            assert_eq!(format!("{status} {kind} {after} {retry:?}"), expected);
            assert!(!response.error.message.contains("s3cret"), "{expected}");
        }
    }

    #[test]
    fn the_client_reads_the_runtimes_message_about_its_request() {
        let response = ErrorResponse::from(Error::Run(invalid(InvalidKind::Malformed)));
        assert_eq!(response.error.message, "Shorten it.");
        assert_eq!(response.error.param.as_deref(), Some("messages"));
        assert_eq!(
            response.error.code.as_deref(),
            Some("context_length_exceeded")
        );
    }

    #[test]
    fn every_rejection_has_its_status() {
        for (rejection, status, kind) in [
            (Rejection::NoRoute, 404, "invalid_request_error"),
            (Rejection::Disabled, 404, "invalid_request_error"),
            (Rejection::Proxied, 403, "proxy_attribution_required"),
            (Rejection::Method("POST"), 405, "invalid_request_error"),
            (Rejection::WebSocket, 426, "invalid_request_error"),
            (Rejection::UnknownResponse, 400, "invalid_request_error"),
            (Rejection::ResponsesNotKept, 400, "invalid_request_error"),
            (Rejection::Unauthorized, 401, "unauthorized"),
            (Rejection::KeyExpired, 401, "unauthorized"),
            (Rejection::forbidden("tools", "why"), 403, "forbidden"),
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
            let response = ErrorResponse::from(Error::from(rejection.clone()));
            assert_eq!(response.status.as_u16(), status, "{rejection:?}");
            assert_eq!(response.error.r#type, kind, "{rejection:?}");
            assert_eq!(response.retry, Retry::Safe, "{rejection:?}");
            assert_eq!(response.error.message, rejection.to_string());
        }
    }

    #[test]
    fn every_fault_of_a_body_has_its_status() {
        for (fault, status) in [
            (BodyFault::TooLarge(9), 413),
            (BodyFault::TooManyValues(9), 413),
            (BodyFault::Timeout, 408),
            (BodyFault::Incomplete, 400),
            (BodyFault::Coding("br".to_owned()), 415),
            (BodyFault::NotUtf8(7), 400),
            (BodyFault::NotJson("why".to_owned()), 400),
        ] {
            let response = ErrorResponse::from(Error::from(Rejection::Body(fault.clone())));
            assert_eq!(response.status.as_u16(), status, "{fault:?}");
            assert_eq!(response.retry, Retry::Safe, "{fault:?}");
            assert_eq!(response.error.message, fault.to_string());
        }
    }

    #[test]
    fn only_the_log_lists_configuration_faults() {
        let faults = tidegate_config::Faults(vec![tidegate_config::Fault {
            path: "gateway.auth.token".to_owned(),
            problem: "is missing".to_owned(),
        }]);
        let response = ErrorResponse::from(Error::from(faults));
        assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!response.error.message.contains("auth"));
        let detail = response.detail.as_deref();
        assert_eq!(detail, Some("gateway.auth.token: is missing"));
    }
}
