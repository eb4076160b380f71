//! The events of a streamed response.

use serde::{Serialize, Serializer};

use super::item::{Empty, OutputItem, TextPart};
use super::object::Response;

/// An event of a streamed response.
#[derive(Debug, Serialize)]
pub struct StreamEvent<'a> {
    /// The type, which is also the event's name.
    pub r#type: EventType,
    /// The number of the event in its stream, from 0 on.
    pub sequence_number: u64,
    /// The other members.
    #[serde(flatten)]
    pub data: EventData<'a>,
}

/// The type of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventType {
    /// The response begins.
    Created,
    /// The response is in progress.
    InProgress,
    /// The response is complete.
    Completed,
    /// The response ended at a limit.
    Incomplete,
    /// The run failed.
    Failed,
    /// An item begins.
    ItemAdded,
    /// An item has ended.
    ItemDone,
    /// The text of a message begins.
    PartAdded,
    /// More text of a message.
    TextDelta,
    /// The text of a message has ended.
    TextDone,
    /// The text of a message has ended, as a part of the item.
    PartDone,
    /// The text of reasoning begins.
    SummaryPartAdded,
    /// More text of reasoning.
    SummaryDelta,
    /// The text of reasoning has ended.
    SummaryDone,
    /// The text of reasoning has ended, as a part of the item.
    SummaryPartDone,
    /// More arguments of a function's call.
    ArgumentsDelta,
    /// The arguments of a function's call have ended.
    ArgumentsDone,
    /// More text for a custom tool.
    InputDelta,
    /// The text for a custom tool has ended.
    InputDone,
}

impl EventType {
    /// Returns the name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "response.created",
            Self::InProgress => "response.in_progress",
            Self::Completed => "response.completed",
            Self::Incomplete => "response.incomplete",
            Self::Failed => "response.failed",
            Self::ItemAdded => "response.output_item.added",
            Self::ItemDone => "response.output_item.done",
            Self::PartAdded => "response.content_part.added",
            Self::TextDelta => "response.output_text.delta",
            Self::TextDone => "response.output_text.done",
            Self::PartDone => "response.content_part.done",
            Self::SummaryPartAdded => "response.reasoning_summary_part.added",
            Self::SummaryDelta => "response.reasoning_summary_text.delta",
            Self::SummaryDone => "response.reasoning_summary_text.done",
            Self::SummaryPartDone => "response.reasoning_summary_part.done",
            Self::ArgumentsDelta => "response.function_call_arguments.delta",
            Self::ArgumentsDone => "response.function_call_arguments.done",
            Self::InputDelta => "response.custom_tool_call_input.delta",
            Self::InputDone => "response.custom_tool_call_input.done",
        }
    }
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The members of an event that depend on its type.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum EventData<'a> {
    /// The response so far.
    Response {
        /// The response.
        response: &'a Response<'a>,
    },
    /// An item begins or has ended.
    Item {
        /// The index of the item in the output.
        output_index: usize,
        /// The item.
        item: OutputItem<'a>,
    },
    /// The part of an item begins or has ended.
    Part {
        /// The item.
        #[serde(flatten)]
        place: ItemPlace<'a>,
        /// The index of the part in its item.
        #[serde(flatten)]
        index: PartIndex,
        /// The part.
        part: TextPart<'a>,
    },
    /// An item has more text.
    Delta {
        /// The item.
        #[serde(flatten)]
        place: ItemPlace<'a>,
        /// The index of the part in its item.
        #[serde(flatten)]
        index: PartIndex,
        /// The text.
        delta: &'a str,
        /// For the text of a message.
        #[serde(skip_serializing_if = "Option::is_none")]
        logprobs: Option<Empty>,
    },
    /// A message's or reasoning's text has ended.
    Text {
        /// The item.
        #[serde(flatten)]
        place: ItemPlace<'a>,
        /// The index of the part in its item.
        #[serde(flatten)]
        index: PartIndex,
        /// The text.
        text: &'a str,
        /// For the text of a message.
        #[serde(skip_serializing_if = "Option::is_none")]
        logprobs: Option<Empty>,
    },
    /// The arguments of a function's call have ended.
    Arguments {
        /// The item.
        #[serde(flatten)]
        place: ItemPlace<'a>,
        /// The function's name.
        name: &'a str,
        /// The arguments, as JSON text.
        arguments: &'a str,
    },
    /// The text for a custom tool has ended.
    Input {
        /// The item.
        #[serde(flatten)]
        place: ItemPlace<'a>,
        /// The text.
        input: &'a str,
    },
}

/// The item of an event.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ItemPlace<'a> {
    /// The id of the item.
    pub item_id: &'a str,
    /// The index of the item in the output.
    pub output_index: usize,
}

/// The index of a part in its item: 0 in the member that the kind of item has.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct PartIndex {
    /// For a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_index: Option<u8>,
    /// For reasoning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary_index: Option<u8>,
}
