//! The Responses API: requests, the response object, and the events of a stream.
//!
//! Source: OpenAI's API reference, "Responses"; the Open Responses specification.

mod echo;
mod event;
mod input;
mod item;
mod object;
mod request;
mod tool;

pub use echo::{Echo, ReasoningEcho, Truncation};
pub use event::{EventData, EventType, ItemPlace, PartIndex, StreamEvent};
pub use input::{Input, InputItem, Items};
pub use item::{Empty, ItemStatus, OutputItem, Parts, TextPart};
pub use object::{
    IncompleteDetails, IncompleteReason, InputTokensDetails, OutputTokensDetails, Response,
    ResponseError, ResponseErrorCode, ResponseStatus, ResponseUsage,
};
pub use request::{Conversation, ReasoningConfig, ResponseRequest, TextConfig, TextFormat};
pub use tool::{ChosenTool, CustomFormat, NamedFunction, Tool, ToolChoice};
