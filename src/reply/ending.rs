//! How the run of a reply ended.

use serde::{Deserialize, Serialize};

use crate::runtime::{RunError, RunOutcome};

/// How the run of a reply ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Ending {
    /// It succeeded, perhaps at a limit.
    Succeeded(RunOutcome),
    /// It failed.
    Failed(RunError),
    /// A client cancelled it.
    Cancelled,
}

impl Ending {
    /// Returns the outcome. In an API without cancellation, a cancelled run has failed.
    pub(super) fn into_result(self) -> Result<RunOutcome, RunError> {
        match self {
            Self::Succeeded(outcome) => Ok(outcome),
            Self::Failed(error) => Err(error),
            Self::Cancelled => Err(RunError::Failed("a client cancelled the run".to_owned())),
        }
    }
}

impl From<Result<RunOutcome, RunError>> for Ending {
    fn from(ended: Result<RunOutcome, RunError>) -> Self {
        match ended {
            Ok(outcome) => Self::Succeeded(outcome),
            Err(error) => Self::Failed(error),
        }
    }
}
