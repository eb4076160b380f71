//! The lines of a log.

use serde::{Deserialize, Serialize};

use crate::runtime::{RunError, RunEvent, RunOutcome};

/// A line of a log after the head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Entry {
    /// An event of the run.
    #[serde(rename = "e")]
    Event(RunEvent),
    /// The reply so far was sent to a client in silence. It takes part in the numbers of
    /// events.
    #[serde(rename = "p")]
    Progress,
    /// The last line.
    #[serde(rename = "end")]
    End(End),
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// The time, in seconds since 1970.
    pub at: u64,
    /// How the run ended.
    pub ending: Ending,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Ending {
    /// It succeeded, perhaps at a limit.
    Succeeded(RunOutcome),
    /// It failed.
    Failed(RunError),
    /// A client cancelled it.
    Cancelled,
}

impl From<Result<RunOutcome, RunError>> for Ending {
    fn from(ended: Result<RunOutcome, RunError>) -> Self {
        match ended {
            Ok(outcome) => Self::Succeeded(outcome),
            Err(error) => Self::Failed(error),
        }
    }
}

impl Entry {
    /// Returns the entry as a line of JSON, which contains no line break.
    #[must_use]
    pub(super) fn line(value: &impl Serialize) -> Option<Vec<u8>> {
        let mut line = serde_json::to_vec(value).ok()?;
        line.push(b'\n');
        Some(line)
    }
}
