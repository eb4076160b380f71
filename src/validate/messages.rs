//! The conversation: which messages say something, and what.
//!
//! Messages of unknown roles and without content are left out, as the reference
//! does; pictures count in the message that is to be answered, and only there.

use tidegate_json::{Kind, Member};

use crate::openai::request::{
    CalledFunction, Content, Message as Sent, Messages, Part, Parts, Text, ToolCall as SentCall,
};
use crate::rejection::Rejection;
use crate::runtime::{ContentPart, Message, Role, ToolCall};

use super::images::{Images, UrlPolicy};

/// What OpenClaw's clients keep in the place of a turn that failed.
const FAILED_TURN: &str = "[assistant turn failed before producing content]";

/// Reads the conversation.
pub(super) fn messages(sent: Messages<'_>, policy: &UrlPolicy) -> Result<Vec<Message>, Rejection> {
    let sent: Vec<(Speaker, Sent<'_>)> = sent
        .0
        .into_iter()
        .filter_map(|message| Some((Speaker::of(message.role.as_ok()?)?, message)))
        .collect();
    let current = sent.iter().rposition(|(speaker, _)| speaker.is_answered());
    let mut messages = Vec::with_capacity(sent.len());
    for (index, (speaker, message)) in sent.into_iter().enumerate() {
        let mut images = Images::new(policy, current == Some(index));
        messages.extend(speaker.message(message, &mut images)?);
    }
    if !messages.iter().all(Message::instructs) {
        return Ok(messages);
    }
    Err(Rejection::invalid(
        "messages",
        "Missing user message in `messages`.",
    ))
}

/// Who speaks, in the words of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaker {
    System,
    Developer,
    User,
    Assistant,
    Tool,
    /// The tool role of the API's older version, known by the function's name.
    Function,
}

impl Speaker {
    fn of(role: &Text<'_>) -> Option<Self> {
        match role.trim() {
            "system" => Some(Self::System),
            "developer" => Some(Self::Developer),
            "user" => Some(Self::User),
            "assistant" => Some(Self::Assistant),
            "tool" => Some(Self::Tool),
            "function" => Some(Self::Function),
            _ => None,
        }
    }

    fn is_answered(self) -> bool {
        match self {
            Self::User | Self::Tool | Self::Function => true,
            Self::System | Self::Developer | Self::Assistant => false,
        }
    }

    fn message(
        self,
        sent: Sent<'_>,
        images: &mut Images<'_>,
    ) -> Result<Option<Message>, Rejection> {
        match self {
            Self::System => Ok(spoken(Role::System, texts(sent.content.ok()))),
            Self::Developer => Ok(spoken(Role::Developer, texts(sent.content.ok()))),
            Self::User => Ok(spoken(Role::User, contents(sent.content.ok(), images)?)),
            Self::Assistant => Ok(assistant(sent)),
            Self::Tool | Self::Function => Ok(self.result(sent)),
        }
    }

    /// Reads a tool's result. It may be empty if it says which call or function
    /// it belongs to.
    fn result(self, sent: Sent<'_>) -> Option<Message> {
        let tool_call_id = name(sent.tool_call_id.ok());
        let name = name(sent.name.ok());
        let names_itself = match self {
            Self::Function => name.is_some(),
            _ => tool_call_id.is_some() && says_anything(sent.content.as_ok()),
        };
        let content = texts(sent.content.ok());
        if content.is_empty() && !names_itself {
            return None;
        }
        Some(Message {
            tool_call_id,
            name,
            ..bare(Role::Tool, content)
        })
    }
}

fn bare(role: Role, content: Vec<ContentPart>) -> Message {
    Message {
        role,
        content,
        tool_calls: Vec::new(),
        tool_call_id: None,
        name: None,
    }
}

fn spoken(role: Role, content: Vec<ContentPart>) -> Option<Message> {
    (!content.is_empty()).then(|| bare(role, content))
}

fn assistant(sent: Sent<'_>) -> Option<Message> {
    let failed = sent
        .stop_reason
        .as_ok()
        .is_some_and(|reason| reason == "error");
    let content = texts(sent.content.ok());
    if failed && matches!(content.as_slice(), [ContentPart::Text(text)] if text == FAILED_TURN) {
        return None;
    }
    let calls = sent.tool_calls.ok().unwrap_or_default();
    let calls = calls.into_iter().filter_map(|call| tool_call(call.ok()?));
    let message = Message {
        tool_calls: calls.collect(),
        ..bare(Role::Assistant, content)
    };
    (!message.content.is_empty() || !message.tool_calls.is_empty()).then_some(message)
}

