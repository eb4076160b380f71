//! What a backend answers to an operator who asks whether it works.

#[cfg(target_family = "wasm")]
mod host;

#[cfg(target_family = "wasm")]
pub use host::probe;

/// What a backend answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// It cannot be reached; the reason.
    Unreachable(String),
    /// It rejects the token.
    Denied,
    /// It does not have the endpoint.
    NoEndpoint,
    /// It answers with this status.
    Unexpected(u16),
    /// It works, and has these agents.
    Ready(Vec<String>),
}

/// Returns the fault that a status shows, if it shows one. A request without messages is a
/// client's fault for a working endpoint.
#[must_use]
pub fn fault(status: u16) -> Option<Probe> {
    match status {
        401 | 403 => Some(Probe::Denied),
        404 | 405 => Some(Probe::NoEndpoint),
        200 | 400 | 422 => None,
        other => Some(Probe::Unexpected(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_statuses_of_a_working_endpoint_show_no_fault() {
        for status in 100..600 {
            let works = matches!(status, 200 | 400 | 422);
            assert_eq!(fault(status).is_none(), works, "{status}");
        }
        assert_eq!(fault(401), Some(Probe::Denied));
        assert_eq!(fault(404), Some(Probe::NoEndpoint));
    }
}
