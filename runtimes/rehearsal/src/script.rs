//! A request turned into what will be played: the steps, then the ending.
//!
//! Every script is bounded before it is played; one that is not becomes the
//! script of an `invalid` request.

use std::iter::Peekable;
use std::mem;
use std::time::Duration;

use crate::conversation::{self, Prompt};
use crate::directive::{Directive, ENTRIES, Misread};
use crate::echo::{echo, quote};
use crate::failure::unplayable;
use crate::step::{Beat, Step, words};
use crate::transcript::transcript;
use crate::types::{RunError, RunEvent, RunOutcome, RunRequest, StopReason, Usage};

/// The most directives of a script.
const DIRECTIVE_LIMIT: usize = 100;

/// The most counted words that a script says.
const WORD_LIMIT: u64 = 100_000;

/// The most bytes of filling that a script says.
const BYTE_LIMIT: u64 = 100_000_000;

/// The longest time that a script takes.
const TIME_LIMIT: Duration = Duration::from_secs(60 * 60);

/// The most events that are told at once.
const BATCH_LIMIT: usize = 64;

/// The pause between two words, long enough to be seen.
const WORD_DELAY: Duration = Duration::from_millis(50);

/// The characters of a run's name that its calls are named after.
const CALL_NAME_LENGTH: usize = 12;

/// What `/json` says.
const JSON: &str = r#"{"answer": 42, "exact": true, "nothing": null, "list": [1, 2.5, -3e2], "quoted": "say \"hé\"\n"}"#;

/// What `/unicode` says: a word of each kind that an encoder or a terminal may
/// spoil. NUL and U+2028 must be escaped in some encodings and not in others,
/// and `\r` and `data:` would end an event of a careless stream.
const UNICODE: &str = "Ünïcödé Ελληνικά Кириллица עברית العربية हिन्दी ไทย 日本語 한국어 𝒜𝔞 \
    e\u{301} 🙂 👩\u{200d}👩\u{200d}👧 🇨🇭 \"double\" 'single' `back` \\ back/slash </script> <!-- & &amp; \
    tab:\t nul:\u{0} bell:\u{7} escape:\u{1b} delete:\u{7f} bom:\u{feff} line:\u{2028} paragraph:\u{2029} \
    next:\u{85} carriage:\r return:\r\n break:\n\ndata: [DONE]\n\nevent: error\n\u{fffd} \u{10ffff} end";

/// All that a run will do.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// What the run does, in order.
    pub steps: Vec<Step>,
    /// What it ends with.
    pub ending: Ending,
}

/// What the caller of a run is told at its end.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// The outcome or the error.
    Told(Result<RunOutcome, RunError>),
    /// Nothing.
    Untold,
}

/// What the player does next.
#[derive(Clone, Debug, PartialEq)]
pub enum Move {
    /// Tells these events at once; there is at least one.
    Tell(Vec<RunEvent>),
    /// Lets time pass.
    Wait(Duration),
}

impl Script {
    /// Turns a request into its script.
    #[must_use]
    pub fn new(request: &RunRequest) -> Self {
        let Prompt::Said(text) = conversation::prompt(&request.messages) else {
            return Draft::new(request).finish();
        };
        let blocks = blocks(text.trim_start());
        if blocks.len() > DIRECTIVE_LIMIT {
            return Self::refused(format!(
                "A script has at most {DIRECTIVE_LIMIT} directives."
            ));
        }
        match directed(request, &blocks) {
            Ok(script) => script.limited(),
            Err(Misread::Unknown(name)) => unknown(request, &name),
            Err(Misread::Arguments { usage }) => Self::refused(format!(
                "The arguments of a directive do not fit. It is used so: {usage}"
            )),
        }
    }

    /// Returns the script as moves: events with no time between them are told
    /// together, as far as they are not too many.
    pub fn moves(&self) -> impl Iterator<Item = Move> {
        Moves(self.steps.iter().flat_map(Step::beats).peekable())
    }

