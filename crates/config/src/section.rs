//! One object of the document, read key by key.
//!
//! Reading never stops at a fault: a value that is wrong counts as absent, the
//! fault is kept with its path, and the reader goes on to find the next one.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::document::{MissingVariable, Variables, interpolate, referred_variable};
use crate::duration::parse_duration;
use crate::fault::Fault;
use crate::path::Path;
use crate::secret::Secret;
use crate::value::{Object, Value};

/// How many keys an object usually has, at most.
const USUAL_KEYS: usize = 16;

/// An object of the configuration, present or not.
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

    /// Tells whether the object stands in the document.
    #[must_use]
    pub fn is_present(&self) -> bool {
        self.members.is_some()
    }

    /// Returns the object under `key`; an absent one reads as empty.
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

    /// Returns the objects of the object under `key` with their names, none
    /// where it is absent. A `null` in the place of an object is left out.
    pub fn entries(&mut self, key: &'static str) -> Option<Vec<(String, Self)>> {
        let section = self.section(key);
        let entries = section.members?.members();
        let entries = entries.filter(|(_, value)| !value.is_null());
        Some(
            entries
                .map(|(name, value)| {
                    let path = section.path.member(name);
                    (name.to_owned(), self.object_at(path, value))
                })
                .collect(),
        )
    }

    /// Returns the strings of the object under `key` with their names, none where
    /// it is absent.
    pub fn text_entries(&mut self, key: &'static str) -> Option<Vec<(String, String)>> {
        let section = self.section(key);
        let entries = section.members?.members();
        Some(
            entries
                .filter_map(|(name, value)| {
                    let text = self.text_at(value, || section.path.member(name))?;
                    Some((name.to_owned(), text.into_owned()))
                })
                .collect(),
        )
    }

    /// Returns the objects of the list under `key`, none where it is absent.
    pub fn items(&mut self, key: &'static str) -> Option<Vec<Self>> {
        let items = self.array(key)?.iter().enumerate();
        let list = Rc::new(self.path.member(key));
        Some(
            items
                .map(|(n, value)| self.object_at(Path::Item(Rc::clone(&list), n), value))
                .collect(),
        )
    }

    /// Returns the items of the list under `key`, none where it is absent: each is
    /// an object or, for short, a string, which comes with an absent object.
    pub fn items_or_texts(&mut self, key: &'static str) -> Option<Vec<(Self, Option<String>)>> {
        let items = self.array(key)?.iter().enumerate();
        let list = Rc::new(self.path.member(key));
        Some(
            items
                .map(|(n, value)| {
                    let path = Path::Item(Rc::clone(&list), n);
                    if value.as_text().is_none() {
                        return (self.object_at(path, value), None);
                    }
                    let text = self.text_at(value, || path.clone());
                    (self.child(path, None), text.map(Cow::into_owned))
                })
                .collect(),
        )
    }

    /// Returns the strings of the list under `key`, none where it is absent.
    pub fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        let texts = self.borrowed_texts(key)?.into_iter();
        Some(texts.map(Cow::into_owned).collect())
    }

    /// Returns the same strings, left in the document where they stand there as
    /// they are.
    pub fn borrowed_texts(&mut self, key: &'static str) -> Option<Vec<Cow<'d, str>>> {
        let items = self.array(key)?.iter().enumerate();
        let path = |n| Path::Item(Rc::new(self.path.member(key)), n);
        Some(
            items
                .filter_map(|(n, value)| self.text_at(value, || path(n)))
                .collect(),
        )
    }

    /// Returns the string under `key`, its variables replaced.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        self.borrowed_text(key).map(Cow::into_owned)
    }

    /// Returns the same string, left in the document if it stands there as it is.
    pub fn borrowed_text(&mut self, key: &'static str) -> Option<Cow<'d, str>> {
        let value = self.value(key)?;
        self.text_at(value, || self.path.member(key))
    }

    /// Returns the secret under `key`: a string, or OpenClaw's reference to an
    /// environment variable, `{ source: "env", id: "NAME" }`.
    pub fn secret(&mut self, key: &'static str) -> Option<Secret> {
        let value = self.value(key)?;
        let Some(reference) = value.as_object() else {
            return self.text(key).map(Secret::new);
        };
        let Some(name) = referred_variable(reference) else {
            self.fault(
                key,
                "must be a string, or `{ source: \"env\", id: \"NAME\" }`",
            );
            return None;
        };
        let secret = self.variable(name);
        if secret.is_none() {
            self.fault(key, &MissingVariable(name).to_string());
        }
        secret
    }

    /// Returns the truth value under `key`.
    pub fn flag(&mut self, key: &'static str) -> Option<bool> {
        let flag = self.value(key)?.as_flag();
        if flag.is_none() {
            self.fault(key, "must be true or false");
        }
        flag
    }

    /// Tells whether `false` stands under `key`, for values that can be switched
    /// off.
    pub fn is_false(&mut self, key: &'static str) -> bool {
        self.value(key).and_then(Value::as_flag) == Some(false)
    }

    /// Returns the whole number under `key`, which must lie in `range`.
    pub fn number(
        &mut self,
        key: &'static str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Option<u64> {
        let number = self
            .value(key)?
            .as_whole_number()
            .filter(|n| range.contains(n));
        if number.is_none() {
            let (low, high) = (range.start(), range.end());
            self.fault(key, &format!("must be a whole number from {low} to {high}"));
        }
        number
    }

    /// Returns the length of time under `key`, such as `"15s"`.
    pub fn duration(&mut self, key: &'static str) -> Option<Duration> {
        let text = self.text(key)?;
        let duration = parse_duration(&text);
        if duration.is_none() {
            self.fault(
                key,
                "must be a length of time such as \"250ms\", \"15s\" or \"2m\"",
            );
        }
        duration
    }

    /// Returns one of `choices` by the name under `key`.
    pub fn choice<T: Clone>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let choice = choices.iter().find(|(name, _)| *name == text);
        if choice.is_none() {
            let names: Vec<_> = choices
                .iter()
                .map(|(name, _)| format!("\"{name}\""))
                .collect();
            self.fault(key, &format!("must be one of {}", names.join(", ")));
        }
        choice.map(|(_, value)| value.clone())
    }

    /// Returns a variable that counts without being named in the document.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<Secret> {
        self.variables.get(name).cloned()
    }

    /// Keeps a fault at `key`, or at the section itself where `key` is empty.
    /// The text must not quote the value.
    pub fn fault(&self, key: &str, problem: &str) {
        let path = match (&self.path, key) {
            (path, "") => path.to_string(),
            (Path::Root, key) => key.to_owned(),
            (path, key) => format!("{path}.{key}"),
        };
        self.keep(path, problem);
    }

    /// Makes every key that was never asked for a fault, which names those
    /// that were.
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
            let problem = format!("is not a known key; known are {}", known.join(", "));
            self.fault(key, &problem);
        }
    }

    /// Marks a key as known without reading it.
    #[inline]
    pub fn allow(&mut self, key: &'static str) {
        // Where there is no object, there is no unknown key.
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

    fn array(&mut self, key: &'static str) -> Option<&'d [Value<'d>]> {
        let array = self.value(key)?.as_list();
        if array.is_none() {
            self.fault(key, "must be a list");
        }
        array
    }

    #[inline]
    fn object_at(&self, path: Path<'d>, value: &'d Value<'d>) -> Self {
        let members = value.as_object();
        if members.is_none() {
            self.keep(path.to_string(), "must be an object");
        }
        self.child(path, members)
    }

    #[inline]
    fn text_at(
        &self,
        value: &'d Value<'d>,
        path: impl FnOnce() -> Path<'d>,
    ) -> Option<Cow<'d, str>> {
        let Some(text) = value.as_text() else {
            self.keep(path().to_string(), "must be a string");
            return None;
        };
        match interpolate(text, self.variables) {
            Ok(text) => Some(text),
            Err(missing) => {
                self.keep(path().to_string(), &missing.to_string());
                None
            }
        }
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

    fn keep(&self, path: String, problem: &str) {
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
    fn every_fault_is_told_with_its_path() {
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
    fn a_key_that_nobody_asked_for_is_named() {
        let found = faults("{ a: { known: 'x', knwon: 'y' } }", |root| {
            let mut a = root.section("a");
            a.text("known");
            a.flag("other");
            a.text("known");
            a.deny_unknown_keys();
        });
        assert_eq!(
            found,
            ["a.knwon: is not a known key; known are known, other"]
        );
    }

    #[test]
    fn a_section_that_nobody_reads_cannot_be_at_fault() {
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
                "n: must be a whole number from 1 to 10",
                "m: must be a whole number from 1 to 10",
                "c: must be one of \"x\", \"y\"",
            ]
        );
    }

    #[test]
    fn an_item_may_be_short() {
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
    fn named_entries_keep_their_names_and_a_null_is_none() {
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
