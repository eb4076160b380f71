//! Variables of the document: `${NAME}` in a string, with `NAME` in capitals, is
//! replaced by the variable's value. `$${NAME}` is the literal text `${NAME}`. These are
//! OpenClaw's rules.

use std::borrow::Cow;
use std::fmt;

use crate::secret::Secret;
use crate::value::{Object, Value};

/// The variable that contains the whole document.
pub const DOCUMENT: &str = "TIDEGATE_CONFIG";

/// The variable of `gateway.auth.token`.
pub const GATEWAY_TOKEN: &str = "OPENCLAW_GATEWAY_TOKEN";

/// The variable of `gateway.auth.password`.
pub const GATEWAY_PASSWORD: &str = "OPENCLAW_GATEWAY_PASSWORD";

/// The variable of `tidegate.runtime.token`.
pub const RUNTIME_TOKEN: &str = "TIDEGATE_RUNTIME_TOKEN";

/// The values of the variables of a document. There are few, so a lookup scans them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables(Vec<(String, Secret)>);

impl Variables {
    /// Returns the value of a variable. As with OpenClaw, an empty value counts as
    /// missing.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Secret> {
        let mut variables = self.0.iter();
        let (_, value) = variables.find(|(known, _)| known == name)?;
        (!value.expose().is_empty()).then_some(value)
    }
}

impl FromIterator<(String, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        let variables = variables.into_iter();
        Self(
            variables
                .map(|(name, value)| (name, Secret::new(value)))
                .collect(),
        )
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Variables {
    fn from(variables: [(&str, &str); N]) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        variables.into_iter().map(owned).collect()
    }
}

/// Returns the names of all variables in a value.
pub(crate) fn names(root: &Value<'_>) -> Vec<String> {
    let mut names = Vec::new();
    collect_names(root, &mut names);
    names
}

fn collect_names(value: &Value<'_>, names: &mut Vec<String>) {
    match value {
        Value::Text(text) if text.contains('$') => {
            names.extend(pieces(text).filter_map(Piece::name));
        }
        Value::List(items) => items.iter().for_each(|item| collect_names(item, names)),
        Value::Object(object) => {
            names.extend(referred_variable(object).map(str::to_owned));
            let members = object.members();
            members.for_each(|(_, member)| collect_names(member, names));
        }
        Value::Null | Value::Flag(_) | Value::Number(_) | Value::Text(_) => {}
    }
}

/// Returns the name in OpenClaw's reference to a secret, `{ source: "env", id }`.
pub(crate) fn referred_variable<'o>(members: &'o Object<'_>) -> Option<&'o str> {
    let source = members.get("source")?.as_text()?;
    let id = members.get("id")?.as_text()?;
    (source == "env").then_some(id)
}

/// A variable without a value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MissingVariable<'t>(pub(crate) &'t str);

impl fmt::Display for MissingVariable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the variable {} has no value", self.0)
    }
}

/// Replaces every `${NAME}` in a string.
///
/// # Errors
/// The first variable without a value.
pub(crate) fn interpolate<'t>(
    text: &'t str,
    variables: &Variables,
) -> Result<Cow<'t, str>, MissingVariable<'t>> {
    if !text.contains('$') {
        return Ok(Cow::Borrowed(text));
    }
    let mut result = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => result.push_str(text),
            Piece::Variable(name) => {
                let value = variables.get(name).ok_or(MissingVariable(name))?;
                result.push_str(value.expose());
            }
        }
    }
    Ok(Cow::Owned(result))
}

enum Piece<'t> {
    Text(&'t str),
    Variable(&'t str),
}

impl Piece<'_> {
    fn name(self) -> Option<String> {
        match self {
            Piece::Variable(name) => Some(name.to_owned()),
            Piece::Text(_) => None,
        }
    }
}

/// Splits a text into variables and the text between them.
fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, after) = next_piece(rest);
        rest = after;
        Some(piece)
    })
}

fn next_piece(text: &str) -> (Piece<'_>, &str) {
    if let Some((name, after)) = variable_at_start(text) {
        return (Piece::Variable(name), after);
    }
    // `$${NAME}`: remove the first dollar sign and keep the rest.
    if let Some(escaped) = text.strip_prefix('$')
        && let Some((_, after)) = variable_at_start(escaped)
        && let Some(literal) = escaped.strip_suffix(after)
    {
        return (Piece::Text(literal), after);
    }
    let first = text.chars().next().map_or(0, char::len_utf8);
    let next = text
        .char_indices()
        .find_map(|(at, c)| (at >= first && c == '$').then_some(at))
        .unwrap_or(text.len());
    let (piece, after) = text.split_at_checked(next).unwrap_or((text, ""));
    (Piece::Text(piece), after)
}

fn variable_at_start(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix("${")?.split_once('}')?;
    let mut bytes = name.bytes();
    let starts = bytes
        .next()
        .is_some_and(|b| b.is_ascii_uppercase() || b == b'_');
    let continues = bytes.all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    (starts && continues).then_some((name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        Variables::from([("A", "1"), ("B_2", "two"), ("EMPTY", "")])
    }

    #[test]
    fn variables_are_replaced_anywhere_in_a_string() {
        let cases = [
            ("plain", "plain"),
            ("${A}", "1"),
            ("x${A}y${B_2}z", "x1ytwoz"),
            ("${A}${A}", "11"),
            ("$${A}", "${A}"),
            ("$$${A}", "$${A}"),
            ("${lower}", "${lower}"),
            ("${2A}", "${2A}"),
            ("${A", "${A"),
            ("$", "$"),
            ("€${A}€", "€1€"),
        ];
        for (text, expected) in cases {
            let replaced = interpolate(text, &variables());
            assert_eq!(replaced, Ok(Cow::Borrowed(expected)), "{text:?}");
        }
    }

    #[test]
    fn a_missing_variable_is_named() {
        for text in ["${NOPE}", "${EMPTY}"] {
            let missing = interpolate(text, &variables()).unwrap_err().to_string();
            let name = text.trim_matches(['$', '{', '}']);
            assert_eq!(missing, format!("the variable {name} has no value"));
        }
    }
}
