//! An item of a response, and its events.

use crate::openai::responses::{
    EventData, EventType, ItemPlace, ItemStatus, OutputItem, PartIndex, Parts, TextPart,
};
use crate::reply::sse;
use crate::run::ToolKind;

use super::call::Call;
use super::events::Writer;

/// An item under construction.
#[derive(Debug)]
pub(super) struct Item {
    id: String,
    pub(super) content: Content,
    /// The text, the arguments or the input.
    text: String,
    /// The length of the text that events have shown.
    shown: usize,
    status: ItemStatus,
}

/// The kind of an item.
#[derive(Debug)]
pub(super) enum Content {
    /// A message.
    Message,
    /// Reasoning.
    Reasoning,
    /// A tool call.
    Call(Box<Call>),
}

impl Content {
    fn prefix(&self) -> &'static str {
        match self {
            Self::Message => "msg",
            Self::Reasoning => "rs",
            Self::Call(call) => match call.tool.kind {
                ToolKind::Function => "fc",
                ToolKind::Custom => "ctc",
            },
        }
    }
}

impl Item {
    /// Begins the item with an index in the output of a run.
    pub(super) fn new(content: Content, run: &str, index: usize) -> Self {
        Self {
            id: format!("{}_{run}_{index}", content.prefix()),
            content,
            text: String::new(),
            shown: 0,
            status: ItemStatus::InProgress,
        }
    }

    /// Appends text, or the arguments of a call.
    pub(super) fn push(&mut self, text: &str) {
        match &mut self.content {
            Content::Message | Content::Reasoning => self.text.push_str(text),
            Content::Call(call) => call.push(text, &mut self.text),
        }
    }

    /// Returns whether the item ends when another one begins.
    pub(super) fn is_complete(&self) -> bool {
        match &self.content {
            Content::Message | Content::Reasoning => true,
            Content::Call(call) => call.is_complete(),
        }
    }

    /// Returns whether the item may be a call whose arguments are cut.
    pub(super) fn is_cut(&self) -> bool {
        match &self.content {
            Content::Message | Content::Reasoning => false,
            Content::Call(call) => !call.is_complete() && !call.is_blank(),
        }
    }

    /// Returns whether the item is a call of a custom tool whose arguments continue after its
    /// text, but not as JSON.
    pub(super) fn is_broken(&self) -> bool {
        match &self.content {
            Content::Message | Content::Reasoning => false,
            Content::Call(call) => call.is_broken(),
        }
    }

    /// Appends the events of the item's begin.
    pub(super) fn open(&self, index: usize, writer: &mut Writer<'_>) {
        let item = self.output("", Parts(None));
        let output_index = index;
        writer.write(EventType::ItemAdded, EventData::Item { output_index, item });
        let r#type = match &self.content {
            Content::Message => EventType::PartAdded,
            Content::Reasoning => EventType::SummaryPartAdded,
            Content::Call(_) => return,
        };
        writer.write(r#type, self.part_data(index, ""));
    }

    /// Appends the events of the text that has not been shown yet.
    pub(super) fn show(&mut self, index: usize, writer: &mut Writer<'_>) {
        let r#type = match &self.content {
            Content::Message => EventType::TextDelta,
            Content::Reasoning => EventType::SummaryDelta,
            Content::Call(call) => match call.tool.kind {
                ToolKind::Function => EventType::ArgumentsDelta,
                ToolKind::Custom => EventType::InputDelta,
            },
        };
        if writer.is_read() {
            for delta in sse::pieces(self.text.get(self.shown..).unwrap_or_default()) {
                let data = EventData::Delta {
                    place: self.place(index),
                    index: self.part_index(),
                    delta,
                    logprobs: self.is_message().then_some([]),
                };
                writer.write(r#type, data);
            }
        }
        self.shown = self.text.len();
    }

