//! The directives, each with its usage, its meaning and how it is read.

use std::time::Duration;

use tidegate_config::parse_duration;

use crate::failure;
use crate::types::{RunError, Usage};

/// The words that `/break` says if it is not told how many.
const BREAK_WORDS: u64 = 3;

/// One instruction of a script.
#[derive(Clone, Debug, PartialEq)]
pub enum Directive {
    /// Lists the directives.
    Help,
    /// Says a text in one event.
    Echo(String),
    /// Says a text word by word.
    Say(String),
    /// Says what arrived.
    Request,
    /// Says a JSON object.
    Json,
    /// Says what is hard to carry.
    Unicode,
    /// Says counted words.
    Tokens {
        /// How many words are said.
        count: u64,
        /// The pause between two words.
        delay: Duration,
    },
    /// Says that many bytes.
    Bytes(u64),
    /// Thinks a text.
    Reasoning(String),
    /// Calls a tool.
    Tool {
        /// The function, offered or not.
        name: String,
        /// The text of the arguments, JSON or not.
        arguments: String,
    },
    /// Says nothing for that long.
    Silence(Duration),
    /// Says nothing for that long in the middle of the echo.
    Stall(Duration),
    /// Ends at a limit of tokens.
    Length,
    /// Ends at a filter.
    Filter,
    /// Ends with nothing said.
    Empty,
    /// Reports these tokens.
    Usage(Usage),
    /// Reports no tokens.
    NoUsage,
    /// Fails.
    Fail(RunError),
    /// Says that many words and breaks.
    Break(u64),
    /// Ends without an outcome.
    Vanish,
}

/// Why a directive cannot be played.
#[derive(Clone, Debug, PartialEq)]
pub enum Misread {
    /// There is no directive of that name.
    Unknown(String),
    /// The arguments do not fit; this is how they should be written.
    Arguments {
        /// The directive with its arguments.
        usage: &'static str,
    },
}

/// A directive as `/help` shows it.
pub(crate) struct Entry {
    /// The directive with its arguments.
    pub(crate) usage: &'static str,
    /// What the run does, in a sentence.
    pub(crate) meaning: &'static str,
    read: fn(&str) -> Option<Directive>,
}

impl Entry {
    fn name(&self) -> &'static str {
        word(self.usage).0
    }
}

/// All directives, in the order in which they are listed.
pub(crate) const ENTRIES: &[Entry] = &[
    Entry {
        usage: "/help",
        meaning: "Lists the directives.",
        read: |_| Some(Directive::Help),
    },
    Entry {
        usage: "/echo text",
        meaning: "Says exactly that text, in one event.",
        read: |text| Some(Directive::Echo(text.to_owned())),
    },
    Entry {
        usage: "/say text",
        meaning: "Says the text word by word, as an agent does before it calls a tool.",
        read: |text| Some(Directive::Say(text.to_owned())),
    },
    Entry {
        usage: "/request",
        meaning: "Says the whole request that arrived, as JSON.",
        read: |_| Some(Directive::Request),
    },
    Entry {
        usage: "/json",
        meaning: "Says a JSON object.",
        read: |_| Some(Directive::Json),
    },
    Entry {
        usage: "/unicode",
        meaning: "Says what is hard to carry: many scripts, emoji, quotes, control characters, markup.",
        read: |_| Some(Directive::Unicode),
    },
    Entry {
        usage: "/tokens N [delay]",
        meaning: "Says N words, tok0 tok1 and so on, with the delay between them.",
        read: tokens,
    },
    Entry {
        usage: "/bytes N",
        meaning: "Says N bytes, in pieces of 1 KiB.",
        read: |text| sole(text)?.parse().ok().map(Directive::Bytes),
    },
    Entry {
        usage: "/reasoning text",
        meaning: "Thinks the text, then goes on.",
        read: |text| Some(Directive::Reasoning(text.to_owned())),
    },
    Entry {
        usage: "/tool name {json}",
        meaning: "Calls the tool, its arguments in four pieces; several lines are parallel calls.",
        read: tool,
    },
    Entry {
        usage: "/silence delay",
        meaning: "Says nothing for that long, then goes on.",
        read: |text| parse_duration(sole(text)?).map(Directive::Silence),
    },
    Entry {
        usage: "/stall delay",
        meaning: "Says half of the echo, nothing for that long, then the rest.",
        read: |text| parse_duration(sole(text)?).map(Directive::Stall),
    },
    Entry {
        usage: "/length",
        meaning: "Ends as an answer that was cut at a limit of tokens.",
        read: |_| Some(Directive::Length),
    },
    Entry {
        usage: "/filter",
        meaning: "Ends as an answer of which a filter kept the rest back.",
        read: |_| Some(Directive::Filter),
    },
    Entry {
        usage: "/empty",
        meaning: "Ends well and says nothing.",
        read: |_| Some(Directive::Empty),
    },
    Entry {
        usage: "/usage in out [cached [reasoning]]",
        meaning: "Reports these tokens instead of counting words.",
        read: |text| usage(text).map(Directive::Usage),
    },
    Entry {
        usage: "/nousage",
        meaning: "Reports no tokens.",
        read: |_| Some(Directive::NoUsage),
    },
    Entry {
        usage: "/fail kind [seconds]",
        meaning: "Fails: invalid, not-found, too-large, unprocessable, unknown-agent, busy, \
                  unavailable, unreachable, denied, misconfigured, timed-out, tool-choice-unmet \
                  or failed.",
        read: |text| fail(text).map(Directive::Fail),
    },
    Entry {
        usage: "/break [N]",
        meaning: "Says N words, three if there is no N, and breaks.",
        read: breaks,
    },
    Entry {
        usage: "/vanish",
        meaning: "Ends the stream and never tells an outcome.",
        read: |_| Some(Directive::Vanish),
    },
];

