//! The memory of a response.

use crate::inbound::Holding;
use crate::runtime::RunError;

/// The size of a response, in bytes, from which on it takes part in the budget, and by which
/// it grows there.
const STEP: usize = 64 * 1024;

/// The memory of a response, which has a limit and is a part of the instance's budget.
#[derive(Debug)]
pub(super) struct Memory {
    limit: usize,
    /// The size of the head, which is a part of the budget alone.
    head: usize,
    holding: Holding,
}

impl Memory {
    /// Begins with the maximum size of a response, in bytes.
    pub(super) fn new(limit: usize, holding: Holding) -> Self {
        let head = 0;
        Self {
            limit,
            head,
            holding,
        }
    }

    /// Adds the size of the head, in bytes.
    pub(super) fn with_head(self, head: usize) -> Self {
        Self { head, ..self }
    }

    /// Grows to the size of the response so far, in bytes.
    pub(super) fn grow_to(&mut self, size: usize) -> Result<(), RunError> {
        if size > self.limit {
            let limit = self.limit;
            let message = format!("the reply is larger than {limit} bytes");
            return Err(RunError::Failed(message));
        }
        let grown = self.holding.grow_to((self.head + size) / STEP * STEP);
        grown.map_err(|_| RunError::Failed("the memory for replies is used up".to_owned()))
    }

    /// Returns the part of the budget.
    pub(super) fn into_holding(self) -> Holding {
        self.holding
    }
}
