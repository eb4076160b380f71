//! Typed access to one object of the document.
//!
//! A fault does not stop the reader: a faulty value counts as absent, the section
//! records the fault with its path, and the reader continues to find the next one.

mod lists;
mod values;

use std::cell::RefCell;
use std::rc::Rc;

use crate::fault::Fault;
use crate::path::Path;
use crate::secret::Secret;
use crate::value::{Object, Value};
use crate::variables::Variables;

/// The capacity for the known keys of an object.
const USUAL_KEYS: usize = 16;

/// An object of the configuration. It may be absent.
pub struct Section<'d> {
    path: Path<'d>,
    members: Option<&'d Object<'d>>,
    known: Vec<&'static str>,
    variables: &'d Variables,
    faults: Rc<RefCell<Vec<Fault>>>,
}

impl<'d> Section<'d> {
    pub(crate) fn root(root: &'d Value<'d>, variables: &'d Variables) -> Self {
        Self {
            path: Path::Root,
            members: root.as_object(),
            known: Vec::new(),
            variables,
            faults: Rc::default(),
        }
    }

    pub(crate) fn into_faults(self) -> Vec<Fault> {
        self.faults.take()
    }

    /// Returns whether the document contains the object.
    #[must_use]
    pub fn is_present(&self) -> bool {
        self.members.is_some()
    }

    /// Returns the object at `key`. An absent object reads as empty.
    pub fn section(&mut self, key: &'static str) -> Self {
        let members = self.value(key).and_then(|value| {
            let object = value.as_object();
            if object.is_none() {
                self.fault(key, "must be an object");
            }
            object
        });
        self.child(self.path.member(key), members)
    }

    /// Returns the value of a variable, which the document need not name.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<Secret> {
        self.variables.get(name).cloned()
    }

    /// Records a fault of `key`, or of the section itself if `key` is empty. The text must
    /// not quote the value.
    pub fn fault(&self, key: &str, problem: &str) {
        let path = match (&self.path, key) {
            (path, "") => path.to_string(),
            (Path::Root, key) => key.to_owned(),
            (path, key) => format!("{path}.{key}"),
        };
        self.record(path, problem);
    }

    /// Records a fault for every key that the reader has not read. The fault lists the
    /// known keys.
    pub fn deny_unknown_keys(&self) {
        let members = self.members.into_iter().flat_map(Object::members);
        let keys = members.map(|(key, _)| key);
        for key in keys.filter(|key| !self.known.contains(key)) {
            let mut known: Vec<&str> = Vec::new();
            for key in &self.known {
                if !known.contains(key) {
                    known.push(key);
                }
            }
            let problem = format!(
                "is not a known key; the known keys are {}",
                known.join(", ")
            );
            self.fault(key, &problem);
        }
    }

    /// Marks a key as known without reading it.
    #[inline]
    pub fn allow(&mut self, key: &'static str) {
        // An absent object has no unknown keys.
        if self.is_present() {
            if self.known.is_empty() {
                self.known.reserve(USUAL_KEYS);
            }
            self.known.push(key);
        }
    }

    #[inline]
    fn value(&mut self, key: &'static str) -> Option<&'d Value<'d>> {
        self.allow(key);
        self.members?.get(key).filter(|value| !value.is_null())
    }

    #[inline]
    fn child(&self, path: Path<'d>, members: Option<&'d Object<'d>>) -> Self {
        Self {
            path,
            members,
            known: Vec::new(),
            variables: self.variables,
            faults: Rc::clone(&self.faults),
        }
    }

    fn record(&self, path: String, problem: &str) {
        let problem = problem.to_owned();
        self.faults.borrow_mut().push(Fault { path, problem });
    }
}

#[cfg(test)]
mod tests {
    use crate::{Document, Fault, Faults, Secret, Section, Variables};

