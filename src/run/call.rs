//! The members of a tool call in a conversation.

use tidegate_json::Member;

use crate::openai::request::{Raw, Text};

/// Returns the arguments as JSON text: the string itself, or another value without
/// the white space between its tokens.
pub(super) fn arguments(sent: Raw<'_>) -> String {
    let Some(raw) = sent else {
        return String::new();
    };
    match tidegate_json::parse::<Text<'_>>(raw.get()) {
        Ok(Member::Is(text)) => text.into_owned(),
        Ok(Member::Not(_)) => tidegate_json::without_whitespace(raw),
        Ok(Member::Absent | Member::Null) | Err(_) => String::new(),
    }
}

/// Returns an id or a name, unless it is blank.
pub(super) fn name(text: Option<Text<'_>>) -> Option<String> {
    let text = text?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
