//! The steps of a script, and the events and pauses that each is made of.
//!
//! A step is a few bytes however much it says: its events are made while they
//! are played, so 100 MB of answer never stand in memory.

use std::iter;
use std::time::Duration;

use crate::conversation::count_words;
use crate::types::{RunEvent, ToolArgumentsDelta, ToolCallStart};

/// A line of the filling that `/bytes` says.
const FILLING_LINE: &str = "abcdefghijklmnopqrstuvwxyz-0123456789-ABCDEFGHIJKLMNOPQRSTUVWXY\n";

/// The lines of filling that make one event of 1 KiB.
const FILLING_LINES: usize = 16;

/// Something that a run does.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Says a text in one event.
    Text(String),
    /// Says a text word by word.
    Words {
        /// What is said.
        text: String,
        /// The pause between two words.
        delay: Duration,
    },
    /// Says counted words: `tok0 tok1 …`.
    Tokens {
        /// How many words are said.
        count: u64,
        /// The pause between two words.
        delay: Duration,
    },
    /// Says that many bytes of filling.
    Filling(u64),
    /// Thinks a text in one event.
    Reasoning(String),
    /// Calls a tool.
    Call {
        /// The place of the call among those of the run.
        index: u32,
        /// The name that the call's result will refer to.
        id: String,
        /// The function.
        name: String,
        /// The text of the arguments, JSON or not.
        arguments: String,
    },
    /// Does nothing for that long.
    Wait(Duration),
}

/// The smallest part of a run: an event, or the time between two.
#[derive(Clone, Debug, PartialEq)]
pub enum Beat {
    /// Tells an event.
    Tell(RunEvent),
    /// Lets time pass.
    Wait(Duration),
}

impl Step {
    /// Returns what the step is made of, in order.
    pub fn beats(&self) -> Box<dyn Iterator<Item = Beat> + '_> {
        match self {
            Self::Text(text) => told(RunEvent::Text(text.clone())),
            Self::Words { text, delay } => paced(words(text).map(str::to_owned), *delay),
            Self::Tokens { count, delay } => paced(tokens(*count), *delay),
            Self::Filling(bytes) => paced(filling(*bytes), Duration::ZERO),
            Self::Reasoning(text) => told(RunEvent::Reasoning(text.clone())),
            Self::Call {
                index,
                id,
                name,
                arguments,
            } => call(*index, id, name, arguments),
            Self::Wait(delay) => Box::new(iter::once(Beat::Wait(*delay))),
        }
    }

    /// Tells whether the step is part of an answer, so that none is missing.
    #[must_use]
    pub fn answers(&self) -> bool {
        match self {
            Self::Text(_)
            | Self::Words { .. }
            | Self::Tokens { .. }
            | Self::Filling(_)
            | Self::Call { .. } => true,
            Self::Reasoning(_) | Self::Wait(_) => false,
        }
    }

    /// Counts the words that the step writes, thoughts and arguments included.
    #[must_use]
    pub fn written(&self) -> u64 {
        match self {
            Self::Text(text) | Self::Words { text, .. } | Self::Reasoning(text) => {
                count_words(text)
            }
            Self::Tokens { count, .. } => *count,
            Self::Filling(bytes) => bytes.div_ceil(FILLING_LINE.len() as u64),
            Self::Call { arguments, .. } => count_words(arguments),
            Self::Wait(_) => 0,
        }
    }

    /// Returns how long the step takes.
    #[must_use]
    pub fn time(&self) -> Duration {
        match self {
            Self::Words { text, delay } => pauses(words(text).map(|_| 1).sum(), *delay),
            Self::Tokens { count, delay } => pauses(*count, *delay),
            Self::Wait(delay) => *delay,
            Self::Text(_) | Self::Filling(_) | Self::Reasoning(_) | Self::Call { .. } => {
                Duration::ZERO
            }
        }
    }
}

/// Cuts a text behind each white space; the pieces together are the text.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(char::is_whitespace)
}

fn told<'a>(event: RunEvent) -> Box<dyn Iterator<Item = Beat> + 'a> {
    Box::new(iter::once(Beat::Tell(event)))
}

fn paced<'a>(
    pieces: impl Iterator<Item = String> + 'a,
    delay: Duration,
) -> Box<dyn Iterator<Item = Beat> + 'a> {
    Box::new(pieces.enumerate().flat_map(move |(place, piece)| {
        let pause = place > 0 && !delay.is_zero();
        let pause = pause.then_some(Beat::Wait(delay));
        pause.into_iter().chain([Beat::Tell(RunEvent::Text(piece))])
    }))
}

fn pauses(pieces: u64, delay: Duration) -> Duration {
    let pauses = u32::try_from(pieces.saturating_sub(1)).unwrap_or(u32::MAX);
    delay.saturating_mul(pauses)
}

