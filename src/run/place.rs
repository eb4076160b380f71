//! The place of a value in a request's list of messages or items.

use crate::rejection::Rejection;

/// A message or item, and its member that has content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    list: &'static str,
    /// The position in the list, from 0.
    pub(super) at: usize,
    content: &'static str,
}

impl Place {
    /// Returns the place of a message of a chat.
    pub(super) fn message(at: usize) -> Self {
        let (list, content) = ("messages", "content");
        Self { list, at, content }
    }

    /// Returns the place of an item of an input.
    pub(super) fn item(at: usize) -> Self {
        let (list, content) = ("input", "content");
        Self { list, at, content }
    }

    /// Returns the place of an item whose content is the output of a tool.
    pub(super) fn output(at: usize) -> Self {
        let content = "output";
        Self {
            content,
            ..Self::item(at)
        }
    }

    /// Returns the name of the list.
    pub(super) fn list(self) -> &'static str {
        self.list
    }

    /// Rejects a member of the message, by its path.
    #[cold]
    #[inline(never)]
    pub(super) fn reject(self, member: &str, problem: &str) -> Rejection {
        let path = format!("{}[{}]{member}", self.list, self.at);
        let message = format!("`{path}` {problem}");
        Rejection::invalid(path, message)
    }

    /// Rejects the content.
    #[cold]
    #[inline(never)]
    pub(super) fn reject_content(self, problem: &str) -> Rejection {
        self.reject(&format!(".{}", self.content), problem)
    }

    /// Rejects a part of the content.
    #[cold]
    #[inline(never)]
    pub(super) fn reject_part(self, part: usize, problem: &str) -> Rejection {
        self.reject(&format!(".{}[{part}]", self.content), problem)
    }

    /// Returns the path of a part of the content.
    pub(super) fn part(self, part: usize) -> String {
        format!("{}[{}].{}[{part}]", self.list, self.at, self.content)
    }
}
