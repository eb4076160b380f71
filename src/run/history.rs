//! History: how much of a resent conversation reaches the runtime.
//!
//! OpenAI's clients send the whole conversation with every request. A runtime with
//! sessions already has all but the last turn, and must not get the rest twice.

use std::ops::RangeInclusive;

use crate::runtime::{Continuity, Message, Role};

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
    pub(super) fn select(self, messages: Vec<Message>, continuity: Continuity) -> Vec<Message> {
        match (self, continuity) {
            (Self::Full, _) | (_, Continuity::Fresh | Continuity::Opening) => messages,
            (Self::Latest, Continuity::Continued) => latest(messages),
        }
    }
}

/// Who speaks in a turn of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// The application, which instructs the agent.
    Instruction,
    /// The user or a tool. The agent replies to it.
    Asks,
    /// The agent.
    Agent,
}

impl Turn {
    fn of(message: &Message) -> Self {
        match message.role {
            Role::System | Role::Developer => Self::Instruction,
            Role::User | Role::Tool => Self::Asks,
            Role::Assistant => Self::Agent,
        }
    }
}

/// Returns the first and the last turn that the session does not have: those from the
/// agent's last reply to the turn that asks for a reply. Without such a turn, it is the
/// agent's last one.
fn new_turns(turns: &[Turn]) -> Option<RangeInclusive<usize>> {
    let Some(asked) = turns.iter().rposition(|turn| *turn == Turn::Asks) else {
        let last = turns.iter().rposition(|turn| *turn == Turn::Agent)?;
        return Some(last..=last);
    };
    let mut before = turns.iter().take(asked);
    let replied = before.rposition(|turn| *turn == Turn::Agent);
    Some(replied.map_or(0, |at| at + 1)..=asked)
}

/// Returns the first turn that the session does not have.
pub(super) fn first_new(turns: &[Turn], continuity: Continuity) -> usize {
    match continuity {
        Continuity::Fresh | Continuity::Opening => 0,
        Continuity::Continued => new_turns(turns).map_or(0, |turns| *turns.start()),
    }
}

/// Keeps all instructions, and the new turns.
fn latest(messages: Vec<Message>) -> Vec<Message> {
    let turns: Vec<_> = messages.iter().map(Turn::of).collect();
    let new = new_turns(&turns);
    let numbered = messages.into_iter().enumerate();
    let is_new = |at| new.as_ref().is_some_and(|new| new.contains(&at));
    let kept = numbered.filter(|(at, message)| message.is_instruction() || is_new(*at));
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
        let kept = History::Latest.select(messages, Continuity::Continued);
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
