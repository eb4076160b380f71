//! What a type makes of a JSON value.

use std::borrow::Cow;

use crate::access::{Broken, Items, Members, Object};
use crate::member::{Kind, Member};

/// A JSON value that is being read.
pub enum Value<'a, 'de> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number without sign, fraction and exponent, up to 2^64 - 1.
    Natural(u64),
    /// Any other number.
    Number(f64),
    /// A string.
    String(Cow<'de, str>),
    /// An array, whose items are still to be read.
    Array(&'a mut dyn Items<'de>),
    /// An object, whose members are still to be read.
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

    /// Reads an object into a struct; none if it is no object.
    ///
    /// # Errors
    /// Text that is not JSON.
    pub fn object<T: Object<'de> + Default>(self) -> Result<Option<T>, Broken> {
        let Self::Object(members) = self else {
            return Ok(None);
        };
        let mut object = T::default();
        members.read(&mut object)?;
        Ok(Some(object))
    }
}

/// A type that can be made from some kinds of JSON values.
pub trait Shape<'de>: Sized {
    /// Makes itself from a value; none if the value is not of this shape. What
    /// it leaves of an array is skipped.
    ///
    /// # Errors
    /// Text that is not JSON.
    fn read(value: Value<'_, 'de>) -> Result<Option<Self>, Broken>;
}

impl Shape<'_> for bool {
    fn read(value: Value<'_, '_>) -> Result<Option<Self>, Broken> {
        Ok(match value {
            Value::Boolean(value) => Some(value),
            _ => None,
        })
    }
}

impl Shape<'_> for u64 {
    fn read(value: Value<'_, '_>) -> Result<Option<Self>, Broken> {
        Ok(match value {
            Value::Natural(value) => Some(value),
            _ => None,
        })
    }
}

impl Shape<'_> for f64 {
    fn read(value: Value<'_, '_>) -> Result<Option<Self>, Broken> {
        Ok(match value {
            // JavaScript has doubles only, and no rule tells larger integers apart.
            Value::Natural(value) => Some(value as Self),
            Value::Number(value) => Some(value),
            _ => None,
        })
    }
}

impl<'de> Shape<'de> for Cow<'de, str> {
    fn read(value: Value<'_, 'de>) -> Result<Option<Self>, Broken> {
        Ok(match value {
            Value::String(value) => Some(value),
            _ => None,
        })
    }
}

impl<'de, T: Shape<'de>> Shape<'de> for Vec<Member<T>> {
    fn read(value: Value<'_, 'de>) -> Result<Option<Self>, Broken> {
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

/// Declares which keys of an object go to which fields of a struct. The last of
/// equal keys counts, and other keys are skipped.
#[macro_export]
macro_rules! object_shape {
    ($type:ty { $($key:literal => $field:ident),+ $(,)? }) => {
        impl<'de> $crate::Object<'de> for $type {
            fn member(&mut self, key: &str) -> $crate::Place<'_, 'de> {
                match key {
                    $($key => (&mut self.$field).into(),)+
                    _ => $crate::Place::Nowhere,
                }
            }
        }

        impl<'de> $crate::Shape<'de> for $type {
            fn read(value: $crate::Value<'_, 'de>) -> Result<Option<Self>, $crate::Broken> {
                value.object()
            }
        }
    };
}
