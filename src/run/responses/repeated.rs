//! What a response repeats of its request.

use serde::Serialize;
use tidegate_json::{Member, RawValue, Shape};

use crate::openai::request::{Raw, Text};
use crate::openai::responses::{
    ChosenTool, Echo, ReasoningEcho, ResponseRequest, TextFormat, Tool, ToolChoice, Truncation,
};

/// The maximum size of each member that a response repeats, in bytes: several events of a
/// stream contain them.
const SIZE_LIMIT: usize = 256 * 1024;

/// Returns what the response repeats. It does not repeat a member that has another type than
/// in OpenAI's API, or is larger than 256 KiB.
pub(super) fn read(request: &ResponseRequest<'_>) -> Echo {
    let no_effect = |name| {
        let mut members = request.no_effect.iter();
        let found = members.find(|(known, _)| *known == name);
        found.and_then(|(_, value)| *value)
    };
    let instructions = request.instructions.as_ok().map(AsRef::as_ref);
    Echo {
        instructions: instructions.and_then(short),
        max_output_tokens: request.max_output_tokens.as_ok().map(|cap| *cap as u64),
        max_tool_calls: typed(no_effect("max_tool_calls")),
        metadata: metadata(no_effect("metadata")),
        parallel_tool_calls: request.parallel_tool_calls.as_ok() != Some(&false),
        previous_response_id: text(&request.previous_response_id),
        prompt_cache_key: typed(no_effect("prompt_cache_key"))
            .and_then(|key: Text<'_>| short(&key)),
        reasoning: reasoning(request),
        safety_identifier: typed(no_effect("safety_identifier"))
            .and_then(|id: Text<'_>| short(&id)),
        temperature: request.temperature.as_ok().copied().unwrap_or(1.0),
        text: text_config(request),
        tool_choice: tool_choice(&request.tool_choice),
        tools: tools(request.tools),
        top_p: request.top_p.as_ok().copied().unwrap_or(1.0),
        truncation: match typed::<Text<'_>>(no_effect("truncation")).as_deref() {
            Some("auto") => Truncation::Auto,
            Some(_) | None => Truncation::Disabled,
        },
    }
}

fn short(text: &str) -> Option<String> {
    (text.len() <= SIZE_LIMIT).then(|| text.to_owned())
}

fn text(member: &Member<Text<'_>>) -> Option<String> {
    member.as_ok().and_then(|text| short(text))
}

fn typed<'de, T: Shape<'de>>(raw: Raw<'de>) -> Option<T> {
    tidegate_json::parse(raw?.get()).ok().and_then(Member::ok)
}

/// Encodes a value. Encoding structs and strings does not fail.
fn json(value: &impl Serialize) -> Box<RawValue> {
    let json = serde_json::value::to_raw_value(value);
    json.unwrap_or_else(|_| RawValue::NULL.to_owned())
}

fn metadata(sent: Raw<'_>) -> Box<RawValue> {
    #[derive(Serialize)]
    struct Empty {}
    match sent {
        Some(sent) if sent.get().starts_with('{') && sent.get().len() <= SIZE_LIMIT => {
            sent.to_owned()
        }
        Some(_) | None => json(&Empty {}),
    }
}

fn reasoning(request: &ResponseRequest<'_>) -> ReasoningEcho {
    let Member::Is(reasoning) = &request.reasoning else {
        return ReasoningEcho::default();
    };
    ReasoningEcho {
        effort: text(&reasoning.effort),
        summary: text(&reasoning.summary),
    }
}

/// The member `text`.
#[derive(Serialize)]
struct TextEcho<'a> {
    format: FormatEcho<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verbosity: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum FormatEcho<'a> {
    Text,
    JsonObject,
    JsonSchema {
        name: &'a str,
        description: Option<&'a str>,
        schema: &'a RawValue,
        strict: bool,
    },
}

fn text_config(request: &ResponseRequest<'_>) -> Box<RawValue> {
    let sent = request.text.as_ok();
    let format = sent.and_then(|text| text.format.as_ok());
    json(&TextEcho {
        format: format.map_or(FormatEcho::Text, format_echo),
        verbosity: sent.and_then(|text| text.verbosity.as_ok().map(AsRef::as_ref)),
    })
}

