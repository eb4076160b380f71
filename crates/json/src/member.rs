//! Members of an object.

use std::fmt;

use crate::access::{Slot, SyntaxError};
use crate::shape::{Shape, Value};

/// The type of a JSON value, in the words of an error message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        })
    }
}

/// The value of a key that should be a `T`.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Member<T> {
    /// There is no such key.
    #[default]
    Absent,
    /// `null`.
    Null,
    /// A value of the expected shape.
    Is(T),
    /// A value of another shape.
    Not(Kind),
}

impl<T> Member<T> {
    /// Returns the value if it has the expected shape. A value of another shape counts as
    /// absent.
    pub fn ok(self) -> Option<T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Absent | Self::Null | Self::Not(_) => None,
        }
    }

    /// Like [`Self::ok`], by reference.
    pub fn as_ok(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Absent | Self::Null | Self::Not(_) => None,
        }
    }

    /// Returns the value. `null` counts as absent.
    ///
    /// # Errors
    /// The type of a value of another shape.
    pub fn optional(self) -> Result<Option<T>, Kind> {
        match self {
            Self::Is(value) => Ok(Some(value)),
            Self::Absent | Self::Null => Ok(None),
            Self::Not(kind) => Err(kind),
        }
    }
}

impl<'de, T: Shape<'de>> Slot<'de> for Member<T> {
    fn put(&mut self, value: Value<'_, 'de>) -> Result<(), SyntaxError> {
        let kind = value.kind();
        *self = match value {
            Value::Null => Self::Null,
            value => T::read(value)?.map_or(Self::Not(kind), Self::Is),
        };
        Ok(())
    }
}
