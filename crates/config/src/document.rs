//! The document: parsed JSON5, and the values of its variables.

use crate::fault::Faults;
use crate::json5::{self, Malformed};
use crate::section::Section;
use crate::value::Value;
use crate::variables::{self, Variables};

/// A configuration document with valid syntax.
#[derive(Clone)]
pub struct Document<'t> {
    root: Value<'t>,
    variables: Variables,
}

impl<'t> Document<'t> {
    /// Parses a JSON5 document. A blank document is an empty object.
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

    /// Adds the values of the variables.
    #[must_use]
    pub fn with(self, variables: Variables) -> Self {
        Self { variables, ..self }
    }

    /// Returns the names of all variables in the document, written `${NAME}` or
    /// `{ source: "env", id: "NAME" }`. Comments do not count.
    #[must_use]
    pub fn variable_names(&self) -> Vec<String> {
        variables::names(&self.root)
    }

    /// Reads typed values from the document.
    ///
    /// # Errors
    /// All faults that `read` found.
    pub fn read<T>(&self, read: impl FnOnce(&mut Section<'_>) -> T) -> Result<T, Faults> {
        let mut section = Section::root(&self.root, &self.variables);
        let value = read(&mut section);
        match section.into_faults() {
            faults if faults.is_empty() => Ok(value),
            faults => Err(Faults(faults)),
        }
    }
}

/// Reports the position of a syntax error without quoting the text: it may be a secret.
fn syntax_fault(Malformed { line, column }: Malformed) -> Faults {
    Faults::document(format!(
        "the document is not JSON5 at line {line}, column {column}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_names_lists_all_variables() {
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
    fn a_blank_document_is_empty() {
        assert!(Document::parse("  \n").is_ok());
    }

    #[test]
    fn a_syntax_error_has_a_position_and_no_quotation() {
        let faults = Document::parse("{ token: 's3cret' oops }").err().unwrap();
        let text = faults.to_string();
        assert!(text.contains("line 1"), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }

    #[test]
    fn the_root_must_be_an_object() {
        for text in ["[]", "1", "'a'", "null"] {
            assert!(Document::parse(text).is_err(), "{text}");
        }
    }
}
