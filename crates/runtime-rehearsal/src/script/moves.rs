//! Beats gathered into moves: what can be told at once is one write.

use std::iter::Peekable;
use std::time::Duration;

use crate::step::Beat;
use crate::types::RunEvent;

/// The most events that are told at once.
const BATCH_LIMIT: usize = 64;

/// What the player does next.
#[derive(Clone, Debug, PartialEq)]
pub enum Move {
    /// Tells these events at once; there is at least one.
    Tell(Vec<RunEvent>),
    /// Lets time pass.
    Wait(Duration),
}

/// The moves that beats make up.
pub(super) struct Moves<I: Iterator<Item = Beat>>(Peekable<I>);

impl<I: Iterator<Item = Beat>> Moves<I> {
    pub(super) fn new(beats: I) -> Self {
        Self(beats.peekable())
    }

    fn event(&mut self) -> Option<RunEvent> {
        match self.0.next_if(|beat| matches!(beat, Beat::Tell(_)))? {
            Beat::Tell(event) => Some(event),
            Beat::Wait(_) => None,
        }
    }
}

impl<I: Iterator<Item = Beat>> Iterator for Moves<I> {
    type Item = Move;

    fn next(&mut self) -> Option<Move> {
        let mut events = match self.0.next()? {
            Beat::Wait(delay) => return Some(Move::Wait(delay)),
            Beat::Tell(event) => vec![event],
        };
        while events.len() < BATCH_LIMIT
            && let Some(event) = self.event()
        {
            events.push(event);
        }
        Some(Move::Tell(events))
    }
}
