//! The document: JSON5 text, and the values that stand for `${NAME}` in it.
//!
//! `${NAME}` in a string, `NAME` in capitals, is replaced by a variable's value;
//! `$${NAME}` stands for the characters themselves. These are OpenClaw's rules.

use std::borrow::Cow;
use std::fmt;

use crate::fault::Faults;
use crate::json5::{self, Malformed};
use crate::secret::Secret;
use crate::section::Section;
use crate::value::{Object, Value};

/// The values of the variables that a document may name. There are few.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables(Vec<(String, Secret)>);

impl Variables {
    /// Returns a variable's value. OpenClaw treats a blank one as a missing one,
    /// and so does this.
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

/// A configuration whose syntax is right and whose values nobody has read yet.
#[derive(Clone)]
pub struct Document<'t> {
    root: Value<'t>,
    variables: Variables,
}

impl<'t> Document<'t> {
    /// Parses a JSON5 document; a blank one is an empty object.
    ///
    /// # Errors
    /// A document that is not JSON5, or whose root is not an object.
    pub fn parse(text: &'t str) -> Result<Self, Faults> {
        let text = if text.trim().is_empty() { "{}" } else { text };
        let root = json5::parse(text).map_err(syntax_fault)?;
        if root.as_object().is_none() {
            return Err(Faults::document("the document must be an object"));
        }
        Ok(Self {
            root,
            variables: Variables::default(),
        })
    }

    /// Gives the document the values of its variables.
    #[must_use]
    pub fn with(self, variables: Variables) -> Self {
        Self { variables, ..self }
    }

    /// Returns the names of all variables that the document refers to, as
    /// `${NAME}` or as `{ source: "env", id: "NAME" }`. Comments do not count.
    #[must_use]
    pub fn variable_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        collect_names(&self.root, &mut names);
        names
    }

    /// Reads typed values out of the document.
    ///
    /// # Errors
    /// Every fault that `read` met; all of them, not only the first.
    pub fn read<T>(&self, read: impl FnOnce(&mut Section<'_>) -> T) -> Result<T, Faults> {
        let mut section = Section::root(&self.root, &self.variables);
        let value = read(&mut section);
        match section.into_faults() {
            faults if faults.is_empty() => Ok(value),
            faults => Err(Faults(faults)),
        }
    }
}

/// Tells where the syntax breaks, but not what stands there: it may be a value.
fn syntax_fault(Malformed { line, column }: Malformed) -> Faults {
    Faults::document(format!(
        "the document is not JSON5 at line {line}, column {column}"
    ))
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

/// Returns the variable that OpenClaw's reference to a secret names.
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

/// Splits a text into variables and what stands between them.
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
    // `$${NAME}`: the first dollar sign goes, the rest stays as it is.
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
    let goes_on = bytes.all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    (starts && goes_on).then_some((name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        Variables::from([("A", "1"), ("B_2", "two"), ("EMPTY", "")])
    }

    #[test]
    fn variables_are_replaced_wherever_they_stand() {
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
    fn a_variable_without_a_value_is_named() {
        for text in ["${NOPE}", "${EMPTY}"] {
            let missing = interpolate(text, &variables()).unwrap_err().to_string();
            let name = text.trim_matches(['$', '{', '}']);
            assert_eq!(missing, format!("the variable {name} has no value"));
        }
    }

    #[test]
    fn a_document_names_its_variables() {
        let text = "{ a: '${A}', b: '$${B}', c: ['${C_3}'], // ${COMMENT}
            d: { source: 'env', provider: 'default', id: 'D' }, e: { source: 'file', id: 'E' } }";
        let names = Document::parse(text).unwrap().variable_names();
        assert_eq!(names, ["A", "C_3", "D"]);
    }

    #[test]
    fn comments_trailing_commas_and_bare_keys_are_json5() {
        let document = Document::parse("// why\n{ a: 'b', }").unwrap();
        assert_eq!(document.read(|s| s.text("a")), Ok(Some("b".to_owned())));
    }

    #[test]
    fn a_blank_document_is_an_empty_one() {
        assert!(Document::parse("  \n").is_ok());
    }

    #[test]
    fn broken_syntax_is_located_and_not_quoted() {
        let faults = Document::parse("{ token: 's3cret' oops }").err().unwrap();
        let text = faults.to_string();
        assert!(text.contains("line 1"), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }

    #[test]
    fn a_root_that_is_no_object_is_refused() {
        for text in ["[]", "1", "'a'", "null"] {
            assert!(Document::parse(text).is_err(), "{text}");
        }
    }
}
