//! Scripts: the delayed events of a run, and its ending.
//!
//! A script has limits. A larger one becomes the script of an `invalid` request.

mod builder;

use std::mem;
use std::time::Duration;

use crate::conversation::{self, Prompt};
use crate::directive::{Directive, DirectiveError};
use crate::failure::invalid_script;
use crate::step::Step;
use crate::types::{RunError, RunEvent, RunOutcome, RunRequest};

use builder::Builder;

/// The maximum number of directives.
const DIRECTIVE_LIMIT: usize = 100;

/// The maximum number of counted words.
const WORD_LIMIT: u64 = 100_000;

/// The maximum number of bytes of filler.
const BYTE_LIMIT: u64 = 100_000_000;

/// The maximum duration.
const TIME_LIMIT: Duration = Duration::from_hours(1);

/// The maximum number of events in one write.
const BATCH_LIMIT: usize = 64;

/// A script.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// The steps, in order. They produce their events when they are played.
    pub steps: Vec<Step>,
    /// The ending.
    pub ending: Ending,
}

/// How a run ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// With an outcome or an error.
    Outcome(Result<RunOutcome, RunError>),
    /// Without an outcome, as a broken runtime would.
    NoOutcome,
}

/// Events that are sent in one write after a delay.
#[derive(Clone, Debug, PartialEq)]
pub struct DelayedEvents {
    /// The delay before the write.
    pub delay: Duration,
    /// The events; at least one.
    pub batch: Vec<RunEvent>,
}

impl Script {
    /// Makes the script of a request.
    #[must_use]
    pub fn new(request: &RunRequest) -> Self {
        let Prompt::Said(text) = conversation::prompt(&request.messages) else {
            return Builder::new(request).finish();
        };
        let blocks = blocks(text.trim_start());
        if blocks.len() > DIRECTIVE_LIMIT {
            return Self::invalid(format!(
                "A script has at most {DIRECTIVE_LIMIT} directives."
            ));
        }
        match directed(request, &blocks) {
            Ok(script) => script.limited(),
            Err(DirectiveError::Unknown(name)) => unknown(request, &name),
            Err(DirectiveError::Arguments { usage }) => {
                Self::invalid(format!("Invalid arguments of a directive. Usage: {usage}"))
            }
        }
    }

    /// Returns the events. Consecutive events without a delay share a batch.
    pub fn events(&self) -> impl Iterator<Item = DelayedEvents> {
        let mut events = self.single_events().peekable();
        std::iter::from_fn(move || {
            let (delay, first) = events.next()?;
            let mut batch = vec![first];
            while batch.len() < BATCH_LIMIT
                && let Some((_, event)) = events.next_if(|(delay, _)| delay.is_zero())
            {
                batch.push(event);
            }
            Some(DelayedEvents { delay, batch })
        })
    }

    /// Returns the delay between the last event and the ending.
    #[must_use]
    pub fn final_delay(&self) -> Duration {
        let steps = self.steps.iter().rev();
        let silent = steps.take_while(|step| step.events().next().is_none());
        silent.map(Step::time).sum()
    }

    /// Returns each event with the delay before it.
    fn single_events(&self) -> impl Iterator<Item = (Duration, RunEvent)> {
        let mut steps = self.steps.iter();
        let mut current: Box<dyn Iterator<Item = (Duration, RunEvent)>> =
            Box::new(std::iter::empty());
        let mut pause = Duration::ZERO;
        std::iter::from_fn(move || {
            loop {
                if let Some((delay, event)) = current.next() {
                    return Some((delay + mem::take(&mut pause), event));
                }
                match steps.next()? {
                    Step::Pause(time) => pause = pause.saturating_add(*time),
                    step => current = step.events(),
                }
            }
        })
    }

    fn invalid(message: String) -> Self {
        Self {
            steps: Vec::new(),
            ending: Ending::Outcome(Err(invalid_script(message))),
        }
    }

    fn limited(self) -> Self {
        match exceeded_limit(&self.steps) {
            Some(limit) => Self::invalid(format!("A script {limit}.")),
            None => self,
        }
    }
}

/// Returns the limit that the steps exceed, if they exceed one.
fn exceeded_limit(steps: &[Step]) -> Option<String> {
    let (mut counted, mut bytes, mut time) = (0_u64, 0_u64, Duration::ZERO);
    for step in steps {
        time = time.saturating_add(step.time());
        match step {
            Step::Tokens { count, .. } => counted = counted.saturating_add(*count),
            Step::Filler(size) => bytes = bytes.saturating_add(*size),
            Step::Text(_)
            | Step::Words { .. }
            | Step::Reasoning(_)
            | Step::Call { .. }
            | Step::Pause(_) => {}
        }
    }
    if counted > WORD_LIMIT {
        return Some(format!("says at most {WORD_LIMIT} counted words"));
    }
    if bytes > BYTE_LIMIT {
        return Some(format!("says at most {BYTE_LIMIT} bytes of filler"));
    }
    (time > TIME_LIMIT).then(|| format!("takes at most {} seconds", TIME_LIMIT.as_secs()))
}

/// Splits a script into its directives, each with its continuation lines. Text that does
/// not begin with a directive has no blocks.
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
            // The line break before a directive belongs to neither text.
            Some(block) if block.ends_with('\r') => {
                block.pop();
                blocks.push(line.to_owned());
            }
            Some(_) | None => blocks.push(line.to_owned()),
        }
    }
    blocks
}

fn directed(request: &RunRequest, blocks: &[String]) -> Result<Script, DirectiveError> {
    let mut builder = Builder::new(request);
    for block in blocks {
        builder.add(Directive::parse(block)?);
    }
    Ok(builder.finish())
}

fn unknown(request: &RunRequest, name: &str) -> Script {
    let mut builder = Builder::new(request);
    builder.explain(name);
    builder.finish()
}

#[cfg(test)]
mod tests;
