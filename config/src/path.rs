//! Where something stands in the document, written down only when a fault asks.

use std::fmt;
use std::rc::Rc;

/// A place in the document.
#[derive(Clone)]
pub(crate) enum Path<'d> {
    /// The document itself.
    Root,
    /// What stands under a key of an object.
    Member(Rc<Self>, &'d str),
    /// One of the items of a list.
    Item(Rc<Self>, usize),
}

impl<'d> Path<'d> {
    /// Returns the place under a key; that of the object itself for no key.
    pub(crate) fn member(self: &Rc<Self>, key: &'d str) -> Rc<Self> {
        match key {
            "" => Rc::clone(self),
            key => Rc::new(Self::Member(Rc::clone(self), key)),
        }
    }

    /// Returns the place of an item, counted from 0.
    pub(crate) fn item(self: &Rc<Self>, n: usize) -> Rc<Self> {
        Rc::new(Self::Item(Rc::clone(self), n))
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(parent, key) if matches!(**parent, Self::Root) => f.write_str(key),
            Self::Member(parent, key) => write!(f, "{parent}.{key}"),
            Self::Item(parent, n) => write!(f, "{parent}[{n}]"),
        }
    }
}
