//! The parsed document. Strings without escapes borrow from its text.

use std::borrow::Cow;

/// A value of the document.
#[derive(Clone)]
pub(crate) enum Value<'t> {
    Null,
    Flag(bool),
    /// A number. Only an integer below 2^53, which JavaScript represents exactly, keeps its
    /// value.
    Number(Option<u64>),
    Text(Cow<'t, str>),
    List(Vec<Self>),
    Object(Object<'t>),
}

/// The members of an object, in their order.
#[derive(Clone)]
pub(crate) struct Object<'t>(Vec<(Cow<'t, str>, Value<'t>)>);

impl<'t> Object<'t> {
    pub(crate) fn new(members: Vec<(Cow<'t, str>, Value<'t>)>) -> Self {
        Self(members)
    }

    /// Returns the value of a key. The last of several equal keys counts.
    #[inline]
    pub(crate) fn get(&self, key: &str) -> Option<&Value<'t>> {
        let mut members = self.members().rev();
        members.find_map(|(name, value)| (name == key).then_some(value))
    }

    /// Returns all members.
    #[inline]
    pub(crate) fn members(&self) -> impl DoubleEndedIterator<Item = (&str, &Value<'t>)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }
}

impl<'t> Value<'t> {
    #[inline]
    pub(crate) fn as_object(&self) -> Option<&Object<'t>> {
        if let Self::Object(object) = self {
            Some(object)
        } else {
            None
        }
    }

    pub(crate) fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self {
            Some(items)
        } else {
            None
        }
    }

    #[inline]
    pub(crate) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }

    pub(crate) fn as_flag(&self) -> Option<bool> {
        if let Self::Flag(flag) = self {
            Some(*flag)
        } else {
            None
        }
    }

    pub(crate) fn as_whole_number(&self) -> Option<u64> {
        if let Self::Number(number) = self {
            *number
        } else {
            None
        }
    }

    #[inline]
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}
