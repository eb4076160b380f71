//! An estimate of the size of a body, so that its buffer does not grow.

use crate::types::{ContentPart, Message, RunRequest};

/// The size of the names of a few members and their punctuation, in bytes. Many small messages
/// must not take much more than they have.
const ROOM: usize = 48;

/// Estimates the size of a body, in bytes: the exact size of images, and the size of texts
/// plus a sixteenth for escapes.
pub(super) fn expected_size(run: &RunRequest) -> usize {
    let messages: usize = run.messages.iter().map(text_size).sum();
    let images: usize = run.messages.iter().map(image_size).sum();
    let tools = run.tools.iter().map(|tool| {
        let optional = [&tool.description, &tool.parameters];
        ROOM + optional
            .into_iter()
            .flatten()
            .map(String::len)
            .sum::<usize>()
    });
    let texts = messages + tools.sum::<usize>();
    8 * ROOM + texts + texts / 16 + images
}

fn text_size(message: &Message) -> usize {
    let parts = message.content.iter().map(|part| match part {
        ContentPart::Text(text) | ContentPart::ImageUrl(text) => ROOM + text.len(),
        ContentPart::Image(_) => ROOM,
    });
    let calls = message.tool_calls.iter();
    let call_sizes = calls.map(|call| ROOM + call.name.len() + call.arguments.len());
    ROOM + parts.chain(call_sizes).sum::<usize>()
}

fn image_size(message: &Message) -> usize {
    let parts = message.content.iter().map(|part| match part {
        ContentPart::Image(image) => image.data.len().div_ceil(3) * 4,
        ContentPart::Text(_) | ContentPart::ImageUrl(_) => 0,
    });
    parts.sum()
}
