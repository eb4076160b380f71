//! A request turned into what will be played: the steps, then the ending.
//!
//! Every script is bounded before it is played; one that is not becomes the
//! script of an `invalid` request.

mod draft;
mod moves;

use std::time::Duration;

use crate::conversation::{self, Prompt};
use crate::directive::{Directive, Misread};
use crate::failure::unplayable;
use crate::step::Step;
use crate::types::{RunError, RunOutcome, RunRequest};

use draft::Draft;
pub use moves::Move;
use moves::Moves;

/// The most directives of a script.
const DIRECTIVE_LIMIT: usize = 100;

/// The most counted words that a script says.
const WORD_LIMIT: u64 = 100_000;

/// The most bytes of filling that a script says.
const BYTE_LIMIT: u64 = 100_000_000;

/// The longest time that a script takes.
const TIME_LIMIT: Duration = Duration::from_secs(60 * 60);

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
        Moves::new(self.steps.iter().flat_map(Step::beats))
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
    draft.explain(name);
    draft.finish()
}

#[cfg(test)]
mod tests;
