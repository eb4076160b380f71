//! How much of a resent conversation reaches the runtime.
//!
//! OpenAI's clients send the whole conversation each time; a runtime with
//! sessions already has all of it but the last turn, and would hear everything
//! twice.

use crate::runtime::{Message, Role};

/// What is passed on of a request that continues a session. A request of its
/// own session always says everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum History {
    /// Instructions, and what follows the agent's last answer.
    #[default]
    Latest,
    /// Everything, as OpenClaw's own endpoint does.
    Full,
}

impl History {
    /// Returns what the runtime has not heard yet.
    pub(super) fn select(self, messages: Vec<Message>) -> Vec<Message> {
        match self {
            Self::Full => messages,
            Self::Latest => latest(messages),
        }
    }
}

/// Keeps instructions wherever they stand, and the turns between the agent's
/// last answer and the message that is to be answered. A conversation in which
/// only the agent speaks keeps its last message.
fn latest(messages: Vec<Message>) -> Vec<Message> {
    let asks = |message: &Message| matches!(message.role, Role::User | Role::Tool);
    let speaks = |message: &Message| !message.instructs();
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
    let kept = numbered.filter(|(at, message)| message.instructs() || turns.contains(&Some(*at)));
    kept.map(|(_, message)| message).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::ContentPart;

    /// Makes a conversation of letters: `s`ystem, `d`eveloper, `u`ser,
    /// `a`ssistant, `t`ool; each message says its place.
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
    fn the_latest_turns_follow_the_last_answer() {
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
