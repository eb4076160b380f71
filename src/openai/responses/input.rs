//! The input of a request: a text, or a list of items.

use tidegate_json::{Kind, Member, Shape, SyntaxError, Value, object_shape};

use crate::openai::request::{Raw, Text};

/// The input.
#[derive(Debug)]
pub enum Input<'de> {
    /// What the user says.
    Text(Text<'de>),
    /// The items of a conversation.
    Items(Items<'de>),
}

impl<'de> Shape<'de> for Input<'de> {
    fn read(value: Value<'_, 'de>) -> Result<Option<Self>, SyntaxError> {
        match value {
            Value::String(text) => Ok(Some(Self::Text(text))),
            value => Ok(Items::read(value)?.map(Self::Items)),
        }
    }
}

/// The items in their order, up to the first value that is not an object.
#[derive(Debug, Default)]
pub struct Items<'de> {
    /// The items.
    pub list: Vec<InputItem<'de>>,
    /// The type of the first value that is not an object. It follows `list`.
    pub other: Option<Kind>,
}

impl<'de> Shape<'de> for Items<'de> {
    fn read(value: Value<'_, 'de>) -> Result<Option<Self>, SyntaxError> {
        let Value::Array(values) = value else {
            return Ok(None);
        };
        let mut items = Self::default();
        // A body can hold many values, and the first fault is enough.
        while items.other.is_none()
            && let Some(value) = values.read::<InputItem<'de>>()?
        {
            match value {
                Member::Is(item) => items.list.push(item),
                Member::Not(kind) => items.other = Some(kind),
                Member::Null | Member::Absent => items.other = Some(Kind::Null),
            }
        }
        Ok(Some(items))
    }
}

/// An item of the input, with the members of every type that the gateway uses.
#[derive(Debug, Default)]
pub struct InputItem<'de> {
    /// The type. An item without one is a message.
    pub kind: Member<Text<'de>>,
    /// The role of a message's author.
    pub role: Member<Text<'de>>,
    /// The content of a message.
    pub content: Raw<'de>,
    /// The id that a call and its output share.
    pub call_id: Member<Text<'de>>,
    /// The name of a called tool.
    pub name: Member<Text<'de>>,
    /// The namespace of a called tool.
    pub namespace: Member<Text<'de>>,
    /// The arguments of a function's call: a string of JSON text, or a JSON value.
    pub arguments: Raw<'de>,
    /// The text of a custom tool's call.
    pub input: Raw<'de>,
    /// The output of a call: a text, content parts, or any JSON value.
    pub output: Raw<'de>,
    /// More tools, an array.
    pub tools: Raw<'de>,
}

object_shape!(InputItem<'de> {
    "type" => kind,
    "role" => role,
    "content" => content,
    "call_id" => call_id,
    "name" => name,
    "namespace" => namespace,
    "arguments" => arguments,
    "input" => input,
    "output" => output,
    "tools" => tools,
});
