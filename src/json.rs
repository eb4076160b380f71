//! JSON text as values whose shape may be wrong.
//!
//! A member of the wrong type is a value here, [`Member::Not`], and not an
//! error: the checks that follow have an order of their own, and an ignored
//! member may hold anything. Strings are borrowed from the text wherever it has
//! no escapes in them, and what no type asks for is skipped without a copy.
//!
//! Rules: RFC 8259; where it leaves room, those of JavaScript's `JSON.parse`,
//! which the reference uses.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

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

/// What stands under a key that is expected to hold a `T`.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Member<T> {
    /// Nothing.
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
    /// Returns the value if it has the expected shape. For members whose wrong
    /// values count as absent.
    pub fn ok(self) -> Option<T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Absent | Self::Null | Self::Not(_) => None,
        }
    }

    /// Returns the value if it has the expected shape, without taking it.
    pub fn as_ok(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Absent | Self::Null | Self::Not(_) => None,
        }
    }
}

/// A type that can be made from some kinds of JSON values. Each method answers
/// for one kind; by default it is not of this shape.
pub trait Shape<'de>: Sized {
    /// Makes the value from `true` or `false`.
    fn boolean(_: bool) -> Option<Self> {
        None
    }

    /// Makes the value from a number.
    fn number(_: f64) -> Option<Self> {
        None
    }

    /// Makes the value from a string.
    fn string(_: Cow<'de, str>) -> Option<Self> {
        None
    }

    /// Makes the value from an array, which must be read to its end.
    ///
    /// # Errors
    /// Only those of the JSON syntax.
    fn array<A: SeqAccess<'de>>(mut items: A) -> Result<Option<Self>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    /// Makes the value from an object, which must be read to its end.
    ///
    /// # Errors
    /// Only those of the JSON syntax.
    fn object<A: MapAccess<'de>>(mut members: A) -> Result<Option<Self>, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

impl Shape<'_> for bool {
    fn boolean(value: bool) -> Option<Self> {
        Some(value)
    }
}

impl Shape<'_> for f64 {
    fn number(value: f64) -> Option<Self> {
        Some(value)
    }
}

impl<'de> Shape<'de> for Cow<'de, str> {
    fn string(value: Self) -> Option<Self> {
        Some(value)
    }
}

impl<'de, T: Shape<'de>> Shape<'de> for Vec<Member<T>> {
    fn array<A: SeqAccess<'de>>(mut items: A) -> Result<Option<Self>, A::Error> {
        let mut values = Self::new();
        while let Some(value) = items.next_element()? {
            values.push(value);
        }
        Ok(Some(values))
    }
}

impl<'de, T: Shape<'de>> Deserialize<'de> for Member<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MemberVisitor(PhantomData))
    }
}

struct MemberVisitor<T>(PhantomData<T>);

impl<T> MemberVisitor<T> {
    fn member(value: Option<T>, kind: Kind) -> Member<T> {
        value.map_or(Member::Not(kind), Member::Is)
    }
}

impl<'de, T: Shape<'de>> Visitor<'de> for MemberVisitor<T> {
    type Value = Member<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Member::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Self::member(T::boolean(value), Kind::Boolean))
    }

    // JavaScript has doubles only, and no rule tells larger integers apart.
    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Self::member(T::number(value as f64), Kind::Number))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Self::member(T::number(value as f64), Kind::Number))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Self::member(T::number(value), Kind::Number))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Self::member(T::string(Cow::Borrowed(value)), Kind::String))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        let owned = Cow::Owned(value.to_owned());
        Ok(Self::member(T::string(owned), Kind::String))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        Ok(Self::member(T::array(items)?, Kind::Array))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        Ok(Self::member(T::object(members)?, Kind::Object))
    }
}

/// An object's key. Borrowed where it can be.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl Key<'_> {
    /// Returns the key's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Declares which keys of an object go to which fields of a struct. The last of
/// equal keys counts, and other keys are skipped.
macro_rules! object_shape {
    ($type:ty { $($key:literal => $field:ident),+ $(,)? }) => {
        impl<'de> $crate::json::Shape<'de> for $type {
            fn object<A: serde::de::MapAccess<'de>>(
                mut members: A,
            ) -> Result<Option<Self>, A::Error> {
                let mut object = Self::default();
                while let Some(key) = members.next_key::<$crate::json::Key<'de>>()? {
                    match key.as_str() {
                        $($key => object.$field = members.next_value()?,)+
                        _ => drop(members.next_value::<serde::de::IgnoredAny>()?),
                    }
                }
                Ok(Some(object))
            }
        }
    };
}
pub(crate) use object_shape;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_of_another_type_is_a_value_and_no_error() {
        let cases = [
            ("true", Member::Is(true)),
            ("null", Member::Null),
            ("1", Member::Not(Kind::Number)),
            ("-1", Member::Not(Kind::Number)),
            ("1.5", Member::Not(Kind::Number)),
            ("\"x\"", Member::Not(Kind::String)),
            ("\"\\n\"", Member::Not(Kind::String)),
            ("[1,[2]]", Member::Not(Kind::Array)),
            ("{\"a\":{}}", Member::Not(Kind::Object)),
        ];
        for (json, expected) in cases {
            let member: Member<bool> = serde_json::from_str(json).unwrap();
            assert_eq!(member, expected, "{json}");
        }
    }

    #[test]
    fn strings_are_borrowed_unless_they_hold_escapes() {
        let plain: Member<Cow<'_, str>> = serde_json::from_str("\"plain\"").unwrap();
        assert!(matches!(plain, Member::Is(Cow::Borrowed("plain"))));
        let escaped: Member<Cow<'_, str>> = serde_json::from_str(r#""a\nb""#).unwrap();
        assert!(matches!(escaped, Member::Is(Cow::Owned(text)) if text == "a\nb"));
    }
}
