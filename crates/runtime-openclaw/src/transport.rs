//! The run errors of failed connections.

use spin_sdk::wasip3::http::types::ErrorCode;

use crate::redactor::Redactor;
use crate::types::RunError;

/// The maximum length of a host's message in the log, in characters.
const DETAIL_LIMIT: usize = 200;

/// Returns the run error of a connection that failed during the response. The run has begun,
/// so the backend was reachable, whatever the code.
#[must_use]
pub fn error_within_response(code: &ErrorCode, redactor: &Redactor) -> RunError {
    match error_before_response(code, redactor) {
        RunError::Unreachable(_) => RunError::Failed(failure(code, redactor)),
        other => other,
    }
}

/// Returns the run error of a connection that failed before the response.
///
/// A backend is unreachable only if the request certainly did not arrive. Then no run began,
/// and the caller may retry.
#[must_use]
pub fn error_before_response(code: &ErrorCode, redactor: &Redactor) -> RunError {
    match code {
        ErrorCode::DnsTimeout | ErrorCode::DnsError(_) => {
            unreachable("the backend's name cannot be resolved")
        }
        ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpUnroutable => unreachable("there is no route to the backend"),
        ErrorCode::DestinationIpProhibited | ErrorCode::HttpRequestDenied => {
            unreachable("the host does not allow connections to the backend")
        }
        ErrorCode::ConnectionRefused => unreachable("the backend refuses the connection"),
        ErrorCode::ConnectionTimeout => {
            unreachable("the backend did not accept the connection in time")
        }
        ErrorCode::ConnectionLimitReached => unreachable("the host has too many connections"),
        ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsAlertReceived(_) => unreachable("the TLS connection to the backend failed"),
        ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout => {
            RunError::TimedOut("the backend was silent for too long".to_owned())
        }
        ErrorCode::ConnectionWriteTimeout => {
            RunError::TimedOut("the backend did not read the request in time".to_owned())
        }
        other => RunError::Failed(failure(other, redactor)),
    }
}

fn unreachable(why: &str) -> RunError {
    RunError::Unreachable(why.to_owned())
}

/// Describes another failure by its code. The host's message may contain the URL.
fn failure(code: &ErrorCode, redactor: &Redactor) -> String {
    let detail = redactor.clean(&format!("{code:?}"), DETAIL_LIMIT);
    format!("the connection to the backend failed: {detail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: &ErrorCode) -> RunError {
        error_before_response(code, &Redactor::default())
    }

    #[test]
    fn a_run_that_began_is_never_unreachable() {
        for code in [ErrorCode::ConnectionTimeout, ErrorCode::TlsProtocolError] {
            let error = error_within_response(&code, &Redactor::default());
            assert!(matches!(error, RunError::Failed(_)), "{code:?}");
        }
        let silence = ErrorCode::ConnectionReadTimeout;
        let error = error_within_response(&silence, &Redactor::default());
        assert!(matches!(error, RunError::TimedOut(_)));
    }

    #[test]
    fn a_request_that_did_not_arrive_is_unreachable() {
        let codes = [
            ErrorCode::DnsTimeout,
            ErrorCode::DestinationNotFound,
            ErrorCode::DestinationUnavailable,
            ErrorCode::DestinationIpProhibited,
            ErrorCode::DestinationIpUnroutable,
            ErrorCode::ConnectionRefused,
            ErrorCode::ConnectionTimeout,
            ErrorCode::ConnectionLimitReached,
            ErrorCode::TlsProtocolError,
            ErrorCode::TlsCertificateError,
            ErrorCode::HttpRequestDenied,
        ];
        for code in codes {
            assert!(matches!(error(&code), RunError::Unreachable(_)), "{code:?}");
        }
    }

    #[test]
    fn a_request_that_may_have_arrived_is_not() {
        let timeouts = [
            ErrorCode::ConnectionReadTimeout,
            ErrorCode::ConnectionWriteTimeout,
            ErrorCode::HttpResponseTimeout,
        ];
        for code in timeouts {
            assert!(matches!(error(&code), RunError::TimedOut(_)), "{code:?}");
        }
        let failures = [
            ErrorCode::ConnectionTerminated,
            ErrorCode::HttpResponseIncomplete,
            ErrorCode::HttpProtocolError,
            ErrorCode::InternalError(None),
        ];
        for code in failures {
            assert!(matches!(error(&code), RunError::Failed(_)), "{code:?}");
        }
    }
}
