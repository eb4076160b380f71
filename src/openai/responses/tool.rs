//! The tools of a request, and the tool choice.

use tidegate_json::{Member, Shape, SyntaxError, Value, object_shape};

use crate::openai::request::{Raw, Text};

/// A tool that the client offers, with the members of every type that the gateway uses.
#[derive(Debug, Default)]
pub struct Tool<'de> {
    /// The type: `function`, `custom`, `namespace`, or a tool that OpenAI hosts.
    pub kind: Member<Text<'de>>,
    /// The name.
    pub name: Member<Text<'de>>,
    /// A description for the model.
    pub description: Member<Text<'de>>,
    /// The JSON Schema of a function's arguments.
    pub parameters: Raw<'de>,
    /// Whether arguments must match the schema exactly.
    pub strict: Member<bool>,
    /// The format of a custom tool's text.
    pub format: Member<CustomFormat<'de>>,
    /// The tools of a namespace, an array.
    pub tools: Raw<'de>,
}

object_shape!(Tool<'de> {
    "type" => kind,
    "name" => name,
    "description" => description,
    "parameters" => parameters,
    "strict" => strict,
    "format" => format,
    "tools" => tools,
});

/// The member `format` of a custom tool: `text`, or a grammar.
#[derive(Debug, Default)]
pub struct CustomFormat<'de> {
    /// The language of the grammar: `lark` or `regex`.
    pub syntax: Member<Text<'de>>,
    /// The grammar.
    pub definition: Member<Text<'de>>,
}

object_shape!(CustomFormat<'de> {
    "syntax" => syntax,
    "definition" => definition,
});

/// The member `tool_choice`: a string, or an object that names tools.
#[derive(Debug)]
pub enum ToolChoice<'de> {
    /// `auto`, `none`, `required` or any other string.
    Word(Text<'de>),
    /// The object.
    Tool(Box<ChosenTool<'de>>),
}

impl<'de> Shape<'de> for ToolChoice<'de> {
    fn read(value: Value<'_, 'de>) -> Result<Option<Self>, SyntaxError> {
        if let Value::String(word) = value {
            return Ok(Some(Self::Word(word)));
        }
        let tool: Option<ChosenTool<'_>> = value.object()?;
        Ok(tool.map(|tool| Self::Tool(Box::new(tool))))
    }
}

/// A chosen tool, or the list of the allowed ones.
#[derive(Debug, Default)]
pub struct ChosenTool<'de> {
    /// The type: that of a tool, or `allowed_tools`.
    pub kind: Member<Text<'de>>,
    /// The name of the tool.
    pub name: Member<Text<'de>>,
    /// The namespace of the tool.
    pub namespace: Member<Text<'de>>,
    /// The name, as the Chat Completions API has it.
    pub function: Member<NamedFunction<'de>>,
    /// Whether one of the allowed tools must be called: `auto` or `required`.
    pub mode: Member<Text<'de>>,
    /// The allowed tools.
    pub tools: Member<Vec<Member<Self>>>,
}

object_shape!(ChosenTool<'de> {
    "type" => kind,
    "name" => name,
    "namespace" => namespace,
    "function" => function,
    "mode" => mode,
    "tools" => tools,
});

/// The member `function` of a chosen tool.
#[derive(Debug, Default)]
pub struct NamedFunction<'de> {
    /// The name.
    pub name: Member<Text<'de>>,
}

object_shape!(NamedFunction<'de> {
    "name" => name,
});
