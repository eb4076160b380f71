//! How many events one read of a run takes.
//!
//! A pending read also takes the events of later writes until its task runs, so only the
//! reader can bound what it holds:
//! <https://github.com/WebAssembly/component-model/blob/main/design/mvp/Concurrency.md>.

use crate::joined::STEP_SIZE;
use crate::types::RunEvent;

/// The number of events that the next read takes: more while short events fill the reads,
/// and fewer while events are long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Batch(usize);

impl Batch {
    /// The first read.
    const FIRST: Self = Self(8);

    /// The maximum number of events.
    const MAX: usize = 64;

    /// Returns the number of events.
    pub(crate) fn len(self) -> usize {
        self.0
    }

    /// Returns the batch after these events.
    pub(crate) fn after(self, events: &[RunEvent]) -> Self {
        let size: usize = events.iter().map(RunEvent::size).sum();
        if size > STEP_SIZE {
            let average = size.div_ceil(events.len().max(1));
            return Self((STEP_SIZE / average).clamp(1, Self::MAX));
        }
        match events.len() < self.0 {
            true => self,
            false => Self((2 * self.0).min(Self::MAX)),
        }
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self::FIRST
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::text;

    fn after(batch: Batch, size: usize) -> Batch {
        batch.after(&vec![text(&"x".repeat(size)); batch.len()])
    }

    #[test]
    fn short_events_are_read_together() {
        let mut batch = Batch::default();
        for expected in [16, 32, 64, 64] {
            batch = after(batch, 5);
            assert_eq!(batch.len(), expected);
        }
        assert_eq!(batch.after(&[text("a")]), batch);
    }

    #[test]
    fn long_events_are_read_one_by_one() {
        let batch = after(Batch::default(), STEP_SIZE / 2);
        assert_eq!(batch.len(), 2);
        assert_eq!(after(batch, 10 * STEP_SIZE).len(), 1);
    }
}