fn format_echo<'a>(format: &'a TextFormat<'_>) -> FormatEcho<'a> {
    let schema = format
        .schema
        .filter(|schema| schema.get().len() <= SIZE_LIMIT);
    match (format.kind.as_ok().map(AsRef::as_ref), schema) {
        (Some("json_object"), _) => FormatEcho::JsonObject,
        (Some("json_schema"), Some(schema)) => FormatEcho::JsonSchema {
            name: format.name.as_ok().map_or("response", AsRef::as_ref),
            description: format.description.as_ok().map(AsRef::as_ref),
            schema,
            strict: format.strict.as_ok() == Some(&true),
        },
        _ => FormatEcho::Text,
    }
}

/// The member `tool_choice`.
#[derive(Serialize)]
#[serde(untagged)]
enum ChoiceEcho<'a> {
    Word(&'a str),
    Tool {
        r#type: &'a str,
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        namespace: Option<&'a str>,
    },
    Allowed {
        r#type: &'a str,
        mode: &'a str,
        tools: Vec<Self>,
    },
}

fn tool_choice(sent: &Member<ToolChoice<'_>>) -> Box<RawValue> {
    json(&match sent {
        Member::Is(ToolChoice::Word(word)) => ChoiceEcho::Word(word),
        Member::Is(ToolChoice::Tool(tool)) => chosen_echo(tool),
        Member::Absent | Member::Null | Member::Not(_) => ChoiceEcho::Word("auto"),
    })
}

fn chosen_echo<'a>(chosen: &'a ChosenTool<'_>) -> ChoiceEcho<'a> {
    let kind = chosen.kind.as_ok().map_or("function", AsRef::as_ref);
    if let Member::Is(tools) = &chosen.tools {
        return ChoiceEcho::Allowed {
            r#type: kind,
            mode: chosen.mode.as_ok().map_or("auto", AsRef::as_ref),
            tools: tools
                .iter()
                .filter_map(Member::as_ok)
                .map(tool_echo)
                .collect(),
        };
    }
    tool_echo(chosen)
}

fn tool_echo<'a>(chosen: &'a ChosenTool<'_>) -> ChoiceEcho<'a> {
    let nested = chosen
        .function
        .as_ok()
        .and_then(|function| function.name.as_ok());
    let name = chosen.name.as_ok().or(nested);
    ChoiceEcho::Tool {
        r#type: chosen.kind.as_ok().map_or("function", AsRef::as_ref),
        name: name.map_or("", AsRef::as_ref),
        namespace: chosen.namespace.as_ok().map(AsRef::as_ref),
    }
}

/// A tool. A function has all members that clients require.
#[derive(Serialize)]
#[serde(untagged)]
enum ToolEcho<'a> {
    Function {
        r#type: &'static str,
        name: &'a str,
        description: Option<&'a str>,
        parameters: Raw<'a>,
        strict: Option<bool>,
    },
    Other(&'a RawValue),
}

fn tools(sent: Raw<'_>) -> Box<RawValue> {
    let sent = sent.filter(|sent| sent.get().len() <= SIZE_LIMIT);
    let list: Vec<&RawValue> = sent
        .and_then(|sent| serde_json::from_str(sent.get()).ok())
        .unwrap_or_default();
    let parsed = list
        .into_iter()
        .map(|raw| (raw, typed::<Tool<'_>>(Some(raw))));
    let parsed: Vec<_> = parsed.collect();
    let tools: Vec<_> = parsed
        .iter()
        .map(|(raw, tool)| match tool {
            Some(tool) if tool.kind.as_ok().is_some_and(|kind| kind == "function") => {
                function_echo(tool)
            }
            Some(_) | None => ToolEcho::Other(raw),
        })
        .collect();
    json(&tools)
}

fn function_echo<'a>(tool: &'a Tool<'_>) -> ToolEcho<'a> {
    ToolEcho::Function {
        r#type: "function",
        name: tool.name.as_ok().map_or("", AsRef::as_ref),
        description: tool.description.as_ok().map(AsRef::as_ref),
        parameters: tool
            .parameters
            .filter(|schema| schema.get().starts_with('{')),
        strict: tool.strict.as_ok().copied(),
    }
}
