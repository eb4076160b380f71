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
