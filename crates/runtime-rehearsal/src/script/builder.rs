//! Builds a script from directives.

use std::mem;
use std::time::Duration;

use super::{Ending, Script};
use crate::conversation;
use crate::directive::{Directive, ENTRIES};
use crate::echo::{echo, quote};
use crate::request_dump::dump;
use crate::step::{Step, words};
use crate::types::{RunError, RunOutcome, RunRequest, StopReason, Usage};

/// The delay between two words, long enough to be visible.
pub(super) const WORD_DELAY: Duration = Duration::from_millis(50);

/// The number of characters of the run's id in the ids of its calls.
const CALL_ID_LENGTH: usize = 12;

/// The text of `/json`.
pub(super) const JSON: &str = r#"{"answer": 42, "exact": true, "nothing": null, "list": [1, 2.5, -3e2], "quoted": "say \"hé\"\n"}"#;

/// The text of `/unicode`: words that encoders and terminals often corrupt. Some
/// encodings must escape NUL and U+2028, and `\r` and `data:` end an event of an
/// incorrectly encoded stream.
pub(super) const UNICODE: &str = "Ünïcödé Ελληνικά Кириллица עברית العربية हिन्दी ไทย 日本語 한국어 𝒜𝔞 \
    e\u{301} 🙂 👩\u{200d}👩\u{200d}👧 🇨🇭 \"double\" 'single' `back` \\ back/slash </script> <!-- & &amp; \
    tab:\t nul:\u{0} bell:\u{7} escape:\u{1b} delete:\u{7f} bom:\u{feff} line:\u{2028} paragraph:\u{2029} \
    next:\u{85} carriage:\r return:\r\n break:\n\ndata: [DONE]\n\nevent: error\n\u{fffd} \u{10ffff} end";

/// A script under construction.
pub(super) struct Builder<'a> {
    request: &'a RunRequest,
    steps: Vec<Step>,
    calls: u32,
    close: Close,
    counting: Counting,
}

/// The requested ending.
enum Close {
    /// An outcome that follows from the steps.
    Turn,
    /// An outcome, even without a reply.
    Empty,
    /// An incomplete reply.
    Cut(StopReason),
    /// An error.
    Fail(RunError),
    /// No outcome.
    Vanish,
}

/// The tokens that a script reports.
enum Counting {
    /// The words of the request and the reply.
    Words,
    /// These tokens.
    Fixed(Usage),
    /// No tokens.
    Nothing,
}

impl<'a> Builder<'a> {
    /// Begins an empty script.
    pub(super) fn new(request: &'a RunRequest) -> Self {
        Self {
            request,
            steps: Vec::new(),
            calls: 0,
            close: Close::Turn,
            counting: Counting::Words,
        }
    }

    /// Adds a directive.
    pub(super) fn add(&mut self, directive: Directive) {
        match directive {
            Directive::Help => self.steps.push(Step::Text(help())),
            Directive::Echo(text) => self.steps.push(Step::Text(text)),
            Directive::Say(text) => self.say(text, WORD_DELAY),
            Directive::Request => self.steps.push(Step::Text(dump(self.request))),
            Directive::Json => self.say(JSON.to_owned(), Duration::ZERO),
            Directive::Unicode => self.say(UNICODE.to_owned(), Duration::ZERO),
            Directive::Tokens { count, delay } => self.steps.push(Step::Tokens { count, delay }),
            Directive::Bytes(bytes) => self.steps.push(Step::Filler(bytes)),
            Directive::Reasoning(text) => self.steps.push(Step::Reasoning(text)),
            Directive::Tool { name, arguments } => self.call(name, arguments),
            Directive::Silence(delay) => self.steps.push(Step::Pause(delay)),
            Directive::Stall(delay) => self.stall(delay),
            Directive::Length => self.close = Close::Cut(StopReason::MaxTokens),
            Directive::Filter => self.close = Close::Cut(StopReason::ContentFilter),
            Directive::Empty => self.close = Close::Empty,
            Directive::Usage(usage) => self.counting = Counting::Fixed(usage),
            Directive::NoUsage => self.counting = Counting::Nothing,
            Directive::Fail(error) => self.close = Close::Fail(error),
            Directive::Break(count) => self.break_after(count),
            Directive::Vanish => self.close = Close::Vanish,
        }
    }

