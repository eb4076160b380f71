//! The items of a response, one of which is open at a time.

use uuid::Uuid;

use crate::openai::responses::{ItemStatus, OutputItem};
use crate::run::ClientTool;
use crate::runtime::{RunError, ToolArgumentsDelta};

use super::call::Call;
use super::events::Writer;
use super::item::{Content, Item};

/// The output of a response.
#[derive(Debug)]
pub(super) struct Output {
    /// The id of the run.
    run: String,
    /// All items in the order of their begin. The ones before `open` have ended, and the
    /// ones after it wait.
    items: Vec<Item>,
    open: usize,
    /// The items of the calls, by the index that the runtime uses.
    calls: Vec<usize>,
    size: usize,
}

impl Output {
    pub(super) fn new(run: Uuid) -> Self {
        Self {
            run: run.simple().to_string(),
            items: Vec::new(),
            open: 0,
            calls: Vec::new(),
            size: 0,
        }
    }

    /// Returns the memory of the items, in bytes.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Adds text of the agent.
    pub(super) fn message(&mut self, text: &str, writer: &mut Writer<'_>) {
        let continues = |content: &Content| matches!(content, Content::Message);
        self.text(text, continues, Content::Message, writer);
    }

    /// Adds text of reasoning.
    pub(super) fn reasoning(&mut self, text: &str, writer: &mut Writer<'_>) {
        let continues = |content: &Content| matches!(content, Content::Reasoning);
        self.text(text, continues, Content::Reasoning, writer);
    }

    /// Begins a call.
    pub(super) fn call(&mut self, id: String, tool: ClientTool, writer: &mut Writer<'_>) {
        self.calls.push(self.items.len());
        self.begin(Content::Call(Box::new(Call::new(id, tool))), writer);
        self.advance(writer);
    }

    /// Adds arguments of a call. Those of a call that has not begun are ignored.
    ///
    /// # Errors
    /// Arguments of a call that has ended, because its arguments were complete, and arguments
    /// of a custom tool that continue after its text, but not as JSON.
    pub(super) fn arguments(
        &mut self,
        delta: &ToolArgumentsDelta,
        writer: &mut Writer<'_>,
    ) -> Result<(), RunError> {
        let call = usize::try_from(delta.index).ok();
        let Some(index) = call.and_then(|call| self.calls.get(call).copied()) else {
            return Ok(());
        };
        if index < self.open {
            if delta.json.trim().is_empty() {
                return Ok(());
            }
            return Err(continued());
        }
        self.push(index, &delta.json, writer);
        if self.items.get(index).is_some_and(Item::is_broken) {
            return Err(continued());
        }
        self.advance(writer);
        Ok(())
    }

    /// Ends all items. `is_limited` means that the run has ended at a limit, so that the last
    /// item and the calls without all of their arguments are incomplete.
    pub(super) fn end(&mut self, is_limited: bool, writer: &mut Writer<'_>) {
        if self.items.is_empty() {
            // Agents repeat a request whose response has no item.
            self.begin(Content::Message, writer);
        }
        while let Some(item) = self.items.get(self.open) {
            let is_last = self.open + 1 == self.items.len();
            let is_cut = is_limited && (is_last || item.is_cut());
            self.close(ItemStatus::of(is_cut), writer);
        }
    }

    /// Ends the open item as incomplete and drops the waiting ones.
    pub(super) fn fail(&mut self, writer: &mut Writer<'_>) {
        self.items.truncate(self.open + 1);
        self.close(ItemStatus::Incomplete, writer);
    }

    /// Returns the items that have begun for the client.
    pub(super) fn items(&self) -> Vec<OutputItem<'_>> {
        let begun = self.items.iter().take(self.open + 1);
        begun.map(Item::done).collect()
    }

    fn text(
        &mut self,
        text: &str,
        continues: impl FnOnce(&Content) -> bool,
        content: Content,
        writer: &mut Writer<'_>,
    ) {
        // An empty text only says that the run has begun.
        if text.is_empty() {
            return;
        }
        let last = self.items.last();
        if !last.is_some_and(|item| continues(&item.content)) {
            self.begin(content, writer);
        }
        self.push(self.items.len() - 1, text, writer);
        self.advance(writer);
    }

    fn begin(&mut self, content: Content, writer: &mut Writer<'_>) {
        let index = self.items.len();
        let item = Item::new(content, &self.run, index);
        self.size += item.size();
        if index == self.open {
            item.open(index, writer);
        }
        self.items.push(item);
    }

    fn push(&mut self, index: usize, text: &str, writer: &mut Writer<'_>) {
        let Some(item) = self.items.get_mut(index) else {
            return;
        };
        self.size += text.len();
        item.push(text);
        if index == self.open {
            item.show(index, writer);
        }
    }

    /// Ends the open item if another one waits, and opens that one.
    fn advance(&mut self, writer: &mut Writer<'_>) {
        while self.open + 1 < self.items.len()
            && self.items.get(self.open).is_some_and(Item::is_complete)
        {
            self.close(ItemStatus::Completed, writer);
        }
    }

    /// Ends the open item and opens the next one.
    fn close(&mut self, status: ItemStatus, writer: &mut Writer<'_>) {
        if let Some(item) = self.items.get_mut(self.open) {
            item.close(self.open, status, writer);
            self.open += 1;
        }
        if let Some(next) = self.items.get_mut(self.open) {
            next.open(self.open, writer);
            next.show(self.open, writer);
        }
    }
}

fn continued() -> RunError {
    RunError::Failed("the runtime continued the arguments of a call after their end".to_owned())
}
