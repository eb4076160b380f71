//! Parsing of the arguments of directives.

use std::time::Duration;

use tidegate_config::parse_duration;

use crate::failure;
use crate::types::{RunError, Usage};

use super::Directive;

/// The number of words of `/break` without an argument.
const BREAK_WORDS: u64 = 3;

/// Splits a text at its first white space.
pub(super) fn split_word(text: &str) -> (&str, &str) {
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}

/// Returns the words of the first line. A directive without a text ignores later lines.
fn arguments(text: &str) -> Vec<&str> {
    let line = text.lines().next().unwrap_or_default();
    line.split_whitespace().collect()
}

pub(super) fn sole(text: &str) -> Option<&str> {
    match arguments(text).as_slice() {
        [argument] => Some(argument),
        _ => None,
    }
}

pub(super) fn tokens(text: &str) -> Option<Directive> {
    let (count, delay) = match arguments(text).as_slice() {
        [count] => (*count, Duration::ZERO),
        [count, delay] => (*count, parse_duration(delay)?),
        _ => return None,
    };
    let count = count.parse().ok()?;
    Some(Directive::Tokens { count, delay })
}

pub(super) fn tool(text: &str) -> Option<Directive> {
    let (name, arguments) = split_word(text.trim());
    let arguments = match arguments.trim() {
        "" => "{}",
        arguments => arguments,
    };
    (!name.is_empty()).then(|| Directive::Tool {
        name: name.to_owned(),
        arguments: arguments.to_owned(),
    })
}

pub(super) fn usage(text: &str) -> Option<Usage> {
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

pub(super) fn fail(text: &str) -> Option<RunError> {
    match arguments(text).as_slice() {
        [kind] => failure::named(kind, None),
        [kind, seconds] => failure::named(kind, Some(seconds.parse().ok()?)),
        _ => None,
    }
}

pub(super) fn break_after(text: &str) -> Option<Directive> {
    let count = match arguments(text).as_slice() {
        [] => BREAK_WORDS,
        [count] => count.parse().ok()?,
        _ => return None,
    };
    Some(Directive::Break(count))
}
