//! What a reply and the access log repeat of a request.

use std::borrow::Cow;

use tidegate_json::Member;

use crate::openai::request::{Raw, Text};

/// Returns the names of members that have a value.
pub(super) fn with_value(members: &[(&'static str, Raw<'_>)]) -> Vec<Cow<'static, str>> {
    let with_value = members.iter().filter(|(_, value)| value.is_some());
    with_value.map(|(name, _)| Cow::Borrowed(*name)).collect()
}

/// Returns the string `model` unchanged, or `openclaw` if there is no such string.
pub(super) fn model(model: &Member<Text<'_>>) -> String {
    model.as_ok().map_or("openclaw", AsRef::as_ref).to_owned()
}
