//! Conversion of JSON values to types.

use std::borrow::Cow;

use crate::access::{Items, Members, Object, SyntaxError};
use crate::member::{Kind, Member};

/// A JSON value during parsing.
pub enum Value<'a, 'de> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// An integer from 0 to 2^64 − 1, written without fraction and exponent.
    Natural(u64),
    /// Any other number.
    Number(f64),
    /// A string.
    String(Cow<'de, str>),
    /// An array with unread items.
    Array(&'a mut dyn Items<'de>),
    /// An object with unread members.
    Object(&'a mut dyn Members<'de>),
}

impl<'de> Value<'_, 'de> {
    /// Returns the value's type.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Boolean(_) => Kind::Boolean,
            Self::Natural(_) | Self::Number(_) => Kind::Number,
            Self::String(_) => Kind::String,
            Self::Array(_) => Kind::Array,
            Self::Object(_) => Kind::Object,
        }
    }

    /// Reads an object into a struct. Returns `None` for another type of value.
    ///
    /// # Errors
    /// Text that is not JSON.
    pub fn object<T: Object<'de> + Default>(self) -> Result<Option<T>, SyntaxError> {
        let Self::Object(members) = self else {
            return Ok(None);
        };
        let mut object = T::default();
        members.read(&mut object)?;
        Ok(Some(object))
    }
}

/// A type that some JSON values can be converted to.
pub trait Shape<'de>: Sized {
    /// Converts a value. Returns `None` if the value has another shape. Unread items of an
    /// array are skipped.
    ///
    /// # Errors
    /// Text that is not JSON.
    fn read(value: Value<'_, 'de>) -> Result<Option<Self>, SyntaxError>;
}

impl Shape<'_> for bool {
    fn read(value: Value<'_, '_>) -> Result<Option<Self>, SyntaxError> {
        Ok(if let Value::Boolean(value) = value {
            Some(value)
        } else {
            None
        })
    }
}

impl Shape<'_> for u64 {
    fn read(value: Value<'_, '_>) -> Result<Option<Self>, SyntaxError> {
        Ok(if let Value::Natural(value) = value {
            Some(value)
        } else {
            None
        })
    }
}

impl Shape<'_> for f64 {
    fn read(value: Value<'_, '_>) -> Result<Option<Self>, SyntaxError> {
        Ok(match value {
            // JavaScript has only doubles, so larger integers lose precision there, too.
            Value::Natural(value) => Some(value as Self),
            Value::Number(value) => Some(value),
            Value::Null
            | Value::Boolean(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => None,
        })
    }
}

impl<'de> Shape<'de> for Cow<'de, str> {
    fn read(value: Value<'_, 'de>) -> Result<Option<Self>, SyntaxError> {
        Ok(if let Value::String(value) = value {
            Some(value)
        } else {
            None
        })
    }
}

impl<'de, T: Shape<'de>> Shape<'de> for Vec<Member<T>> {
    fn read(value: Value<'_, 'de>) -> Result<Option<Self>, SyntaxError> {
        let Value::Array(items) = value else {
            return Ok(None);
        };
        let mut values = Self::new();
        while let Some(value) = items.read()? {
            values.push(value);
        }
        Ok(Some(values))
    }
}

/// Declares the key of each field of a struct. The last of equal keys counts, and other
/// keys are skipped. `else field: KEYS` keeps the JSON text of other known keys in a field,
/// a list of keys and texts.
#[macro_export]
macro_rules! object_shape {
    (
        $type:ty { $($key:literal => $field:ident),+ $(,)? }
        $(else $others:ident: $known:expr)?
    ) => {
        impl<'de> $crate::Object<'de> for $type {
            fn member(&mut self, key: &str) -> $crate::Place<'_, 'de> {
                match key {
                    $($key => (&mut self.$field).into(),)+
                    $(_ => {
                        let Some(known) = $known.iter().copied().find(|known| *known == key) else {
                            return $crate::Place::Nowhere;
                        };
                        self.$others.retain(|(other, _)| *other != known);
                        self.$others.push((known, None));
                        match self.$others.last_mut() {
                            Some((_, text)) => text.into(),
                            None => $crate::Place::Nowhere,
                        }
                    })?
                    #[allow(unreachable_patterns, reason = "other keys may be kept")]
                    _ => $crate::Place::Nowhere,
                }
            }
        }

        impl<'de> $crate::Shape<'de> for $type {
            fn read(value: $crate::Value<'_, 'de>) -> Result<Option<Self>, $crate::SyntaxError> {
                value.object()
            }
        }
    };
}
