//! The messages of a conversation: the one to reply to, and their words.

use crate::types::{ContentPart, Message, Role};

/// The messages to reply to.
#[derive(Debug, PartialEq)]
pub(crate) enum Prompt<'a> {
    /// The text of a message.
    Said(String),
    /// The results of tools, oldest first.
    Returned(Vec<&'a Message>),
}

/// Returns the last message of the user, or the results of tools after it. A conversation
/// without either is answered by its last message.
pub(crate) fn prompt(messages: &[Message]) -> Prompt<'_> {
    let asks = |message: &&Message| matches!(message.role, Role::User | Role::Tool);
    let Some(last) = messages.iter().rfind(asks).or(messages.last()) else {
        return Prompt::Said(String::new());
    };
    if last.role != Role::Tool {
        return Prompt::Said(text(last));
    }
    let latest = messages.iter().rev().skip_while(|m| m.role != Role::Tool);
    let mut results: Vec<_> = latest.take_while(|m| m.role == Role::Tool).collect();
    results.reverse();
    Prompt::Returned(results)
}

/// Returns the text of a message, with one line per part.
pub(crate) fn text(message: &Message) -> String {
    texts(message).collect::<Vec<_>>().join("\n")
}

/// Counts the words of a conversation.
pub(crate) fn words(messages: &[Message]) -> u64 {
    messages.iter().flat_map(texts).map(count_words).sum()
}

/// Counts the words between white space.
pub(crate) fn count_words(text: &str) -> u64 {
    text.split_whitespace().map(|_| 1).sum()
}

fn texts(message: &Message) -> impl Iterator<Item = &str> {
    message.content.iter().filter_map(|part| match part {
        ContentPart::Text(text) => Some(text.as_str()),
        ContentPart::Image(_) | ContentPart::ImageUrl(_) => None,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::types::RunRequest;
    pub(crate) use tidegate_agent::fixtures::request;

    /// Makes a message with one text.
    pub(crate) fn message(role: Role, text: &str) -> Message {
        tidegate_agent::fixtures::message(role, &[text])
    }

    /// Makes a request with a message of the user.
    pub(crate) fn said(text: &str) -> RunRequest {
        request(vec![message(Role::User, text)])
    }

    #[test]
    fn the_last_user_message_is_answered() {
        let cases: [(&[(Role, &str)], &str); 5] = [
            (&[(Role::User, "one")], "one"),
            (&[(Role::User, "one"), (Role::System, "be brief")], "one"),
            (
                &[
                    (Role::User, "one"),
                    (Role::Assistant, "1"),
                    (Role::User, "two"),
                ],
                "two",
            ),
            (&[(Role::Developer, "alone")], "alone"),
            (&[], ""),
        ];
        for (conversation, expected) in cases {
            let messages: Vec<_> = conversation.iter().map(|(r, t)| message(*r, t)).collect();
            let expected = Prompt::Said(expected.to_owned());
            assert_eq!(prompt(&messages), expected, "{conversation:?}");
        }
    }

    #[test]
    fn only_the_latest_results_are_answered() {
        let messages = [
            message(Role::User, "/tool a"),
            message(Role::Tool, "old"),
            message(Role::Assistant, ""),
            message(Role::Tool, "first"),
            message(Role::Tool, "second"),
            message(Role::System, "be brief"),
        ];
        let results = vec![&messages[3], &messages[4]];
        assert_eq!(prompt(&messages), Prompt::Returned(results));
    }

    #[test]
    fn parts_are_lines_and_images_have_no_words() {
        let mut user = message(Role::User, "what is");
        user.content
            .push(ContentPart::ImageUrl("https://a.test/b c".to_owned()));
        user.content.push(ContentPart::Text("this?".to_owned()));
        assert_eq!(text(&user), "what is\nthis?");
        assert_eq!(words(&[user]), 3);
    }
}
