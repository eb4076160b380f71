//! The messages of an input.
//!
//! Content is forwarded, or the request is refused by the path of the item or part that
//! cannot be used. What the agent said and called between two turns of the user is one
//! message, as in the Chat Completions API.

use serde::Serialize;
use tidegate_json::Member;

use crate::openai::request::{Raw, Text};
use crate::openai::responses::{Input, InputItem, Items};
use crate::rejection::{Quote, Rejection};
use crate::run::call::{arguments, name};
use crate::run::call_id::runtime_call_id;
use crate::run::content::{ContentReader, ImageUse};
use crate::run::history::{Turn, first_new};
use crate::run::place::Place;
use crate::run::rules::RunRules;
use crate::runtime::{ContentPart, Continuity, Message, Role, ToolCall};

use super::toolbox::Toolbox;

/// Returns the tools of the items that have some, with the places of these items.
pub(super) fn tools<'de>(input: &Member<Input<'de>>) -> Vec<(usize, Raw<'de>)> {
    let Member::Is(Input::Items(items)) = input else {
        return Vec::new();
    };
    let items = items.list.iter().enumerate();
    let with_tools = items.filter(|(_, item)| kind(item) == "additional_tools");
    with_tools.map(|(at, item)| (at, item.tools)).collect()
}

/// Returns whether the input refers to items that only OpenAI can read.
pub(super) fn has_references(input: &Member<Input<'_>>) -> bool {
    match input {
        Member::Is(Input::Items(items)) => {
            items.list.iter().any(|item| kind(item) == "item_reference")
        }
        Member::Is(Input::Text(_)) | Member::Absent | Member::Null | Member::Not(_) => false,
    }
}

/// Reads the messages of an input, after the instructions.
///
/// # Errors
/// An item, part or call that cannot be used, by its path.
pub(super) fn messages(
    input: Member<Input<'_>>,
    instructions: Option<&Text<'_>>,
    toolbox: &Toolbox,
    rules: &RunRules,
    continuity: Continuity,
) -> Result<Vec<Message>, Rejection> {
    let mut messages = Vec::new();
    let instructions = instructions.map(|text| Message::new(Role::System, text_content(text)));
    messages.extend(instructions.filter(|message| !message.content.is_empty()));
    match input {
        Member::Is(Input::Text(text)) => {
            let message = Message::new(Role::User, text_content(&text));
            messages.extend((!message.content.is_empty()).then_some(message));
        }
        Member::Is(Input::Items(items)) => {
            let mut reader = ItemReader {
                content: ContentReader::new(&rules.image_urls.responses, rules.text_file_limit),
                toolbox,
                messages,
            };
            reader.read(items, continuity)?;
            messages = reader.messages;
        }
        // `members` has checked the type.
        Member::Absent | Member::Null | Member::Not(_) => {}
    }
    Ok(messages)
}

/// The type of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Message(Role),
    FunctionCall,
    CustomCall,
    Output,
    /// Tools, and what only OpenAI can read.
    Skipped,
}

impl Kind {
    fn of(item: &InputItem<'_>, place: Place) -> Result<Self, Rejection> {
        match kind(item) {
            "message" => Ok(Self::Message(role(item, place)?)),
            "" if item.role.as_ok().is_some() => Ok(Self::Message(role(item, place)?)),
            "" => Err(place.reject(".type", "is missing.")),
            "function_call" => Ok(Self::FunctionCall),
            "custom_tool_call" => Ok(Self::CustomCall),
            "function_call_output" | "custom_tool_call_output" => Ok(Self::Output),
            "reasoning" | "item_reference" | "additional_tools" => Ok(Self::Skipped),
            other => {
                let other = Quote(other);
                let problem = format!("is `{other}`, which the agent cannot use.");
                Err(place.reject(".type", &problem))
            }
        }
    }

    fn turn(self) -> Turn {
        match self {
            Self::Message(Role::User | Role::Tool) | Self::Output => Turn::Asks,
            Self::Message(Role::Assistant) | Self::FunctionCall | Self::CustomCall => Turn::Agent,
            Self::Message(Role::System | Role::Developer) | Self::Skipped => Turn::Instruction,
        }
    }
}

fn kind<'i>(item: &'i InputItem<'_>) -> &'i str {
    item.kind.as_ok().map_or("", |kind| kind.trim())
}

fn role(item: &InputItem<'_>, place: Place) -> Result<Role, Rejection> {
    const ROLES: &str = "Use `user`, `assistant`, `system` or `developer`.";
    let Some(role) = item.role.as_ok() else {
        return Err(place.reject(".role", &format!("is missing. {ROLES}")));
    };
    match role.trim() {
        "user" => Ok(Role::User),
        "assistant" => Ok(Role::Assistant),
        "system" => Ok(Role::System),
        "developer" => Ok(Role::Developer),
        other => {
            let problem = format!("is `{}`, which is unknown. {ROLES}", Quote(other));
            Err(place.reject(".role", &problem))
        }
    }
}

