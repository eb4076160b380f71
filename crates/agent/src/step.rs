//! The steps of a run.

use crate::types::{RunError, RunEvent, RunOutcome};

/// How a run ended.
pub type Ending = Result<RunOutcome, RunError>;

/// A step of a run.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// The events since the last step; never empty.
    Events(Vec<RunEvent>),
    /// The end of the run, after all events.
    Ended(Ending),
}

impl Step {
    /// Returns whether the client sees anything of the step.
    #[must_use]
    pub fn is_visible(&self) -> bool {
        match self {
            Self::Events(events) => events.iter().any(RunEvent::is_visible),
            Self::Ended(_) => true,
        }
    }
}
