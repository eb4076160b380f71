//! The tools that a client offers, and the tool choice.

use tidegate_json::Member;

use crate::openai::request::{Function, Raw, Text, Tool as OfferedTool, ToolChoice as Choice};
use crate::rejection::{Quote, Rejection};
use crate::runtime::{Tool, ToolChoice};

use super::schema;

type Offered<'de> = Member<Vec<Member<OfferedTool<'de>>>>;

/// Reads the tools and the tool choice. With the choice `none` the runtime gets no
/// tools, and with a named choice only that tool.
pub(super) fn tools(
    offered: Offered<'_>,
    choice: Member<Choice<'_>>,
) -> Result<(Vec<Tool>, ToolChoice), Rejection> {
    let offered = offered.ok().unwrap_or_default();
    let mut tools = offered
        .into_iter()
        .map(tool)
        .collect::<Result<Vec<_>, _>>()?;
    let choice = tool_choice(choice)?;
    match &choice {
        ToolChoice::Auto => {}
        ToolChoice::None => tools.clear(),
        ToolChoice::Required if tools.is_empty() => {
            return Err(reject_choice("`required` needs `tools` to choose from"));
        }
        ToolChoice::Required => {}
        ToolChoice::Named(name) => {
            tools.retain(|tool| tool.name == *name);
            if tools.is_empty() {
                let name = Quote(name);
                let why = format!("the tool `{name}` is not one of `tools`");
                return Err(reject_choice(&why));
            }
        }
    }
    Ok((tools, choice))
}

fn tool(offered: Member<OfferedTool<'_>>) -> Result<Tool, Rejection> {
    let offered = offered
        .ok()
        .ok_or_else(|| reject_tool("each tool must be an object"))?;
    if offered.kind.as_ok().map(AsRef::as_ref) != Some("function") {
        return Err(reject_tool(
            "only tools of the type `function` are supported",
        ));
    }
    let function = offered.function.ok();
    let function = function.ok_or_else(|| reject_tool("each tool needs a `function` object"))?;
    let name = function_name(&function);
    let name = name.ok_or_else(|| reject_tool("each function needs a `name`"))?;
    Ok(Tool {
        name,
        description: function.description.ok().map(Text::into_owned),
        parameters: parameters(function.parameters)?,
        strict: function.strict.ok(),
    })
}