impl Directive {
    /// Reads a directive and the lines that continue it.
    ///
    /// # Errors
    /// A name that is not in the list, and arguments that do not fit.
    pub fn parse(block: &str) -> Result<Self, Misread> {
        let (name, arguments) = word(block);
        let entry = ENTRIES.iter().find(|entry| entry.name() == name);
        let entry = entry.ok_or_else(|| Misread::Unknown(name.to_owned()))?;
        let usage = entry.usage;
        (entry.read)(arguments).ok_or(Misread::Arguments { usage })
    }
}

/// Cuts a text at its first white space, which belongs to neither part.
fn word(text: &str) -> (&str, &str) {
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}

/// Returns the words of the first line: later lines are not for a directive
/// that takes no text.
fn arguments(text: &str) -> Vec<&str> {
    let line = text.lines().next().unwrap_or_default();
    line.split_whitespace().collect()
}

fn sole(text: &str) -> Option<&str> {
    match arguments(text).as_slice() {
        [argument] => Some(argument),
        _ => None,
    }
}

fn tokens(text: &str) -> Option<Directive> {
    let (count, delay) = match arguments(text).as_slice() {
        [count] => (*count, Duration::ZERO),
        [count, delay] => (*count, parse_duration(delay)?),
        _ => return None,
    };
    let count = count.parse().ok()?;
    Some(Directive::Tokens { count, delay })
}

fn tool(text: &str) -> Option<Directive> {
    let (name, arguments) = word(text.trim());
    let arguments = match arguments.trim() {
        "" => "{}",
        arguments => arguments,
    };
    (!name.is_empty()).then(|| Directive::Tool {
        name: name.to_owned(),
        arguments: arguments.to_owned(),
    })
}

fn usage(text: &str) -> Option<Usage> {
    let counts = arguments(text).into_iter().map(|word| word.parse().ok());
    let counts: Vec<u64> = counts.collect::<Option<_>>()?;
    let (input, output, more) = match counts.as_slice() {
        [input, output, more @ ..] if more.len() <= 2 => (*input, *output, more),
        _ => return None,
    };
    Some(Usage {
        input_tokens: input,
        output_tokens: output,
        total_tokens: input.saturating_add(output),
        cached_input_tokens: more.first().copied(),
        reasoning_tokens: more.get(1).copied(),
    })
}

fn fail(text: &str) -> Option<RunError> {
    match arguments(text).as_slice() {
        [kind] => failure::named(kind, None),
        [kind, seconds] => failure::named(kind, Some(seconds.parse().ok()?)),
        _ => None,
    }
}

fn breaks(text: &str) -> Option<Directive> {
    let count = match arguments(text).as_slice() {
        [] => BREAK_WORDS,
        [count] => count.parse().ok()?,
        _ => return None,
    };
    Some(Directive::Break(count))
}

#[cfg(test)]
mod tests;
