//! The tool choice.

use std::collections::BTreeSet;

use tidegate_json::Member;

use crate::openai::responses::{ChosenTool, ToolChoice as Choice};
use crate::rejection::{Quote, Rejection};
use crate::run::call;
use crate::runtime::{Tool, ToolChoice};

use super::toolbox::{Offer, Toolbox};

/// Returns the tools that the runtime gets, and the tool choice. With the choice `none` the
/// runtime gets no tools, and with a choice that names tools only those.
///
/// # Errors
/// A choice of tools that the request does not have.
pub(super) fn choose(
    toolbox: Toolbox,
    choice: &Member<Choice<'_>>,
) -> Result<(Vec<Tool>, ToolChoice), Rejection> {
    let chosen = match choice {
        Member::Absent | Member::Null => return Ok((all(toolbox), ToolChoice::Auto)),
        Member::Is(Choice::Word(word)) => return word_choice(word, toolbox),
        Member::Is(Choice::Tool(tool)) => tool,
        Member::Not(_) => return Err(reject("it must be a string or an object")),
    };
    if kind(chosen) == "allowed_tools" {
        return allowed(chosen, toolbox);
    }
    let name = find(chosen, &toolbox)?.tool.name.clone();
    let tools = only(toolbox, &BTreeSet::from([name.clone()]));
    Ok((tools, ToolChoice::Named(name)))
}

fn word_choice(word: &str, toolbox: Toolbox) -> Result<(Vec<Tool>, ToolChoice), Rejection> {
    match word {
        "auto" => Ok((all(toolbox), ToolChoice::Auto)),
        "none" => Ok((Vec::new(), ToolChoice::None)),
        "required" => required(all(toolbox)),
        _ => Err(reject(
            "it must be `auto`, `none`, `required` or name a tool",
        )),
    }
}

/// Reads a list of tools that the agent may call. It may name tools that only OpenAI hosts,
/// as `tools` may.
fn allowed(
    chosen: &ChosenTool<'_>,
    toolbox: Toolbox,
) -> Result<(Vec<Tool>, ToolChoice), Rejection> {
    let Member::Is(list) = &chosen.tools else {
        return Err(reject("`allowed_tools` needs a list of `tools`"));
    };
    let mut names = BTreeSet::new();
    for tool in list {
        let tool = tool.as_ok();
        let tool = tool.ok_or_else(|| reject("each allowed tool must be an object"))?;
        if matches!(kind(tool), "function" | "custom") {
            names.insert(find(tool, &toolbox)?.tool.name.clone());
        }
    }
    let tools = only(toolbox, &names);
    match chosen.mode.as_ok().map(AsRef::as_ref) {
        None | Some("auto") => Ok((tools, ToolChoice::Auto)),
        Some("required") => required(tools),
        Some(_) => Err(reject("`mode` must be `auto` or `required`")),
    }
}

fn required(tools: Vec<Tool>) -> Result<(Vec<Tool>, ToolChoice), Rejection> {
    match tools.is_empty() {
        true => Err(reject("`required` needs functions to choose from")),
        false => Ok((tools, ToolChoice::Required)),
    }
}

/// Finds a chosen tool.
fn find<'t>(chosen: &ChosenTool<'_>, toolbox: &'t Toolbox) -> Result<&'t Offer, Rejection> {
    let kind = kind(chosen);
    if !matches!(kind, "function" | "custom") {
        let kind = Quote(kind);
        return Err(reject(&format!(
            "the agent has no tool of the type `{kind}` that the gateway knows. Choose a `function` or a `custom` tool"
        )));
    }
    let nested = chosen.function.as_ok();
    let nested = nested.and_then(|function| call::name(function.name.as_ok().cloned()));
    let name = call::name(chosen.name.as_ok().cloned()).or(nested);
    let name = name.ok_or_else(|| reject("`name` is missing"))?;
    let namespace = call::name(chosen.namespace.as_ok().cloned());
    let offer = toolbox.find(namespace.as_deref(), &name);
    offer.ok_or_else(|| {
        let name = Quote(&name);
        reject(&format!("the tool `{name}` is not one of `tools`"))
    })
}

fn kind<'c>(chosen: &'c ChosenTool<'_>) -> &'c str {
    chosen.kind.as_ok().map_or("", AsRef::as_ref)
}

fn all(toolbox: Toolbox) -> Vec<Tool> {
    toolbox.offers.into_iter().map(|offer| offer.tool).collect()
}

fn only(toolbox: Toolbox, names: &BTreeSet<String>) -> Vec<Tool> {
    let mut tools = all(toolbox);
    tools.retain(|tool| names.contains(&tool.name));
    tools
}

fn reject(why: &str) -> Rejection {
    Rejection::invalid("tool_choice", format!("Invalid `tool_choice`: {why}."))
}
