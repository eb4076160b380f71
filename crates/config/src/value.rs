//! The tree that a JSON5 document becomes, with its strings left in the text
//! wherever they stand there as they are.

use std::borrow::Cow;

/// A value of the document.
#[derive(Clone)]
pub(crate) enum Value<'t> {
    Null,
    Flag(bool),
    /// A number, if it is a whole one that JavaScript, too, would tell apart from
    /// the next.
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

    /// Returns the value under a key; the last one of several.
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
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    pub(crate) fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    pub(crate) fn as_whole_number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => *number,
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}
