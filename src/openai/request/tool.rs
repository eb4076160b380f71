//! The tools of a request, and the tool choice.

use tidegate_json::{Member, Shape, SyntaxError, Value, object_shape};

use super::{Raw, Text};

/// A tool that the client offers.
#[derive(Debug, Default)]
pub struct Tool<'de> {
    /// The type of tool. Only `function` is supported.
    pub kind: Member<Text<'de>>,
    /// The function.
    pub function: Member<Function<'de>>,
}

object_shape!(Tool<'de> {
    "type" => kind,
    "function" => function,
});

/// The member `function` of a tool.
#[derive(Debug, Default)]
pub struct Function<'de> {
    /// The function's name.
    pub name: Member<Text<'de>>,
    /// A description for the model.
    pub description: Member<Text<'de>>,
    /// The JSON Schema of its arguments.
    pub parameters: Raw<'de>,
    /// Whether arguments must match the schema exactly.
    pub strict: Member<bool>,
}

object_shape!(Function<'de> {
    "name" => name,
    "description" => description,
    "parameters" => parameters,
    "strict" => strict,
});

/// The member `tool_choice`: a string, or an object that names a tool.
#[derive(Debug)]
pub enum ToolChoice<'de> {
    /// `auto`, `none`, `required` or any other string.
    Word(Text<'de>),
    /// The object.
    Tool(Box<Tool<'de>>),
}

impl<'de> Shape<'de> for ToolChoice<'de> {
    fn read(value: Value<'_, 'de>) -> Result<Option<Self>, SyntaxError> {
        if let Value::String(word) = value {
            return Ok(Some(Self::Word(word)));
        }
        let tool: Option<Tool<'_>> = value.object()?;
        Ok(tool.map(|tool| Self::Tool(Box::new(tool))))
    }
}
