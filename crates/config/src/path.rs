//! Paths in the document, formatted only for a fault.

use std::fmt;
use std::rc::Rc;

/// A path in the document.
#[derive(Clone)]
pub(crate) enum Path<'d> {
    /// The whole document.
    Root,
    /// A member of an object.
    Member(Rc<Self>, &'d str),
    /// An item of a list, counted from 0.
    Item(Rc<Self>, usize),
}

impl<'d> Path<'d> {
    /// Returns the path of a member, or of the object itself for an empty key.
    pub(crate) fn member(&self, key: &'d str) -> Self {
        match key {
            "" => self.clone(),
            key => Self::Member(Rc::new(self.clone()), key),
        }
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
