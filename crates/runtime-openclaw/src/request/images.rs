//! The images of a conversation, in the message in which OpenClaw reads them.
//!
//! OpenClaw reads the images of the last message, and only if it is the user's. So all other
//! images move there, and a text marks the place of each. After the result of a tool, a
//! user's message of their own has them.

use std::borrow::Cow;

use crate::types::{ContentPart, Message, Role};

use super::message::{Part, WireMessage};

/// Encodes the messages with all images where OpenClaw reads them.
pub(super) fn gathered(messages: &[Message]) -> Vec<WireMessage<'_>> {
    let asks = |message: &Message| matches!(message.role, Role::User | Role::Tool);
    let asked = messages.iter().rposition(asks);
    let reader = asked.filter(|at| is_user(messages.get(*at)));
    let mut moved = Vec::new();
    let mut encoded = Vec::with_capacity(messages.len() + 1);
    for (at, message) in messages.iter().enumerate() {
        if Some(at) == reader {
            encoded.push(with_moved(message, &mut moved));
        } else {
            encoded.push(with_marks(message, &mut moved));
        }
        if Some(at) == asked && !moved.is_empty() {
            encoded.push(WireMessage::of_user(introduced(&mut moved)));
        }
    }
    encoded
}

fn is_user(message: Option<&Message>) -> bool {
    message.is_some_and(|message| message.role == Role::User)
}

/// Encodes a message with a text in the place of each image.
fn with_marks<'r>(message: &'r Message, moved: &mut Vec<Part<'r>>) -> WireMessage<'r> {
    let parts = message.content.iter();
    if parts.clone().all(is_text) {
        return WireMessage::new(message);
    }
    let parts = parts.map(|part| {
        if is_text(part) {
            return Part::new(part);
        }
        moved.push(Part::new(part));
        Part::text(format!("[image {}]", moved.len()))
    });
    WireMessage::with_parts(message, parts.collect())
}

/// Encodes the message that OpenClaw reads images from, after the moved ones.
fn with_moved<'r>(message: &'r Message, moved: &mut Vec<Part<'r>>) -> WireMessage<'r> {
    if moved.is_empty() {
        return WireMessage::new(message);
    }
    let mut parts = introduced(moved);
    parts.extend(message.content.iter().map(Part::new));
    WireMessage::with_parts(message, parts)
}

/// Takes the moved images, after a text that introduces them.
fn introduced<'r>(moved: &mut Vec<Part<'r>>) -> Vec<Part<'r>> {
    let introduction = match moved.len() {
        1 => Cow::Borrowed("[image 1 of the conversation above follows]"),
        count => Cow::Owned(format!(
            "[images 1 to {count} of the conversation above follow]"
        )),
    };
    let mut parts = vec![Part::text(introduction)];
    parts.append(moved);
    parts
}

fn is_text(part: &ContentPart) -> bool {
    match part {
        ContentPart::Text(_) => true,
        ContentPart::Image(_) | ContentPart::ImageUrl(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tidegate_agent::fixtures::message;

    use super::*;

    fn image(name: &str) -> ContentPart {
        ContentPart::ImageUrl(name.to_owned())
    }

    fn with_image(role: Role, text: &str, name: &str) -> Message {
        let mut message = message(role, &[text]);
        message.content.push(image(name));
        message
    }

    fn encoded(messages: &[Message]) -> Vec<Value> {
        let wire = serde_json::to_value(gathered(messages)).unwrap();
        let wire = wire.as_array().unwrap().iter();
        wire.map(|message| json!([message["role"], message["content"]]))
            .collect()
    }

    fn url(name: &str) -> Value {
        json!({ "type": "image_url", "image_url": { "url": name } })
    }

    fn text(text: &str) -> Value {
        json!({ "type": "text", "text": text })
    }

    #[test]
    fn images_of_the_last_question_stay() {
        let ask = [
            message(Role::User, &["a"]),
            with_image(Role::User, "b", "1"),
        ];
        assert_eq!(
            encoded(&ask),
            [json!(["user", "a"]), json!(["user", [text("b"), url("1")]])]
        );
    }

    #[test]
    fn images_of_earlier_messages_move_to_the_question() {
        let ask = [
            with_image(Role::User, "a", "1"),
            message(Role::Assistant, &["x"]),
            with_image(Role::Tool, "t", "2"),
            with_image(Role::User, "b", "3"),
        ];
        let introduction = text("[images 1 to 2 of the conversation above follow]");
        assert_eq!(
            encoded(&ask),
            [
                json!(["user", [text("a"), text("[image 1]")]]),
                json!(["assistant", "x"]),
                json!(["tool", [text("t"), text("[image 2]")]]),
                json!([
                    "user",
                    [introduction, url("1"), url("2"), text("b"), url("3")]
                ]),
            ]
        );
    }

    #[test]
    fn images_before_the_result_of_a_tool_follow_it() {
        let ask = [
            with_image(Role::User, "a", "1"),
            message(Role::Tool, &["t"]),
        ];
        let introduction = text("[image 1 of the conversation above follows]");
        assert_eq!(
            encoded(&ask),
            [
                json!(["user", [text("a"), text("[image 1]")]]),
                json!(["tool", "t"]),
                json!(["user", [introduction, url("1")]]),
            ]
        );
    }

    #[test]
    fn a_conversation_without_images_is_unchanged() {
        let ask = [
            message(Role::User, &["a", "b"]),
            message(Role::Tool, &["t"]),
        ];
        let plain: Vec<_> = ask.iter().map(WireMessage::new).collect();
        let plain = serde_json::to_value(plain).unwrap();
        assert_eq!(serde_json::to_value(gathered(&ask)).unwrap(), plain);
    }
}
