//! Errors, and the one place that turns them into HTTP.
//!
//! The kind of an error says who must act: the client ([`Rejection`]), the runtime
//! ([`RunError`]), or the operator. The client and the operator read different
//! texts: the client learns about faults of its own request only, and the access
//! log has the rest.

mod response;

pub use response::{ErrorResponse, Form, Retry};

use tidegate_config::Faults;

use crate::rejection::{Rejection, StoredFault};
use crate::runtime::RunError;

/// Why a request fails.
#[derive(Debug, Clone)]
pub enum Error {
    /// The client must change the request.
    Rejected(Rejection),
    /// The runtime refused the run, or the run failed.
    Run(RunError),
    /// The runtime did not compute embeddings. A repetition has no effects.
    Embeddings(RunError),
    /// The configuration has faults.
    Misconfigured(Faults),
    /// The gateway has a defect; the text says in which operation.
    Internal(&'static str),
}

impl From<StoredFault> for Error {
    fn from(fault: StoredFault) -> Self {
        Self::Rejected(fault.into())
    }
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
