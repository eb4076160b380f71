//! The visitor that serde_json's parser calls for each value.
//!
//! It writes values through `dyn` references, so that the compiler generates this code
//! once instead of once per type.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::member::Member;
use crate::shape::{Shape, Value};

/// The text is not JSON. [`Access`] keeps serde's error, so that types need not know
/// serde.
#[derive(Debug)]
pub struct SyntaxError(());

/// The destination of a value.
pub(crate) trait Slot<'de> {
    fn put(&mut self, value: Value<'_, 'de>) -> Result<(), SyntaxError>;
}

/// The destination of a member's value.
pub enum Place<'a, 'de> {
    /// A field, for the parsed value.
    Field(Field<'a, 'de>),
    /// A field, for the JSON text. `null` becomes `None`.
    Text(&'a mut Option<&'de RawValue>),
    /// The value is skipped.
    Nowhere,
}

/// A field of any type.
pub struct Field<'a, 'de>(&'a mut dyn Slot<'de>);

impl<'a, 'de, T: Shape<'de>> From<&'a mut Member<T>> for Field<'a, 'de> {
    fn from(member: &'a mut Member<T>) -> Self {
        Self(member)
    }
}

impl<'a, 'de, T: Shape<'de>> From<&'a mut Member<T>> for Place<'a, 'de> {
    fn from(member: &'a mut Member<T>) -> Self {
        Self::Field(member.into())
    }
}

impl<'a, 'de> From<&'a mut Option<&'de RawValue>> for Place<'a, 'de> {
    fn from(text: &'a mut Option<&'de RawValue>) -> Self {
        Self::Text(text)
    }
}

impl<'de> Field<'_, 'de> {
    /// Parses a text.
    ///
    /// # Errors
    /// Text that is not JSON.
    pub(crate) fn parse(self, text: &'de str) -> Result<(), serde_json::Error> {
        let mut parser = serde_json::Deserializer::from_str(text);
        self.deserialize(&mut parser)?;
        parser.end()
    }
}

/// A struct with fields for the members of an object.
pub trait Object<'de> {
    /// Returns the destination of a key's value.
    fn member(&mut self, key: &str) -> Place<'_, 'de>;
}

/// The items of an array.
pub trait Items<'de> {
    #[doc(hidden)]
    fn read_into(&mut self, item: Field<'_, 'de>) -> Result<bool, SyntaxError>;
}

impl<'de> dyn Items<'de> + '_ {
    /// Reads the next item, if there is one.
    ///
    /// # Errors
    /// Text that is not JSON.
    pub fn read<T: Shape<'de>>(&mut self) -> Result<Option<Member<T>>, SyntaxError> {
        let mut item = Member::Absent;
        let is_read = self.read_into((&mut item).into())?;
        Ok(is_read.then_some(item))
    }
}

/// The members of an object.
pub trait Members<'de> {
    /// Reads all members. The last of equal keys counts.
    ///
    /// # Errors
    /// Text that is not JSON.
    fn read(&mut self, object: &mut dyn Object<'de>) -> Result<(), SyntaxError>;
}

/// One of serde's accessors, and its error.
struct Access<A, E> {
    parser: A,
    error: Option<E>,
}

impl<A, E> Access<A, E> {
    fn new(parser: A) -> Self {
        Self {
            parser,
            error: None,
        }
    }

    fn record<T>(&mut self, result: Result<T, E>) -> Result<T, SyntaxError> {
        result.map_err(|error| {
            self.error = Some(error);
            SyntaxError(())
        })
    }
}

impl<'de, A: SeqAccess<'de>> Items<'de> for Access<A, A::Error> {
    fn read_into(&mut self, item: Field<'_, 'de>) -> Result<bool, SyntaxError> {
        let read = self.parser.next_element_seed(item);
        self.record(read).map(|read| read.is_some())
    }
}

impl<'de, A: MapAccess<'de>> Members<'de> for Access<A, A::Error> {
    fn read(&mut self, object: &mut dyn Object<'de>) -> Result<(), SyntaxError> {
        let read = read_members(&mut self.parser, object);
        self.record(read)
    }
}

fn read_members<'de, A: MapAccess<'de>>(
    parser: &mut A,
    object: &mut dyn Object<'de>,
) -> Result<(), A::Error> {
    while let Some(key) = parser.next_key::<Key<'de>>()? {
        match object.member(&key.0) {
            Place::Field(field) => parser.next_value_seed(field)?,
            Place::Text(text) => *text = parser.next_value()?,
            Place::Nowhere => drop(parser.next_value::<IgnoredAny>()?),
        }
    }
    Ok(())
}

/// An object's key, borrowed if it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> DeserializeSeed<'de> for Field<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Field<'_, 'de> {
    /// Writes a value that contains no other values.
    fn put<E>(self, value: Value<'_, 'de>) -> Result<(), E> {
        // No text follows that could have a syntax error.
        drop(self.0.put(value));
        Ok(())
    }
}

impl<'de> Visitor<'de> for Field<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.put(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.put(Value::Boolean(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.put(Value::Natural(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.put(Value::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.put(Value::Number(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<(), E> {
        self.put(Value::String(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.put(Value::String(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        let mut items = Access::new(items);
        drop(self.0.put(Value::Array(&mut items)));
        if let Some(error) = items.error {
            return Err(error);
        }
        while items.parser.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error> {
        let mut members = Access::new(members);
        drop(self.0.put(Value::Object(&mut members)));
        if let Some(error) = members.error {
            return Err(error);
        }
        while members
            .parser
            .next_entry::<IgnoredAny, IgnoredAny>()?
            .is_some()
        {}
        Ok(())
    }
}
