//! A script that grows by its directives until its ending is known.

use std::mem;
use std::time::Duration;

use super::{Ending, Script};
use crate::conversation;
use crate::directive::{Directive, ENTRIES};
use crate::echo::{echo, quote};
use crate::step::{Step, words};
use crate::transcript::transcript;
use crate::types::{RunError, RunOutcome, RunRequest, StopReason, Usage};

/// The pause between two words, long enough to be seen.
pub(super) const WORD_DELAY: Duration = Duration::from_millis(50);

/// The characters of a run's name that its calls are named after.
const CALL_NAME_LENGTH: usize = 12;

/// What `/json` says.
pub(super) const JSON: &str = r#"{"answer": 42, "exact": true, "nothing": null, "list": [1, 2.5, -3e2], "quoted": "say \"hé\"\n"}"#;

/// What `/unicode` says: a word of each kind that an encoder or a terminal may
/// spoil. NUL and U+2028 must be escaped in some encodings and not in others,
/// and `\r` and `data:` would end an event of a careless stream.
pub(super) const UNICODE: &str = "Ünïcödé Ελληνικά Кириллица עברית العربية हिन्दी ไทย 日本語 한국어 𝒜𝔞 \
    e\u{301} 🙂 👩\u{200d}👩\u{200d}👧 🇨🇭 \"double\" 'single' `back` \\ back/slash </script> <!-- & &amp; \
    tab:\t nul:\u{0} bell:\u{7} escape:\u{1b} delete:\u{7f} bom:\u{feff} line:\u{2028} paragraph:\u{2029} \
    next:\u{85} carriage:\r return:\r\n break:\n\ndata: [DONE]\n\nevent: error\n\u{fffd} \u{10ffff} end";

/// A script that is being put together.
pub(super) struct Draft<'a> {
    request: &'a RunRequest,
    steps: Vec<Step>,
    calls: u32,
    close: Close,
    counting: Counting,
}

/// What a script should end with.
enum Close {
    /// Whatever its steps lead to.
    Turn,
    /// Well, even if nothing was said.
    Empty,
    /// An answer that is not whole.
    Cut(StopReason),
    /// A failure.
    Fail(RunError),
    /// Nothing.
    Vanish,
}

/// Which tokens a script reports.
enum Counting {
    /// The words that were read and written.
    Words,
    /// These.
    Fixed(Usage),
    /// None.
    Nothing,
}

impl<'a> Draft<'a> {
    /// Begins a script that does nothing yet.
    pub(super) fn new(request: &'a RunRequest) -> Self {
        Self {
            request,
            steps: Vec::new(),
            calls: 0,
            close: Close::Turn,
            counting: Counting::Words,
        }
    }

    /// Adds what a directive asks for.
    pub(super) fn add(&mut self, directive: Directive) {
        match directive {
            Directive::Help => self.steps.push(Step::Text(listed())),
            Directive::Echo(text) => self.steps.push(Step::Text(text)),
            Directive::Say(text) => self.say(text, WORD_DELAY),
            Directive::Request => self.steps.push(Step::Text(transcript(self.request))),
            Directive::Json => self.say(JSON.to_owned(), Duration::ZERO),
            Directive::Unicode => self.say(UNICODE.to_owned(), Duration::ZERO),
            Directive::Tokens { count, delay } => self.steps.push(Step::Tokens { count, delay }),
            Directive::Bytes(bytes) => self.steps.push(Step::Filling(bytes)),
            Directive::Reasoning(text) => self.steps.push(Step::Reasoning(text)),
            Directive::Tool { name, arguments } => self.call(name, arguments),
            Directive::Silence(delay) => self.steps.push(Step::Wait(delay)),
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

    /// Adds the answer to a directive that does not exist.
    pub(super) fn explain(&mut self, name: &str) {
        let name = quote(name);
        let text = format!("There is no directive {name}. These are:\n{}", listed());
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
        self.steps.push(Step::Wait(delay));
        self.say(rest, WORD_DELAY);
    }

    fn break_after(&mut self, count: u64) {
        let delay = Duration::ZERO;
        self.steps.push(Step::Tokens { count, delay });
        let log = format!("/break {count} was asked for");
        self.close = Close::Fail(RunError::Failed(log));
    }

    /// Adds the answer that is missing, and the ending.
    pub(super) fn finish(mut self) -> Script {
        let ending = match mem::replace(&mut self.close, Close::Turn) {
            Close::Turn => {
                self.answer_at_least(echo(self.request));
                self.outcome(self.stop_reason())
            }
            Close::Empty => self.outcome(self.stop_reason()),
            Close::Cut(reason) => {
                self.answer_at_least(halves(&echo(self.request)).0);
                self.outcome(reason)
            }
            Close::Fail(error) => Ending::Told(Err(error)),
            Close::Vanish => Ending::Untold,
        };
        let steps = self.steps;
        Script { steps, ending }
    }

    /// Says the text if no step is an answer.
    fn answer_at_least(&mut self, text: String) {
        if !self.steps.iter().any(Step::answers) {
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
        Ending::Told(Ok(RunOutcome { stop_reason, usage }))
    }

    fn counted(&self) -> Usage {
        let thinks = |step: &&Step| matches!(step, Step::Reasoning(_));
        let thoughts: u64 = self.steps.iter().filter(thinks).map(Step::written).sum();
        let input_tokens = conversation::words(&self.request.messages);
        let written = self.steps.iter().map(Step::written);
        let output_tokens = written.fold(0, u64::saturating_add);
        Usage {
            input_tokens,
            output_tokens,
            total_tokens: input_tokens.saturating_add(output_tokens),
            cached_input_tokens: None,
            reasoning_tokens: (thoughts > 0).then_some(thoughts),
        }
    }
}

/// Lists the directives, one a line.
fn listed() -> String {
    let lines = ENTRIES.iter();
    let lines = lines.map(|entry| format!("{}: {}\n", entry.usage, entry.meaning));
    lines.collect()
}

/// Names a call after its run: a conversation holds the calls of many runs.
fn call_id(run_id: &str, index: u32) -> String {
    let letters = run_id.chars().filter(char::is_ascii_alphanumeric);
    let mut tail: Vec<_> = letters.rev().take(CALL_NAME_LENGTH).collect();
    tail.reverse();
    format!("call_{}_{index}", tail.into_iter().collect::<String>())
}

/// Cuts a text in the middle of its words.
pub(super) fn halves(text: &str) -> (String, String) {
    let pieces: Vec<_> = words(text).collect();
    let (begin, rest) = pieces.split_at(pieces.len().div_ceil(2));
    (begin.concat(), rest.concat())
}
