//! Lists, and objects with arbitrary keys.

use std::borrow::Cow;
use std::rc::Rc;

use crate::path::Path;
use crate::value::Value;

use super::Section;

impl<'d> Section<'d> {
    /// Returns the members of the object at `key`, which are objects themselves, or
    /// `None` if it is absent. A member that is `null` is skipped.
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

    /// Returns the members of the object at `key`, which are strings, or `None` if it is
    /// absent.
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

    /// Returns the objects of the list at `key`, or `None` if it is absent.
    pub fn items(&mut self, key: &'static str) -> Option<Vec<Self>> {
        let items = self.array(key)?.iter().enumerate();
        let list = Rc::new(self.path.member(key));
        Some(
            items
                .map(|(n, value)| self.object_at(Path::Item(Rc::clone(&list), n), value))
                .collect(),
        )
    }

    /// Returns the items of the list at `key`, or `None` if it is absent. Each item is an
    /// object or a string. A string comes with an absent object.
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

    /// Returns the strings of the list at `key`, or `None` if it is absent.
    pub fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        let texts = self.borrowed_texts(key)?.into_iter();
        Some(texts.map(Cow::into_owned).collect())
    }

    /// Like [`Self::texts`], but borrows strings from the document where possible.
    pub fn borrowed_texts(&mut self, key: &'static str) -> Option<Vec<Cow<'d, str>>> {
        let items = self.array(key)?.iter().enumerate();
        let path = |n| Path::Item(Rc::new(self.path.member(key)), n);
        Some(
            items
                .filter_map(|(n, value)| self.text_at(value, || path(n)))
                .collect(),
        )
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
            self.record(path.to_string(), "must be an object");
        }
        self.child(path, members)
    }
}
