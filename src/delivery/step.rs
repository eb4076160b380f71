//! What a reply is made of, in its order.

use crate::reply::Ending;
use crate::runtime::{self, RunEvent};

/// A step of a reply.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The events of the run that arrive together.
    Events(Vec<RunEvent>),
    /// The reply so far was sent here, in silence. Only a reply that is made again has it.
    Progress,
    /// The last step.
    Ended(Ending),
}

impl Step {
    /// Returns whether a client sees the step.
    #[must_use]
    pub fn is_visible(&self) -> bool {
        match self {
            Self::Events(events) => events.iter().any(RunEvent::is_visible),
            Self::Progress | Self::Ended(_) => true,
        }
    }
}

impl From<runtime::Step> for Step {
    fn from(step: runtime::Step) -> Self {
        match step {
            runtime::Step::Events(events) => Self::Events(events),
            runtime::Step::Ended(ended) => Self::Ended(ended.into()),
        }
    }
}
