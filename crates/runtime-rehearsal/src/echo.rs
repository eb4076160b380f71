//! The echo: a short reply that quotes the message and names the agent and the session.

use std::collections::BTreeMap;

use crate::conversation::{self, Prompt};
use crate::types::{ContentPart, Message, Role, RunRequest};

/// The maximum number of quoted characters of a text.
const QUOTE_LIMIT: usize = 200;

/// The maximum number of quoted results.
const RESULT_LIMIT: usize = 8;

/// Makes the echo of a request.
pub(crate) fn echo(request: &RunRequest) -> String {
    format!(
        "Agent {} {} ({}, session {}).{}{}",
        request.agent,
        heard(request),
        counted(request.messages.len(), "message"),
        request.session,
        images(&request.messages),
        instructions(&request.messages),
    )
}

/// Quotes a text. A long text is cut off.
pub(crate) fn quote(text: &str) -> String {
    let mut characters = text.chars();
    let begin: String = characters.by_ref().take(QUOTE_LIMIT).collect();
    let cut = if characters.next().is_some() {
        "…"
    } else {
        ""
    };
    format!("\"{begin}{cut}\"")
}

fn heard(request: &RunRequest) -> String {
    match conversation::prompt(&request.messages) {
        Prompt::Said(text) => format!("heard {}", quote(&text)),
        Prompt::Returned(results) => format!("got {}", returned(&results, &request.messages)),
    }
}

fn returned(results: &[&Message], messages: &[Message]) -> String {
    let quoted = results.iter().take(RESULT_LIMIT);
    let mut quotes: Vec<_> = quoted.map(|result| one_result(result, messages)).collect();
    let more = results.len().saturating_sub(RESULT_LIMIT);
    if more > 0 {
        quotes.push(counted(more, "more result"));
    }
    quotes.join(" and ")
}

fn one_result(result: &Message, messages: &[Message]) -> String {
    let text = quote(&conversation::text(result));
    let Some(id) = &result.tool_call_id else {
        return format!("{text} for no call");
    };
    match function(result, id, messages) {
        Some(name) => format!("{text} from {name} for {id}"),
        None => format!("{text} for {id}"),
    }
}

/// Finds the function of a result. Clients seldom repeat its name.
fn function<'a>(result: &'a Message, id: &str, messages: &'a [Message]) -> Option<&'a str> {
    let mut calls = messages.iter().flat_map(|message| &message.tool_calls);
    let called = || calls.find(|call| call.id == id).map(|call| &call.name);
    let name = result.name.as_ref().or_else(called)?;
    Some(name)
}

fn images(messages: &[Message]) -> String {
    let mut kinds = BTreeMap::<&str, usize>::new();
    for kind in messages
        .iter()
        .flat_map(|m| &m.content)
        .filter_map(image_kind)
    {
        let count = kinds.entry(kind).or_default();
        *count = count.saturating_add(1);
    }
    if kinds.is_empty() {
        return String::new();
    }
    let listed: Vec<_> = kinds
        .iter()
        .map(|(kind, n)| format!("{n} {kind}"))
        .collect();
    let total = counted(kinds.values().sum(), "image");
    format!(" With {total}: {}.", listed.join(", "))
}

fn image_kind(part: &ContentPart) -> Option<&str> {
    match part {
        ContentPart::Text(_) => None,
        ContentPart::Image(image) => Some(&image.media_type),
        ContentPart::ImageUrl(_) => Some("by address"),
    }
}

fn instructions(messages: &[Message]) -> String {
    let is_instruction =
        |message: &&Message| matches!(message.role, Role::System | Role::Developer);
    match messages.iter().filter(is_instruction).count() {
        0 => String::new(),
        count => format!(" With {}.", counted(count, "message of instructions")),
    }
}

/// Counts a thing: `1 message`, `2 messages`, `2 messages of instructions`.
fn counted(count: usize, thing: &str) -> String {
    let (noun, rest) = match thing.split_once(" of ") {
        Some((noun, rest)) => (noun, format!(" of {rest}")),
        None => (thing, String::new()),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::tests::{message, request, said};
    use crate::types::{Image, ToolCall};

    #[test]
    fn an_echo_names_the_agent_the_session_and_the_number_of_messages() {
        assert_eq!(
            echo(&said("Hello")),
            "Agent main heard \"Hello\" (1 message, session agent:main:openai:1)."
        );
    }

    #[test]
    fn instructions_are_counted() {
        let messages = vec![
            message(Role::System, "Be brief."),
            message(Role::Developer, "Be kind."),
            message(Role::User, "Hello"),
        ];
        assert_eq!(
            echo(&request(messages)),
            "Agent main heard \"Hello\" (3 messages, session agent:main:openai:1). \
             With 2 messages of instructions."
        );
    }

    #[test]
    fn pictures_are_counted_by_type() {
        let picture = |media_type: &str| {
            ContentPart::Image(Image {
                media_type: media_type.to_owned(),
                data: vec![0],
            })
        };
        let mut user = message(Role::User, "Look");
        user.content.push(picture("image/png"));
        user.content.push(picture("image/jpeg"));
        user.content.push(picture("image/png"));
        let address = "https://a.test/b.gif".to_owned();
        user.content.push(ContentPart::ImageUrl(address));
        let echo = echo(&request(vec![user]));
        let told = " With 4 images: 1 by address, 1 image/jpeg, 2 image/png.";
        assert!(echo.ends_with(told), "{echo}");
    }

    #[test]
    fn a_result_is_told_with_its_call_and_its_function() {
        let mut assistant = message(Role::Assistant, "");
        assistant.tool_calls.push(ToolCall {
            id: "call_1".to_owned(),
            name: "get_weather".to_owned(),
            arguments: "{}".to_owned(),
        });
        let mut known = message(Role::Tool, "18 °C");
        known.tool_call_id = Some("call_1".to_owned());
        let mut strange = message(Role::Tool, "?");
        strange.tool_call_id = Some("call_2".to_owned());
        let lost = message(Role::Tool, "!");
        assert_eq!(
            echo(&request(vec![assistant, known, strange, lost])),
            "Agent main got \"18 °C\" from get_weather for call_1 and \"?\" for call_2 \
             and \"!\" for no call (4 messages, session agent:main:openai:1)."
        );
    }

    #[test]
    fn an_echo_is_short_however_much_was_said() {
        let many = vec![message(Role::Tool, &"é ".repeat(10_000)); 1_000];
        let told = echo(&request(many));
        assert!(
            told.contains(" and 992 more results (1000 messages"),
            "{told}"
        );
        assert!(told.chars().count() < 2_000);
    }

    #[test]
    fn a_long_text_is_quoted_in_part() {
        for text in ["é ".repeat(10_000), "x".repeat(201)] {
            let quoted = quote(&text);
            assert_eq!(quoted.chars().count(), QUOTE_LIMIT + 3);
            assert!(quoted.ends_with("…\""));
        }
        assert_eq!(quote(&"x".repeat(200)), format!("\"{}\"", "x".repeat(200)));
    }
}