    fn refused(message: String) -> Self {
        Self {
            steps: Vec::new(),
            ending: Ending::Told(Err(unplayable(message))),
        }
    }

    fn limited(self) -> Self {
        match excess(&self.steps) {
            Some(limit) => Self::refused(format!("A script {limit}.")),
            None => self,
        }
    }
}

/// Names the limit that the steps exceed, if they exceed one.
fn excess(steps: &[Step]) -> Option<String> {
    let (mut counted, mut bytes, mut time) = (0_u64, 0_u64, Duration::ZERO);
    for step in steps {
        time = time.saturating_add(step.time());
        match step {
            Step::Tokens { count, .. } => counted = counted.saturating_add(*count),
            Step::Filling(size) => bytes = bytes.saturating_add(*size),
            Step::Text(_)
            | Step::Words { .. }
            | Step::Reasoning(_)
            | Step::Call { .. }
            | Step::Wait(_) => {}
        }
    }
    if counted > WORD_LIMIT {
        return Some(format!("says at most {WORD_LIMIT} counted words"));
    }
    if bytes > BYTE_LIMIT {
        return Some(format!("says at most {BYTE_LIMIT} bytes of filling"));
    }
    (time > TIME_LIMIT).then(|| format!("takes at most {} seconds", TIME_LIMIT.as_secs()))
}

/// Cuts a script into its directives, each with the lines that continue it.
/// Text that does not begin with a directive has none.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    if !text.starts_with('/') {
        return blocks;
    }
    for line in text.split('\n') {
        match blocks.last_mut() {
            Some(block) if !line.starts_with('/') => {
                block.push('\n');
                block.push_str(line);
            }
            // A break before the next directive belongs to neither text.
            Some(block) if block.ends_with('\r') => {
                block.pop();
                blocks.push(line.to_owned());
            }
            Some(_) | None => blocks.push(line.to_owned()),
        }
    }
    blocks
}

fn directed(request: &RunRequest, blocks: &[String]) -> Result<Script, Misread> {
    let mut draft = Draft::new(request);
    for block in blocks {
        draft.add(Directive::parse(block)?);
    }
    Ok(draft.finish())
}

fn unknown(request: &RunRequest, name: &str) -> Script {
    let mut draft = Draft::new(request);
    let name = quote(name);
    let text = format!("There is no directive {name}. These are:\n{}", listed());
    draft.steps.push(Step::Text(text));
    draft.finish()
}

/// Lists the directives, one a line.
fn listed() -> String {
    let lines = ENTRIES.iter();
    let lines = lines.map(|entry| format!("{}: {}\n", entry.usage, entry.meaning));
    lines.collect()
}

/// A script that is being put together.
struct Draft<'a> {
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
    fn new(request: &'a RunRequest) -> Self {
        Self {
            request,
            steps: Vec::new(),
            calls: 0,
            close: Close::Turn,
            counting: Counting::Words,
        }
    }

    fn add(&mut self, directive: Directive) {
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

    fn finish(mut self) -> Script {
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

/// Names a call after its run: a conversation holds the calls of many runs.
fn call_id(run_id: &str, index: u32) -> String {
    let letters = run_id.chars().filter(char::is_ascii_alphanumeric);
    let mut tail: Vec<_> = letters.rev().take(CALL_NAME_LENGTH).collect();
    tail.reverse();
    format!("call_{}_{index}", tail.into_iter().collect::<String>())
}

/// Cuts a text in the middle of its words.
fn halves(text: &str) -> (String, String) {
    let pieces: Vec<_> = words(text).collect();
    let (begin, rest) = pieces.split_at(pieces.len().div_ceil(2));
    (begin.concat(), rest.concat())
}

struct Moves<I: Iterator<Item = Beat>>(Peekable<I>);

impl<I: Iterator<Item = Beat>> Moves<I> {
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

#[cfg(test)]
mod tests;
