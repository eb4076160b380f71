//! The items of a response's output.

use serde::{Serialize, Serializer};

/// An item of the output.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum OutputItem<'a> {
    /// A message of the agent.
    Message {
        /// The id of the item.
        id: &'a str,
        /// Its status.
        status: ItemStatus,
        /// Always `assistant`.
        role: &'static str,
        /// The text; an empty list before the text begins.
        content: Parts<TextPart<'a>>,
    },
    /// The agent's reasoning, if clients may see it.
    Reasoning {
        /// The id of the item.
        id: &'a str,
        /// The text; an empty list before the text begins.
        summary: Parts<TextPart<'a>>,
        /// Its status.
        status: ItemStatus,
    },
    /// A call of a function.
    FunctionCall {
        /// The id of the item.
        id: &'a str,
        /// The id of the call, which the client's result repeats.
        call_id: &'a str,
        /// The function's name.
        name: &'a str,
        /// The function's namespace, if it is in one.
        #[serde(skip_serializing_if = "Option::is_none")]
        namespace: Option<&'a str>,
        /// The arguments, as JSON text.
        arguments: &'a str,
        /// Its status.
        status: ItemStatus,
    },
    /// A call of a custom tool.
    CustomToolCall {
        /// The id of the item.
        id: &'a str,
        /// The id of the call, which the client's result repeats.
        call_id: &'a str,
        /// The tool's name.
        name: &'a str,
        /// The tool's namespace, if it is in one.
        #[serde(skip_serializing_if = "Option::is_none")]
        namespace: Option<&'a str>,
        /// The text.
        input: &'a str,
        /// Its status.
        status: ItemStatus,
    },
}

impl ItemStatus {
    /// Returns the status of an item that has ended.
    #[must_use]
    pub const fn of(is_cut: bool) -> Self {
        if is_cut {
            Self::Incomplete
        } else {
            Self::Completed
        }
    }
}

/// The status of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemStatus {
    /// The agent writes it.
    InProgress,
    /// It is complete.
    Completed,
    /// Its end is missing.
    Incomplete,
}

/// A part of an item: its text.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TextPart<'a> {
    /// The text of a message.
    OutputText {
        /// The text.
        text: &'a str,
        /// Always empty: a run has no annotations. OpenAI's schema requires the member.
        annotations: Empty,
        /// Always empty: a run has no probabilities.
        logprobs: Empty,
    },
    /// The text of reasoning.
    SummaryText {
        /// The text.
        text: &'a str,
    },
}

/// A list that is always empty.
pub type Empty = [(); 0];

/// A list with at most one part.
#[derive(Debug)]
pub struct Parts<T>(pub Option<T>);

impl<T: Serialize> Serialize for Parts<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}