    /// Adds the reply to an unknown directive.
    pub(super) fn explain(&mut self, name: &str) {
        let name = quote(name);
        let text = format!("Unknown directive {name}. The directives are:\n{}", help());
        self.steps.push(Step::Text(text));
    }

    fn say(&mut self, text: String, delay: Duration) {
        self.steps.push(Step::Words { text, delay });
    }

    fn call(&mut self, name: String, arguments: String) {
        let index = self.calls;
        self.calls = index.saturating_add(1);
        self.steps.push(Step::Call {
            index,
            id: call_id(&self.request.run_id, index),
            name,
            arguments,
        });
    }

    fn stall(&mut self, delay: Duration) {
        let (begin, rest) = halves(&echo(self.request));
        self.say(begin, WORD_DELAY);
        self.steps.push(Step::Pause(delay));
        self.say(rest, WORD_DELAY);
    }

    fn break_after(&mut self, count: u64) {
        let delay = Duration::ZERO;
        self.steps.push(Step::Tokens { count, delay });
        let log = format!("scripted by /break {count}");
        self.close = Close::Fail(RunError::Failed(log));
    }

    /// Adds a missing reply and the ending.
    pub(super) fn finish(mut self) -> Script {
        let ending = match mem::replace(&mut self.close, Close::Turn) {
            Close::Turn => {
                self.reply_at_least(echo(self.request));
                self.outcome(self.stop_reason())
            }
            Close::Empty => self.outcome(self.stop_reason()),
            Close::Cut(reason) => {
                self.reply_at_least(halves(&echo(self.request)).0);
                self.outcome(reason)
            }
            Close::Fail(error) => Ending::Outcome(Err(error)),
            Close::Vanish => Ending::NoOutcome,
        };
        let steps = self.steps;
        Script { steps, ending }
    }

    /// Says a text if no step is part of a reply.
    fn reply_at_least(&mut self, text: String) {
        if !self.steps.iter().any(Step::is_reply) {
            self.say(text, WORD_DELAY);
        }
    }

    fn stop_reason(&self) -> StopReason {
        match self.calls {
            0 => StopReason::EndTurn,
            _ => StopReason::ToolCalls,
        }
    }

    fn outcome(&self, stop_reason: StopReason) -> Ending {
        let usage = match &self.counting {
            Counting::Words => Some(self.counted()),
            Counting::Fixed(usage) => Some(*usage),
            Counting::Nothing => None,
        };
        Ending::Outcome(Ok(RunOutcome { stop_reason, usage }))
    }

    fn counted(&self) -> Usage {
        let is_reasoning = |step: &&Step| matches!(step, Step::Reasoning(_));
        let reasoning: u64 = self
            .steps
            .iter()
            .filter(is_reasoning)
            .map(Step::written)
            .sum();
        let input_tokens = conversation::words(&self.request.messages);
        let written = self.steps.iter().map(Step::written);
        let output_tokens = written.fold(0, u64::saturating_add);
        Usage {
            input_tokens,
            output_tokens,
            total_tokens: input_tokens.saturating_add(output_tokens),
            cached_input_tokens: None,
            reasoning_tokens: (reasoning > 0).then_some(reasoning),
        }
    }
}

/// Lists the directives, one per line.
fn help() -> String {
    let lines = ENTRIES.iter();
    let lines = lines.map(|entry| format!("{}: {}\n", entry.usage, entry.meaning));
    lines.collect()
}

/// Makes the id of a call from its run: a conversation contains the calls of many runs.
fn call_id(run_id: &str, index: u32) -> String {
    let letters = run_id.chars().filter(char::is_ascii_alphanumeric);
    let mut tail: Vec<_> = letters.rev().take(CALL_ID_LENGTH).collect();
    tail.reverse();
    format!("call_{}_{index}", tail.into_iter().collect::<String>())
}

/// Splits a text in the middle, between words.
pub(super) fn halves(text: &str) -> (String, String) {
    let pieces: Vec<_> = words(text).collect();
    let (begin, rest) = pieces.split_at(pieces.len().div_ceil(2));
    (begin.concat(), rest.concat())
}