/// Reads one item after the other.
struct ItemReader<'r> {
    content: ContentReader<'r>,
    toolbox: &'r Toolbox,
    messages: Vec<Message>,
}

impl ItemReader<'_> {
    fn read(&mut self, items: Items<'_>, continuity: Continuity) -> Result<(), Rejection> {
        let kinds = items.list.iter().enumerate();
        let kinds: Result<Vec<_>, _> = kinds
            .map(|(at, item)| Kind::of(item, Place::item(at)))
            .collect();
        let kinds = kinds?;
        if let Some(other) = items.other {
            let place = Place::item(items.list.len());
            return Err(place.reject("", &format!("must be an object, not {other}.")));
        }
        let turns: Vec<_> = kinds.iter().map(|kind| kind.turn()).collect();
        let new = first_new(&turns, continuity);
        for (at, (kind, item)) in kinds.into_iter().zip(items.list).enumerate() {
            let message = match kind {
                Kind::Message(role) => self.message(role, item, at, at >= new)?,
                Kind::FunctionCall | Kind::CustomCall => Some(self.call(kind, item, at)?),
                Kind::Output => Some(self.output(item, at, at >= new)?),
                Kind::Skipped => None,
            };
            if let Some(message) = message {
                self.push(message);
            }
        }
        Ok(())
    }

    /// Adds a message. What the agent says in several items is one message.
    fn push(&mut self, message: Message) {
        match self.messages.last_mut() {
            Some(last) if (last.role, message.role) == (Role::Assistant, Role::Assistant) => {
                last.content.extend(message.content);
                last.tool_calls.extend(message.tool_calls);
            }
            Some(_) | None => self.messages.push(message),
        }
    }

    fn message(
        &mut self,
        role: Role,
        item: InputItem<'_>,
        at: usize,
        is_new: bool,
    ) -> Result<Option<Message>, Rejection> {
        let images = match role {
            Role::User | Role::Tool => images(is_new),
            Role::System => ImageUse::Refused("system"),
            Role::Developer => ImageUse::Refused("developer"),
            Role::Assistant => ImageUse::Refused("assistant"),
        };
        let content = self.content.read(item.content, images, Place::item(at))?;
        Ok((!content.is_empty()).then(|| Message::new(role, content)))
    }

    fn call(&self, kind: Kind, item: InputItem<'_>, at: usize) -> Result<Message, Rejection> {
        let place = Place::item(at);
        let id = call_id(&item, place)?;
        let called = name(item.name.ok()).ok_or_else(|| place.reject(".name", "is missing."))?;
        let namespace = name(item.namespace.ok());
        let arguments = match kind {
            Kind::CustomCall => custom_arguments(&arguments(item.input)),
            Kind::FunctionCall | Kind::Message(_) | Kind::Output | Kind::Skipped => {
                arguments(item.arguments)
            }
        };
        let call = ToolCall {
            id,
            name: self.toolbox.offered_name(namespace.as_deref(), &called),
            arguments,
        };
        Ok(Message {
            tool_calls: vec![call],
            ..Message::new(Role::Assistant, Vec::new())
        })
    }

    fn output(
        &mut self,
        item: InputItem<'_>,
        at: usize,
        is_new: bool,
    ) -> Result<Message, Rejection> {
        let place = Place::output(at);
        let call = call_id(&item, place)?;
        let content = self
            .content
            .read_result(item.output, images(is_new), place)?;
        Ok(Message {
            tool_call_id: Some(call),
            ..Message::new(Role::Tool, content)
        })
    }
}

fn images(is_new: bool) -> ImageUse {
    match is_new {
        true => ImageUse::Forwarded,
        false => ImageUse::Known,
    }
}

fn call_id(item: &InputItem<'_>, place: Place) -> Result<String, Rejection> {
    let id = name(item.call_id.as_ok().cloned());
    let id = id.ok_or_else(|| place.reject(".call_id", "is missing."))?;
    Ok(runtime_call_id(id))
}

/// Returns the arguments of the function that stands for a custom tool.
fn custom_arguments(text: &str) -> String {
    #[derive(Serialize)]
    struct Arguments<'a> {
        input: &'a str,
    }
    serde_json::to_string(&Arguments { input: text }).unwrap_or_default()
}

fn text_content(text: &Text<'_>) -> Vec<ContentPart> {
    let is_blank = text.trim().is_empty();
    let part = (!is_blank).then(|| ContentPart::Text(text.clone().into_owned()));
    part.into_iter().collect()
}
