//! What a failure of the connection means for a run.

use spin_sdk::wasip3::http::types::ErrorCode;

use crate::censor::Censor;
use crate::types::RunError;

/// The most of a host's own words that goes into the log, in characters.
const DETAIL_LIMIT: usize = 200;

/// Returns how a connection that failed within the response ends a run. Such a
/// run has begun, so the server was not unreachable, whatever the code.
#[must_use]
pub fn error_within_response(code: &ErrorCode, censor: &Censor) -> RunError {
    match error_before_response(code, censor) {
        RunError::Unreachable(_) => RunError::Failed(failure(code, censor)),
        other => other,
    }
}

/// Returns how a connection that failed before the response ends a run.
///
/// Only where the request surely did not arrive is the server unreachable:
/// nothing was run then, and the caller may ask again.
#[must_use]
pub fn error_before_response(code: &ErrorCode, censor: &Censor) -> RunError {
    match code {
        ErrorCode::DnsTimeout | ErrorCode::DnsError(_) => {
            unreachable("the server's name cannot be resolved")
        }
        ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpUnroutable => unreachable("there is no way to the server"),
        ErrorCode::DestinationIpProhibited | ErrorCode::HttpRequestDenied => {
            unreachable("the host does not let this component reach the server")
        }
        ErrorCode::ConnectionRefused => unreachable("the server refuses the connection"),
        ErrorCode::ConnectionTimeout => unreachable("the server does not take the connection"),
        ErrorCode::ConnectionLimitReached => unreachable("the host has too many connections"),
        ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsAlertReceived(_) => unreachable("no secure connection to the server"),
        ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout => {
            RunError::TimedOut("the server was silent for too long".to_owned())
        }
        ErrorCode::ConnectionWriteTimeout => {
            RunError::TimedOut("the server did not take the request in time".to_owned())
        }
        other => RunError::Failed(failure(other, censor)),
    }
}

fn unreachable(why: &str) -> RunError {
    RunError::Unreachable(why.to_owned())
}

/// Names any other failure by its code; the host's own words may hold the URL.
fn failure(code: &ErrorCode, censor: &Censor) -> String {
    let detail = censor.clean(&format!("{code:?}"), DETAIL_LIMIT);
    format!("the connection to the server failed: {detail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: &ErrorCode) -> RunError {
        error_before_response(code, &Censor::default())
    }

    #[test]
    fn a_run_that_began_was_never_unreachable() {
        for code in [ErrorCode::ConnectionTimeout, ErrorCode::TlsProtocolError] {
            let error = error_within_response(&code, &Censor::default());
            assert!(matches!(error, RunError::Failed(_)), "{code:?}");
        }
        let silence = ErrorCode::ConnectionReadTimeout;
        let error = error_within_response(&silence, &Censor::default());
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
