//! Directives: the instructions of a script.

mod parse;
mod table;

use std::time::Duration;

use crate::types::{RunError, Usage};

pub(crate) use table::ENTRIES;

/// A directive.
#[derive(Clone, Debug, PartialEq)]
pub enum Directive {
    /// Lists the directives.
    Help,
    /// Says a text in one event.
    Echo(String),
    /// Says a text word by word.
    Say(String),
    /// Says the request.
    Request,
    /// Says a JSON object.
    Json,
    /// Says text that encoders often corrupt.
    Unicode,
    /// Says counted words.
    Tokens {
        /// The number of words.
        count: u64,
        /// The delay between two words.
        delay: Duration,
    },
    /// Says this number of bytes.
    Bytes(u64),
    /// Reasons a text.
    Reasoning(String),
    /// Calls a tool.
    Tool {
        /// The function, offered or not.
        name: String,
        /// The arguments, JSON or not.
        arguments: String,
    },
    /// Waits.
    Silence(Duration),
    /// Waits in the middle of the echo.
    Stall(Duration),
    /// Ends at a token limit.
    Length,
    /// Ends at a filter.
    Filter,
    /// Ends without a reply.
    Empty,
    /// Reports these tokens.
    Usage(Usage),
    /// Reports no tokens.
    NoUsage,
    /// Fails.
    Fail(RunError),
    /// Says this number of words and fails.
    Break(u64),
    /// Ends without an outcome.
    Vanish,
}

/// Why a directive is invalid.
#[derive(Clone, Debug, PartialEq)]
pub enum DirectiveError {
    /// The directive is unknown.
    Unknown(String),
    /// The arguments are invalid.
    Arguments {
        /// The directive with its arguments.
        usage: &'static str,
    },
}

impl Directive {
    /// Parses a directive with its continuation lines.
    ///
    /// # Errors
    /// An unknown name, and invalid arguments.
    pub fn parse(block: &str) -> Result<Self, DirectiveError> {
        let (name, arguments) = parse::split_word(block);
        let found = ENTRIES.iter().find(|entry| entry.name() == name);
        let entry = found.ok_or_else(|| DirectiveError::Unknown(name.to_owned()))?;
        let usage = entry.usage;
        (entry.parse)(arguments).ok_or(DirectiveError::Arguments { usage })
    }
}

#[cfg(test)]
mod tests;