fn tool_call(call: SentCall<'_>) -> Option<ToolCall> {
    let function = call.function.ok()?;
    Some(ToolCall {
        id: name(call.id.ok())?,
        arguments: arguments(&function),
        name: name(function.name.ok())?,
    })
}

/// Returns the arguments as JSON text: the text itself, or an object as it
/// stands in the request.
fn arguments(function: &CalledFunction<'_>) -> String {
    let Some(raw) = function.arguments.map(|raw| raw.get()) else {
        return String::new();
    };
    match tidegate_json::parse::<Text<'_>>(raw) {
        Ok(Member::Is(text)) => text.into_owned(),
        Ok(Member::Not(Kind::Object)) => raw.to_owned(),
        Ok(Member::Absent | Member::Null | Member::Not(_)) | Err(_) => String::new(),
    }
}

fn name(text: Option<Text<'_>>) -> Option<String> {
    let text = text?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Tells whether a tool message has content, be it empty. Parts of which none
/// is text are none.
fn says_anything(content: Option<&Content<'_>>) -> bool {
    match content {
        None => false,
        Some(Content::Text(_)) => true,
        Some(Content::Parts(parts)) => parts.said.iter().any(is_text) || is_empty_list(parts),
    }
}

fn is_empty_list(parts: &Parts<'_>) -> bool {
    parts.said.is_empty() && !parts.has_others
}

fn is_text(part: &Part<'_>) -> bool {
    matches!(part, Part::Text(text) if !text.trim().is_empty())
}

/// Returns the texts of a message.
fn texts(content: Option<Content<'_>>) -> Vec<ContentPart> {
    match content {
        None => Vec::new(),
        Some(Content::Text(text)) => text_part(text).into_iter().collect(),
        Some(Content::Parts(parts)) => {
            let texts = parts.said.into_iter().filter_map(|part| match part {
                Part::Text(text) => text_part(text),
                Part::ImageUrl(_) => None,
            });
            texts.collect()
        }
    }
}

/// Returns the texts and pictures of a message.
fn contents(
    content: Option<Content<'_>>,
    images: &mut Images<'_>,
) -> Result<Vec<ContentPart>, Rejection> {
    let Some(Content::Parts(parts)) = content else {
        return Ok(texts(content));
    };
    let mut contents = Vec::with_capacity(parts.said.len());
    for part in parts.said {
        match part {
            Part::Text(text) => contents.extend(text_part(text)),
            Part::ImageUrl(url) => contents.extend(images.read(url.as_deref())?),
        }
    }
    Ok(contents)
}

/// A text counts without the white space around it, and not at all without
/// anything else.
fn text_part(text: Text<'_>) -> Option<ContentPart> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return None;
    }
    let text = if trimmed.len() == text.len() {
        text.into_owned()
    } else {
        trimmed.to_owned()
    };
    Some(ContentPart::Text(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Vec<Message>, String> {
        let sent: Member<Messages<'_>> = tidegate_json::parse(json).unwrap();
        messages(sent.ok().unwrap(), &UrlPolicy::Refuse).map_err(|rejection| rejection.to_string())
    }

    fn part_summary(part: &ContentPart) -> String {
        match part {
            ContentPart::Text(text) => text.clone(),
            ContentPart::Image(image) => format!("<{}>", image.media_type),
            ContentPart::ImageUrl(url) => format!("<{url}>"),
        }
    }

    fn summary(json: &str) -> Vec<String> {
        let messages = read(json).unwrap();
        let summaries = messages.iter().map(|message| {
            let parts: Vec<_> = message.content.iter().map(part_summary).collect();
            let calls = message.tool_calls.iter();
            let calls: Vec<_> = calls
                .map(|c| format!("{}={}({})", c.id, c.name, c.arguments))
                .collect();
            let ids = [&message.tool_call_id, &message.name];
            let ids: Vec<_> = ids.into_iter().flatten().cloned().collect();
            format!(
                "{:?} {} {} {}",
                message.role,
                parts.join("|"),
                calls.join(","),
                ids.join(",")
            )
        });
        summaries.map(|text| text.trim_end().to_owned()).collect()
    }

    #[test]
    fn every_role_speaks() {
        let json = r#"[{"role":"system","content":"s"},{"role":"developer","content":"d"},
            {"role":" user ","content":"u"},{"role":"assistant","content":"a"},
            {"role":"tool","tool_call_id":"c1","content":"t"},{"role":"function","name":"f","content":null}]"#;
        assert_eq!(
            summary(json),
            [
                "Role::System s",
                "Role::Developer d",
                "Role::User u",
                "Role::Assistant a",
                "Role::Tool t  c1",
                "Role::Tool   f"
            ]
        );
    }

    #[test]
    fn what_says_nothing_is_left_out() {
        let json = r#"[null,1,"x",{},{"content":"x"},{"role":"User","content":"x"},{"role":"narrator","content":"x"},
            {"role":"user","content":null},{"role":"user","content":7},{"role":"user","content":"  "},
            {"role":"user","content":[]},{"role":"user","content":[{"type":"input_audio"}]},
            {"role":"assistant","content":"[assistant turn failed before producing content]","stopReason":"error"},
            {"role":"tool","content":""},{"role":"tool","tool_call_id":"c","content":null},
            {"role":"tool","tool_call_id":"c","content":[{"type":"input_audio"}]},
            {"role":"user","content":" kept \n"}]"#;
        assert_eq!(summary(json), ["Role::User kept"]);
    }

    #[test]
    fn parts_of_text_are_kept_in_order() {
        let json = r#"[{"role":"user","content":[{"type":"text","text":"a"},{"type":"input_text","text":"b"},
            {"type":"input_text","input_text":"c"},{"type":"weird","input_text":"d"},{"type":"text","text":""},
            {"type":"file","file":{}},5]}]"#;
        assert_eq!(summary(json), ["Role::User a|b|c|d"]);
    }

    #[test]
    fn an_assistants_calls_are_kept_with_their_arguments() {
        let json = r#"[{"role":"user","content":"q"},{"role":"assistant","content":null,"tool_calls":[
            {"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},
            {"id":"c2","function":{"name":"g","arguments":{"b": 2}}},
            {"id":"c3","function":{"name":"h"}},
            {"id":"","function":{"name":"x"}},{"function":{"name":"x"}},{"id":"c4"},null]}]"#;
        assert_eq!(
            summary(json).last().unwrap(),
            r#"Role::Assistant  c1=f({"a":1}),c2=g({"b": 2}),c3=h()"#
        );
    }

    #[test]
    fn an_empty_result_counts_if_it_names_its_call() {
        for content in [r#""""#, "[]"] {
            let json = format!(r#"[{{"role":"tool","tool_call_id":"c1","content":{content}}}]"#);
            assert_eq!(summary(&json), ["Role::Tool   c1"], "{content}");
        }
    }

    #[test]
    fn pictures_count_in_the_message_to_be_answered_only() {
        let image = r#"{"type":"image_url","image_url":{"url":"data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"}}"#;
        let ask = |text: &str| {
            format!(r#"{{"role":"user","content":[{{"type":"text","text":"{text}"}},{image}]}}"#)
        };
        let two = format!("[{},{}]", ask("old"), ask("new"));
        assert_eq!(
            summary(&two),
            ["Role::User old", "Role::User new|<image/gif>"]
        );
        let then_tool = format!(r#"[{},{{"role":"tool","content":"t"}}]"#, ask("old"));
        assert_eq!(summary(&then_tool), ["Role::User old", "Role::Tool t"]);
        let alone = format!(
            r#"[{{"role":"user","content":[{image}]}},{{"role":"assistant","content":"a"}}]"#
        );
        assert_eq!(
            summary(&alone),
            ["Role::User <image/gif>", "Role::Assistant a"]
        );
    }

    #[test]
    fn a_picture_without_an_address_is_refused_and_not_passed_over() {
        for member in [
            "",
            r#","image_url":null"#,
            r#","image_url":5"#,
            r#","image_url":[]"#,
            r#","image_url":{}"#,
            r#","image_url":{"url":5}"#,
        ] {
            let part = format!(r#"{{"type":"image_url"{member}}}"#);
            let text = r#"{"type":"text","text":"see"}"#;
            let asked = format!(r#"{{"role":"user","content":[{text},{part}]}}"#);
            let refused = read(&format!("[{asked}]")).unwrap_err();
            let start = "Invalid image_url content";
            assert!(refused.starts_with(start), "{part}: {refused}");
            let earlier = format!(r#"[{asked},{{"role":"user","content":"x"}}]"#);
            assert_eq!(
                summary(&earlier),
                ["Role::User see", "Role::User x"],
                "{part}"
            );
        }
    }

    #[test]
    fn a_conversation_in_which_nobody_speaks_is_refused() {
        for json in [
            "[]",
            "[{}]",
            r#"[{"role":"system","content":"be nice"}]"#,
            r#"[{"role":"user","content":""}]"#,
        ] {
            assert_eq!(
                read(json).unwrap_err(),
                "Missing user message in `messages`.",
                "{json}"
            );
        }
        assert!(read(r#"[{"role":"assistant","content":"only me"}]"#).is_ok());
    }
}