    /// Ends the item. An incomplete one keeps the text so far.
    pub(super) fn close(&mut self, index: usize, status: ItemStatus, writer: &mut Writer<'_>) {
        if let (Content::Call(call), ItemStatus::Completed) = (&mut self.content, status) {
            call.finish(&mut self.text);
        }
        self.status = status;
        self.show(index, writer);
        // The text, its part and the item repeat it.
        writer.reserve(3 * self.text.len());
        self.end_text(index, writer);
        let item = self.done();
        let output_index = index;
        writer.write(EventType::ItemDone, EventData::Item { output_index, item });
    }

    /// Returns the item as it is now.
    pub(super) fn done(&self) -> OutputItem<'_> {
        self.output(&self.text, Parts(Some(self.part(&self.text))))
    }

    /// Estimates the memory of the item without its text, in bytes.
    pub(super) fn size(&self) -> usize {
        // The JSON of an empty item has some 200 bytes.
        let own = size_of::<Self>() + 256;
        match &self.content {
            Content::Message | Content::Reasoning => own,
            Content::Call(call) => own + size_of::<Call>() + call.size(),
        }
    }

    fn end_text(&self, index: usize, writer: &mut Writer<'_>) {
        let place = self.place(index);
        let text = &self.text;
        let done = |logprobs| EventData::Text {
            place,
            index: self.part_index(),
            text,
            logprobs,
        };
        match &self.content {
            Content::Message => {
                writer.write(EventType::TextDone, done(Some([])));
                writer.write(EventType::PartDone, self.part_data(index, text));
            }
            Content::Reasoning => {
                writer.write(EventType::SummaryDone, done(None));
                writer.write(EventType::SummaryPartDone, self.part_data(index, text));
            }
            Content::Call(call) => match call.tool.kind {
                ToolKind::Function => {
                    let (name, arguments) = (&call.tool.name, text);
                    let data = EventData::Arguments {
                        place,
                        name,
                        arguments,
                    };
                    writer.write(EventType::ArgumentsDone, data);
                }
                ToolKind::Custom => {
                    let data = EventData::Input { place, input: text };
                    writer.write(EventType::InputDone, data);
                }
            },
        }
    }

    fn is_message(&self) -> bool {
        matches!(self.content, Content::Message)
    }

    fn place(&self, output_index: usize) -> ItemPlace<'_> {
        ItemPlace {
            item_id: &self.id,
            output_index,
        }
    }

    fn part_index(&self) -> PartIndex {
        let (content_index, summary_index) = match &self.content {
            Content::Message => (Some(0), None),
            Content::Reasoning => (None, Some(0)),
            Content::Call(_) => (None, None),
        };
        PartIndex {
            content_index,
            summary_index,
        }
    }

    fn part_data<'a>(&'a self, index: usize, text: &'a str) -> EventData<'a> {
        EventData::Part {
            place: self.place(index),
            index: self.part_index(),
            part: self.part(text),
        }
    }

    fn part<'a>(&self, text: &'a str) -> TextPart<'a> {
        if self.is_message() {
            return TextPart::OutputText {
                text,
                annotations: [],
                logprobs: [],
            };
        }
        TextPart::SummaryText { text }
    }

    /// Returns the item with a text, or for a message or reasoning with a part.
    fn output<'a>(&'a self, text: &'a str, parts: Parts<TextPart<'a>>) -> OutputItem<'a> {
        let (id, status) = (self.id.as_str(), self.status);
        match &self.content {
            Content::Message => OutputItem::Message {
                id,
                status,
                role: "assistant",
                content: parts,
            },
            Content::Reasoning => OutputItem::Reasoning {
                id,
                summary: parts,
                status,
            },
            Content::Call(call) => {
                let (call_id, name) = (call.id.as_str(), call.tool.name.as_str());
                let namespace = call.tool.namespace.as_deref();
                match call.tool.kind {
                    ToolKind::Function => OutputItem::FunctionCall {
                        id,
                        call_id,
                        name,
                        namespace,
                        arguments: text,
                        status,
                    },
                    ToolKind::Custom => OutputItem::CustomToolCall {
                        id,
                        call_id,
                        name,
                        namespace,
                        input: text,
                        status,
                    },
                }
            }
        }
    }
}
