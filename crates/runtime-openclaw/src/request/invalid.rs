//! Errors of run requests that cannot be encoded.

use tidegate_json::RawValue;

use crate::types::{InvalidKind, InvalidRequest, RunError};

/// Makes the error of an invalid run request.
pub(super) fn malformed(message: &str) -> RunError {
    RunError::Invalid(InvalidRequest {
        kind: InvalidKind::Malformed,
        message: message.to_owned(),
        param: None,
        code: None,
    })
}

/// Checks JSON text, which is embedded unchanged.
pub(super) fn json<'t>(text: &'t str, what: &str) -> Result<&'t RawValue, RunError> {
    tidegate_json::raw(text).map_err(|_| malformed(&format!("{what} must be JSON.")))
}
