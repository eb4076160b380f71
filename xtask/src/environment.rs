//! What the guest sees of the outside: its configuration and the variables
//! that it names.
//!
//! Nothing else of the caller's environment reaches the guest.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};

/// The variable that holds the whole configuration document.
const DOCUMENT: &str = "TIDEGATE_CONFIG";

/// OpenClaw's own name for the token of its front door.
pub(crate) const FRONT_TOKEN: &str = "OPENCLAW_GATEWAY_TOKEN";

/// The token by which a runtime component calls the runtime behind it.
pub(crate) const RUNTIME_TOKEN: &str = "TIDEGATE_RUNTIME_TOKEN";

/// The variables that count without being named in the document.
const WELL_KNOWN: [&str; 3] = [FRONT_TOKEN, "OPENCLAW_GATEWAY_PASSWORD", RUNTIME_TOKEN];

/// The guest's environment variables.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Takes the document from a file, if there is one, and the variables
    /// that count from this program's own environment.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self> {
        let document = file.map(read).transpose()?;
        Ok(Self::select(document, |name| std::env::var(name).ok()))
    }

    /// Starts from a document that names no variable of the outside.
    pub(crate) fn with_document(document: &str) -> Self {
        Self::default().with(DOCUMENT, document)
    }

    /// Adds a variable.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Returns the arguments by which `wasmtime serve` sets the variables.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = String> {
        let variables = self.0.iter();
        variables.map(|(name, value)| format!("--env={name}={value}"))
    }

    fn select(document: Option<String>, outside: impl Fn(&str) -> Option<String>) -> Self {
        let named = variable_names(document.as_deref().unwrap_or_default());
        let selected = WELL_KNOWN.into_iter().chain(named);
        let selected = selected.filter_map(|name| Some((name.to_owned(), outside(name)?)));
        let environment = Self(selected.collect());
        match document {
            Some(document) => environment.with(DOCUMENT, document),
            None => environment,
        }
    }
}

fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Returns the names that a document refers to, as `${NAME}` or as the `id` of
/// a reference: every name that stands between braces or quotes.
fn variable_names(document: &str) -> impl Iterator<Item = &str> {
    let pieces = document.split(['{', '}', '"', '\'']);
    pieces.filter(|piece| is_variable_name(piece))
}

fn is_variable_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
    name.bytes().next().is_some_and(is_letter)
        && name.bytes().all(|b| is_letter(b) || b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outside(name: &str) -> Option<String> {
        (name != "UNSET").then(|| format!("the {name}"))
    }

    #[test]
    fn a_document_brings_the_variables_that_it_names_and_no_others() {
        let document =
            "{ a: '${A_1}', b: '${UNSET} ${lower} ${1} $B', c: { source: \"env\", id: \"_C\" } }";
        let environment = Environment::select(Some(document.to_owned()), outside);
        let expected = Environment::select(None, outside)
            .with(DOCUMENT, document)
            .with("A_1", "the A_1")
            .with("_C", "the _C");
        assert_eq!(environment, expected);
    }

    #[test]
    fn the_well_known_variables_need_no_document() {
        let environment = Environment::select(None, outside);
        let names: Vec<_> = environment.0.keys().map(String::as_str).collect();
        let expected = [
            "OPENCLAW_GATEWAY_PASSWORD",
            "OPENCLAW_GATEWAY_TOKEN",
            "TIDEGATE_RUNTIME_TOKEN",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_value_may_hold_anything_that_an_argument_can() {
        let environment = Environment::default().with("A", "b=c\n--d");
        let arguments: Vec<_> = environment.arguments().collect();
        assert_eq!(arguments, ["--env=A=b=c\n--d"]);
    }
}
