//! History: how much of a resent conversation reaches the runtime.
//!
//! OpenAI's clients send the whole conversation with every request. A runtime with
//! sessions already has all but the last turn, and must not get the rest twice.

use crate::runtime::{Message, Role};

/// The messages that the gateway forwards when a request continues a session. A
/// fresh session gets all messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum History {
    /// Instructions, and the messages after the agent's last one.
    #[default]
    Latest,
    /// All messages, as with OpenClaw's own endpoint.
    Full,
}

impl History {
    /// Returns the messages that the runtime does not have yet.
    pub(super) fn select(self, messages: Vec<Message>) -> Vec<Message> {
        match self {
            Self::Full => messages,
            Self::Latest => latest(messages),
        }
    }
}

/// Keeps all instructions, and the messages from the agent's last one to the message
/// that asks for a reply. A conversation of agent messages alone keeps the last one.
fn latest(messages: Vec<Message>) -> Vec<Message> {
    let asks = |message: &Message| matches!(message.role, Role::User | Role::Tool);
    let speaks = |message: &Message| !message.is_instruction();
    let Some(asked) = messages.iter().rposition(asks) else {
        let last = messages.iter().rposition(speaks);
        return keep(messages, last..=last);
    };
    let mut before = messages.iter().enumerate().take(asked).rev();
    let answered = before.find(|(_, message)| message.role == Role::Assistant);
    let first = answered.map_or(0, |(at, _)| at + 1);
    keep(messages, Some(first)..=Some(asked))
}

fn keep(messages: Vec<Message>, turns: std::ops::RangeInclusive<Option<usize>>) -> Vec<Message> {
    let numbered = messages.into_iter().enumerate();
    let kept =
        numbered.filter(|(at, message)| message.is_instruction() || turns.contains(&Some(*at)));
    kept.map(|(_, message)| message).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::ContentPart;

    /// Makes a conversation from letters: `s`ystem, `d`eveloper, `u`ser, `a`ssistant,
    /// `t`ool. The text of each message is its letter and index.
    fn latest_of(letters: &str) -> String {
        let message = |(at, letter): (usize, char)| Message {
            role: match letter {
                's' => Role::System,
                'd' => Role::Developer,
                'u' => Role::User,
                'a' => Role::Assistant,
                _ => Role::Tool,
            },
            content: vec![ContentPart::Text(format!("{letter}{at}"))],
            tool_calls: Vec::new(),
            tool_call_id: None,
            name: None,
        };
        let messages = letters.chars().enumerate().map(message).collect();
        let kept = History::Latest.select(messages);
        let texts = kept.iter().map(|message| match message.content.as_slice() {
            [ContentPart::Text(text)] => text.as_str(),
            _ => "?",
        });
        texts.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn latest_keeps_the_messages_after_the_last_reply() {
        for (conversation, kept) in [
            ("u", "u0"),
            ("su", "s0 u1"),
            ("suauau", "s0 u5"),
            ("uauu", "u2 u3"),
            ("uat", "t2"),
            ("uatt", "t2 t3"),
            ("uatu", "t2 u3"),
            ("sudasu", "s0 d2 s4 u5"),
            ("ua", "u0"),
            ("uaua", "u2"),
            ("uauaa", "u2"),
            ("a", "a0"),
            ("saa", "s0 a2"),
        ] {
            assert_eq!(latest_of(conversation), kept, "{conversation}");
        }
    }
}