fn tokens(count: u64) -> impl Iterator<Item = String> {
    let last = count.saturating_sub(1);
    (0..count).map(move |place| {
        let space = if place < last { " " } else { "" };
        format!("tok{place}{space}")
    })
}

fn filling(bytes: u64) -> impl Iterator<Item = String> {
    let piece = FILLING_LINE.repeat(FILLING_LINES);
    let size = piece.len() as u64;
    let whole = (0..bytes / size).map(|_| None);
    let rest = usize::try_from(bytes % size).ok().filter(|rest| *rest > 0);
    whole.chain(rest.map(Some)).map(move |cut| match cut {
        Some(rest) => piece.chars().take(rest).collect(),
        None => piece.clone(),
    })
}

fn call<'a>(
    index: u32,
    id: &str,
    name: &str,
    arguments: &'a str,
) -> Box<dyn Iterator<Item = Beat> + 'a> {
    let start = RunEvent::ToolCall(ToolCallStart {
        id: id.to_owned(),
        name: name.to_owned(),
    });
    let deltas = quarters(arguments).map(move |piece| {
        RunEvent::ToolArguments(ToolArgumentsDelta {
            index,
            json: piece.to_owned(),
        })
    });
    Box::new(iter::once(start).chain(deltas).map(Beat::Tell))
}

/// Cuts a text into at most four pieces, never inside a character.
fn quarters(text: &str) -> impl Iterator<Item = &str> {
    let size = text.len().div_ceil(4);
    let mut rest = text;
    iter::from_fn(move || {
        let (piece, later) = rest.split_at_checked(rest.ceil_char_boundary(size))?;
        rest = later;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Duration = Duration::from_millis(50);

    fn said(step: &Step) -> Vec<String> {
        let beats = step.beats();
        beats
            .filter_map(|beat| match beat {
                Beat::Tell(RunEvent::Text(text)) => Some(text),
                _ => None,
            })
            .collect()
    }

    fn arguments(text: &str) -> Vec<&str> {
        quarters(text).collect()
    }

    #[test]
    fn words_are_told_with_a_pause_between_them_and_none_around_them() {
        let text = "one two".to_owned();
        let step = Step::Words { text, delay: DELAY };
        let tell = |text: &str| Beat::Tell(RunEvent::Text(text.to_owned()));
        let expected = vec![tell("one "), Beat::Wait(DELAY), tell("two")];
        assert_eq!(step.beats().collect::<Vec<_>>(), expected);
        assert_eq!(step.time(), DELAY);
    }

    #[test]
    fn pieces_together_are_the_text() {
        for text in [
            "",
            " ",
            "a",
            " a  b\n\nc ",
            "é\u{2028}ü\u{a0}\r\n",
            "日本語",
        ] {
            assert_eq!(words(text).collect::<String>(), text, "{text:?}");
            assert_eq!(quarters(text).collect::<String>(), text, "{text:?}");
        }
    }

    #[test]
    fn arguments_come_in_at_most_four_pieces() {
        assert!(arguments("").is_empty());
        assert_eq!(arguments("{}"), ["{", "}"]);
        assert_eq!(arguments("éé"), ["é", "é"]);
        assert_eq!(
            arguments(r#"{"city":"Paris"}"#),
            ["{\"ci", "ty\":", "\"Par", "is\"}"]
        );
        assert_eq!(arguments(&"日本語".repeat(100)).len(), 4);
    }

    #[test]
    fn tokens_are_counted_from_nought() {
        let tokens = |count| Step::Tokens {
            count,
            delay: DELAY,
        };
        assert_eq!(said(&tokens(3)), ["tok0 ", "tok1 ", "tok2"]);
        assert_eq!(said(&tokens(0)), Vec::<String>::new());
        assert_eq!(tokens(3).time(), DELAY * 2);
        assert_eq!(tokens(0).time(), Duration::ZERO);
        assert_eq!(
            tokens(u64::MAX).time(),
            DELAY.saturating_mul(u32::MAX),
            "an absurd number of words is absurdly long"
        );
    }

    #[test]
    fn filling_has_exactly_the_bytes_asked_for_and_its_words_are_counted_right() {
        for bytes in [0, 1, 63, 64, 65, 1_023, 1_024, 1_025, 10_000] {
            let step = Step::Filling(bytes);
            let pieces = said(&step);
            let text = pieces.concat();
            assert_eq!(text.len() as u64, bytes);
            assert_eq!(count_words(&text), step.written(), "{bytes} bytes");
            assert!(
                pieces
                    .iter()
                    .all(|piece| (1..=1_024).contains(&piece.len()))
            );
        }
    }
}