    fn read<T>(text: &str, read: impl FnOnce(&mut Section<'_>) -> T) -> Result<T, Faults> {
        let variables = Variables::from([("TOKEN", "s3cret")]);
        let document = Document::parse(text).unwrap().with(variables);
        document.read(read)
    }

    fn faults<T: std::fmt::Debug>(
        text: &str,
        read_all: impl FnOnce(&mut Section<'_>) -> T,
    ) -> Vec<String> {
        let Faults(faults) = read(text, read_all).unwrap_err();
        faults.iter().map(Fault::to_string).collect()
    }

    #[test]
    fn every_fault_has_its_path() {
        let found = faults("{ a: { b: 1, c: 'x', d: 7 }, e: [], f: [1] }", |root| {
            let mut a = root.section("a");
            a.text("b");
            a.flag("c");
            a.duration("d");
            root.section("e");
            root.items("f");
        });
        assert_eq!(
            found,
            [
                "a.b: must be a string",
                "a.c: must be true or false",
                "a.d: must be a string",
                "e: must be an object",
                "f[0]: must be an object",
            ]
        );
    }

    #[test]
    fn an_unknown_key_is_a_fault() {
        let found = faults("{ a: { known: 'x', knwon: 'y' } }", |root| {
            let mut a = root.section("a");
            a.text("known");
            a.flag("other");
            a.text("known");
            a.deny_unknown_keys();
        });
        assert_eq!(
            found,
            ["a.knwon: is not a known key; the known keys are known, other"]
        );
    }

    #[test]
    fn an_unread_section_has_no_faults() {
        let read = read("{ other: { token: '${MISSING}' }, a: 'b' }", |root| {
            root.text("a")
        });
        assert_eq!(read, Ok(Some("b".to_owned())));
    }

    #[test]
    fn a_secret_is_a_string_or_a_reference_to_a_variable() {
        let expected = Ok(Some(Secret::new("s3cret")));
        for text in [
            "{ token: 's3cret' }",
            "{ token: '${TOKEN}' }",
            "{ token: { source: 'env', provider: 'default', id: 'TOKEN' } }",
        ] {
            assert_eq!(read(text, |root| root.secret("token")), expected, "{text}");
        }
        let found = faults("{ token: { source: 'vault', id: 'x' } }", |r| {
            r.secret("token")
        });
        assert_eq!(
            found,
            ["token: must be a string, or `{ source: \"env\", id: \"NAME\" }`"]
        );
        let found = faults("{ token: { source: 'env', id: 'NOPE' } }", |r| {
            r.secret("token")
        });
        assert_eq!(found, ["token: the variable NOPE has no value"]);
    }

    #[test]
    fn numbers_and_choices_stay_in_their_range() {
        let found = faults("{ n: 11, m: 1.5, c: 'z' }", |root| {
            root.number("n", 1..=10);
            root.number("m", 1..=10);
            root.choice("c", &[("x", 1), ("y", 2)]);
        });
        assert_eq!(
            found,
            [
                "n: must be an integer from 1 to 10",
                "m: must be an integer from 1 to 10",
                "c: must be one of \"x\", \"y\"",
            ]
        );
    }

    #[test]
    fn an_item_may_be_a_string() {
        let text = "{ list: ['${TOKEN}', { url: 'long' }] }";
        let items = read(text, |root| {
            let items = root.items_or_texts("list").unwrap_or_default();
            let items = items.into_iter();
            items
                .map(|(mut item, text)| (text, item.text("url")))
                .collect::<Vec<_>>()
        });
        let (short, long) = (Some("s3cret".to_owned()), Some("long".to_owned()));
        assert_eq!(items, Ok(vec![(short, None), (None, long)]));
        let found = faults("{ list: ['${NOPE}', 'a', 7] }", |root| {
            for (item, text) in root.items_or_texts("list").unwrap_or_default() {
                if text.is_some() {
                    item.fault("", "is short");
                }
            }
        });
        assert_eq!(
            found,
            [
                "list[0]: the variable NOPE has no value",
                "list[2]: must be an object",
                "list[1]: is short",
            ]
        );
    }

    #[test]
    fn entries_keep_their_names_and_skip_null() {
        let names = read("{ agents: { main: {}, gone: null } }", |root| {
            let entries = root.entries("agents").unwrap_or_default();
            entries
                .into_iter()
                .map(|(name, _)| name)
                .collect::<Vec<_>>()
        });
        assert_eq!(names, Ok(vec!["main".to_owned()]));
    }
}
