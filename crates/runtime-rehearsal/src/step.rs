//! The steps of a script, and their events.
//!
//! A step produces its events when it is played, so a reply of 100 MB never is in memory.

use std::iter;
use std::time::Duration;

use crate::conversation::count_words;
use crate::types::{RunEvent, ToolArgumentsDelta, ToolCallStart};

/// A line of filler, the text of `/bytes`.
const FILLER_LINE: &str = "abcdefghijklmnopqrstuvwxyz-0123456789-ABCDEFGHIJKLMNOPQRSTUVWXY\n";

/// The lines of filler in one event of 1 KiB.
const FILLER_LINES: usize = 16;

/// A step of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Says a text in one event.
    Text(String),
    /// Says a text word by word.
    Words {
        /// The text.
        text: String,
        /// The delay between two words.
        delay: Duration,
    },
    /// Says counted words: `tok0 tok1 …`.
    Tokens {
        /// The number of words.
        count: u64,
        /// The delay between two words.
        delay: Duration,
    },
    /// Says this number of bytes of filler.
    Filler(u64),
    /// Reasons a text in one event.
    Reasoning(String),
    /// Calls a tool.
    Call {
        /// The index of the call in the run.
        index: u32,
        /// The id that the call's result refers to.
        id: String,
        /// The function.
        name: String,
        /// The arguments, JSON or not.
        arguments: String,
    },
    /// Waits.
    Pause(Duration),
}

/// The events of a step, each with the delay before it.
type Events<'a> = Box<dyn Iterator<Item = (Duration, RunEvent)> + 'a>;

impl Step {
    /// Returns the events of the step, each with the delay before it. A pause has no
    /// events.
    #[must_use]
    pub fn events(&self) -> Events<'_> {
        match self {
            Self::Text(text) => single(RunEvent::Text(text.clone())),
            Self::Words { text, delay } => paced(words(text).map(str::to_owned), *delay),
            Self::Tokens { count, delay } => paced(tokens(*count), *delay),
            Self::Filler(bytes) => paced(filler(*bytes), Duration::ZERO),
            Self::Reasoning(text) => single(RunEvent::Reasoning(text.clone())),
            Self::Call {
                index,
                id,
                name,
                arguments,
            } => call(*index, id, name, arguments),
            Self::Pause(_) => Box::new(iter::empty()),
        }
    }

    /// Returns whether the step is part of a reply.
    #[must_use]
    pub fn is_reply(&self) -> bool {
        match self {
            Self::Text(_)
            | Self::Words { .. }
            | Self::Tokens { .. }
            | Self::Filler(_)
            | Self::Call { .. } => true,
            Self::Reasoning(_) | Self::Pause(_) => false,
        }
    }

    /// Counts the words of the step, including reasoning and arguments.
    #[must_use]
    pub fn written(&self) -> u64 {
        match self {
            Self::Text(text) | Self::Words { text, .. } | Self::Reasoning(text) => {
                count_words(text)
            }
            Self::Tokens { count, .. } => *count,
            Self::Filler(bytes) => bytes.div_ceil(FILLER_LINE.len() as u64),
            Self::Call { arguments, .. } => count_words(arguments),
            Self::Pause(_) => 0,
        }
    }

    /// Returns the duration of the step.
    #[must_use]
    pub fn time(&self) -> Duration {
        match self {
            Self::Words { text, delay } => pauses(words(text).map(|_| 1).sum(), *delay),
            Self::Tokens { count, delay } => pauses(*count, *delay),
            Self::Pause(delay) => *delay,
            Self::Text(_) | Self::Filler(_) | Self::Reasoning(_) | Self::Call { .. } => {
                Duration::ZERO
            }
        }
    }
}

/// Splits a text after each white space.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(char::is_whitespace)
}

fn single<'a>(event: RunEvent) -> Events<'a> {
    Box::new(iter::once((Duration::ZERO, event)))
}

fn paced<'a>(texts: impl Iterator<Item = String> + 'a, delay: Duration) -> Events<'a> {
    Box::new(texts.enumerate().map(move |(n, text)| {
        let delay = if n == 0 { Duration::ZERO } else { delay };
        (delay, RunEvent::Text(text))
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

fn filler(bytes: u64) -> impl Iterator<Item = String> {
    let piece = FILLER_LINE.repeat(FILLER_LINES);
    let size = piece.len() as u64;
    let whole = (0..bytes / size).map(|_| None);
    let rest = usize::try_from(bytes % size).ok().filter(|rest| *rest > 0);
    whole.chain(rest.map(Some)).map(move |cut| match cut {
        Some(rest) => piece.chars().take(rest).collect(),
        None => piece.clone(),
    })
}

fn call<'a>(index: u32, id: &str, name: &str, arguments: &'a str) -> Events<'a> {
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
    let events = iter::once(start).chain(deltas);
    Box::new(events.map(|event| (Duration::ZERO, event)))
}

/// Splits a text into at most four parts, never inside a character.
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

    fn texts(step: &Step) -> Vec<String> {
        let events = step.events();
        events
            .filter_map(|(_, event)| match event {
                RunEvent::Text(text) => Some(text),
                _ => None,
            })
            .collect()
    }

    fn arguments(text: &str) -> Vec<&str> {
        quarters(text).collect()
    }

    #[test]
    fn words_have_a_delay_between_them_only() {
        let text = "one two".to_owned();
        let step = Step::Words { text, delay: DELAY };
        let word = |text: &str| RunEvent::Text(text.to_owned());
        let expected = vec![(Duration::ZERO, word("one ")), (DELAY, word("two"))];
        assert_eq!(step.events().collect::<Vec<_>>(), expected);
        assert_eq!(step.time(), DELAY);
    }

    #[test]
    fn splitting_loses_no_text() {
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
    fn arguments_have_at_most_four_parts() {
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
    fn tokens_are_numbered_from_zero() {
        let tokens = |count| Step::Tokens {
            count,
            delay: DELAY,
        };
        assert_eq!(texts(&tokens(3)), ["tok0 ", "tok1 ", "tok2"]);
        assert_eq!(texts(&tokens(0)), Vec::<String>::new());
        assert_eq!(tokens(3).time(), DELAY * 2);
        assert_eq!(tokens(0).time(), Duration::ZERO);
        assert_eq!(
            tokens(u64::MAX).time(),
            DELAY.saturating_mul(u32::MAX),
            "an absurd number of words is absurdly long"
        );
    }

    #[test]
    fn filler_has_the_requested_bytes_and_the_counted_words() {
        for bytes in [0, 1, 63, 64, 65, 1_023, 1_024, 1_025, 10_000] {
            let step = Step::Filler(bytes);
            let pieces = texts(&step);
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