fn function_name(function: &Function<'_>) -> Option<String> {
    let name = function.name.as_ok()?.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

fn parameters(schema: Raw<'_>) -> Result<Option<String>, Rejection> {
    schema::parameters(schema).map_err(|_| reject_tool("`parameters` nests deeper than 128 levels"))
}

fn tool_choice(choice: Member<Choice<'_>>) -> Result<ToolChoice, Rejection> {
    let named = match choice {
        Member::Absent | Member::Null => return Ok(ToolChoice::Auto),
        Member::Is(Choice::Word(word)) => return word_choice(word.as_ref()),
        Member::Is(Choice::Tool(tool)) => tool,
        Member::Not(_) => return Err(reject_choice("it must be a string or an object")),
    };
    if named.kind.as_ok().map(AsRef::as_ref) != Some("function") {
        return Err(reject_choice(
            "only tools of the type `function` can be chosen",
        ));
    }
    let name = named.function.as_ok().and_then(function_name);
    let name = name.ok_or_else(|| reject_choice("`function.name` is missing"))?;
    Ok(ToolChoice::Named(name))
}

fn word_choice(word: &str) -> Result<ToolChoice, Rejection> {
    match word {
        "auto" => Ok(ToolChoice::Auto),
        "none" => Ok(ToolChoice::None),
        "required" => Ok(ToolChoice::Required),
        _ => Err(reject_choice(
            "it must be `auto`, `none`, `required` or name a tool",
        )),
    }
}

fn reject_tool(why: &str) -> Rejection {
    Rejection::invalid("tools", format!("Invalid `tools`: {why}."))
}

fn reject_choice(why: &str) -> Rejection {
    Rejection::invalid("tool_choice", format!("Invalid `tool_choice`: {why}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tools_json: &str, choice_json: &str) -> Result<(Vec<String>, ToolChoice), String> {
        let offered: Offered<'_> = tidegate_json::parse(tools_json).unwrap();
        let choice: Member<Choice<'_>> = tidegate_json::parse(choice_json).unwrap();
        let read = tools(offered, choice).map_err(|rejection| rejection.to_string());
        read.map(|(tools, choice)| (tools.into_iter().map(|tool| tool.name).collect(), choice))
    }

    fn offer(names: &[&str]) -> String {
        let tools: Vec<_> = names
            .iter()
            .map(|name| format!(r#"{{"type":"function","function":{{"name":"{name}"}}}}"#))
            .collect();
        format!("[{}]", tools.join(","))
    }

    #[test]
    fn the_choice_decides_which_tools_are_offered() {
        let named = r#"{"type":"function","function":{"name":" b "}}"#;
        let cases = [
            ("null", ToolChoice::Auto, vec!["a", "b"]),
            (r#""auto""#, ToolChoice::Auto, vec!["a", "b"]),
            (r#""none""#, ToolChoice::None, vec![]),
            (r#""required""#, ToolChoice::Required, vec!["a", "b"]),
            (named, ToolChoice::Named("b".to_owned()), vec!["b"]),
        ];
        for (choice, expected, names) in cases {
            let names = names.into_iter().map(str::to_owned).collect();
            assert_eq!(
                read(&offer(&["a", "b"]), choice),
                Ok((names, expected)),
                "{choice}"
            );
        }
    }

    #[test]
    fn every_tool_must_be_a_named_function() {
        for tool in [
            "1",
            "null",
            r#""x""#,
            "{}",
            r#"{"type":"custom","custom":{}}"#,
            r#"{"type":"function"}"#,
            r#"{"type":"function","function":"x"}"#,
            r#"{"type":"function","function":{}}"#,
            r#"{"type":"function","function":{"name":" "}}"#,
            r#"{"type":"function","function":{"name":1}}"#,
        ] {
            let rejected = read(&format!("[{tool}]"), "null").unwrap_err();
            assert!(
                rejected.starts_with("Invalid `tools`: "),
                "{tool}: {rejected}"
            );
        }
    }

    #[test]
    fn a_choice_without_a_matching_tool_is_rejected() {
        for (tools, choice) in [
            ("[]", r#""required""#),
            ("[]", r#"{"type":"function","function":{"name":"a"}}"#),
            ("[]", "1"),
            ("[]", "[]"),
            ("[]", "true"),
            ("[]", r#""AUTO""#),
            ("[]", "{}"),
            ("[]", r#"{"type":"allowed_tools"}"#),
            ("[]", r#"{"type":"function"}"#),
            ("[]", r#"{"type":"function","function":{}}"#),
        ] {
            let rejected = read(tools, choice).unwrap_err();
            assert!(
                rejected.starts_with("Invalid `tool_choice`: "),
                "{choice}: {rejected}"
            );
        }
    }

    #[test]
    fn a_schema_is_unchanged_and_must_not_nest_too_deep() {
        let schema = |json: &str| {
            let raw: Raw<'_> = serde_json::from_str(json).unwrap();
            parameters(raw).map_err(|rejection| rejection.to_string())
        };
        assert_eq!(
            schema(r#"{ "b":1,"a":"[{" }"#),
            Ok(Some(r#"{ "b":1,"a":"[{" }"#.to_owned()))
        );
        for other in ["null", "1", "[]", r#""x""#] {
            assert_eq!(schema(other), Ok(None), "{other}");
        }
        let nested =
            |depth: usize| format!("{{\"a\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(schema(&nested(127)).is_ok());
        assert!(schema(&nested(128)).is_err());
        assert!(schema(&nested(100_000)).is_err());
    }
}
