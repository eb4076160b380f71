//! The tool calls of one reply, assembled from deltas.
//!
//! A backend may use any indexes. Here, calls have the indexes 0, 1, 2 … in the order in
//! which they begin. A call begins when its name is complete: at the first part of its
//! arguments, at the beginning of another call, or at the end.

use crate::chunk::{FunctionDelta, ToolCallDelta};
use crate::types::{RunEvent, ToolArgumentsDelta, ToolCallStart};

/// The maximum number of calls in a reply. OpenAI allows 128 tools in a request, and models
/// call a few of them.
const CALL_LIMIT: usize = 256;

/// The maximum size of all calls without a complete name, in bytes.
const PENDING_LIMIT: usize = 1024 * 1024;

/// The maximum length of an id or a name, in bytes. OpenAI's names have at most 64.
const NAME_LIMIT: usize = 256;

/// Invalid tool calls; the reason for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidToolCalls(pub &'static str);

/// The tool calls so far.
#[derive(Debug, Default)]
pub struct ToolCalls {
    /// All calls, in the order of their first deltas.
    calls: Vec<Call>,
    /// The ids of the calls that have begun, by their index.
    begun: Vec<String>,
}

#[derive(Debug)]
struct Call {
    /// The index of the backend, if it has one.
    upstream: Option<u64>,
    /// The id of the backend; empty if it has none.
    id: String,
    state: State,
}

#[derive(Debug)]
enum State {
    /// It has not begun: the name so far, and early arguments.
    Pending { name: String, arguments: String },
    /// It has begun with this index.
    Begun(u32),
}

impl ToolCalls {
    /// Adds a delta and appends the resulting events.
    ///
    /// # Errors
    /// Too many calls, and a call without a name that is too large.
    pub fn add(
        &mut self,
        delta: ToolCallDelta,
        events: &mut Vec<RunEvent>,
    ) -> Result<(), InvalidToolCalls> {
        let at = match self.find(&delta) {
            Some(at) => at,
            None => {
                self.begin_all(events);
                self.open(delta.index)?
            }
        };
        let Some(call) = self.calls.get_mut(at) else {
            return Ok(());
        };
        let id = delta.id.unwrap_or_default();
        if id.len() > NAME_LIMIT {
            return Err(InvalidToolCalls("the id of a tool call is too long"));
        }
        if call.id.is_empty() {
            call.id = id;
        }
        let FunctionDelta { name, arguments } = delta.function.unwrap_or_default();
        let arguments = arguments.unwrap_or_default();
        call.add_name(&name.unwrap_or_default())?;
        if !arguments.is_empty() {
            self.begin(at, events);
            self.add_arguments(at, arguments, events);
        }
        self.check_pending()
    }

    /// Begins every call with a name. At the end of the reply, only calls without a name
    /// remain.
    pub fn begin_all(&mut self, events: &mut Vec<RunEvent>) {
        for at in 0..self.calls.len() {
            self.begin(at, events);
        }
    }

    /// Returns whether any call has begun.
    #[must_use]
    pub fn any_begun(&self) -> bool {
        !self.begun.is_empty()
    }

    /// Returns whether every call has begun.
    #[must_use]
    pub fn all_begun(&self) -> bool {
        self.begun.len() == self.calls.len()
    }

    /// Finds the call that a delta continues: the latest with its index, or the latest of all
    /// for a delta without an index. Some backends use the index 0, or no index, for every
    /// call; then a new id means a new call.
    fn find(&self, delta: &ToolCallDelta) -> Option<usize> {
        let latest = match delta.index {
            Some(_) => self
                .calls
                .iter()
                .rposition(|call| call.upstream == delta.index)?,
            None => self.calls.len().checked_sub(1)?,
        };
        let known = &self.calls.get(latest)?.id;
        let is_new = |id: &String| !id.is_empty() && !known.is_empty() && id != known;
        (!delta.id.as_ref().is_some_and(is_new)).then_some(latest)
    }

    fn open(&mut self, upstream: Option<u64>) -> Result<usize, InvalidToolCalls> {
        if self.calls.len() == CALL_LIMIT {
            return Err(InvalidToolCalls("the reply has too many tool calls"));
        }
        self.calls.push(Call {
            upstream,
            id: String::new(),
            state: State::Pending {
                name: String::new(),
                arguments: String::new(),
            },
        });
        Ok(self.calls.len() - 1)
    }

    /// Begins a call if it has a name and has not begun.
    fn begin(&mut self, at: usize, events: &mut Vec<RunEvent>) {
        let Some(call) = self.calls.get_mut(at) else {
            return;
        };
        let State::Pending { name, arguments } = &mut call.state else {
            return;
        };
        if name.is_empty() {
            return;
        }
        let (name, json) = (std::mem::take(name), std::mem::take(arguments));
        let index = u32::try_from(self.begun.len()).unwrap_or(u32::MAX);
        call.state = State::Begun(index);
        let id = unique_id(&call.id, &self.begun);
        self.begun.push(id.clone());
        events.push(RunEvent::ToolCall(ToolCallStart { id, name }));
        if !json.is_empty() {
            events.push(RunEvent::ToolArguments(ToolArgumentsDelta { index, json }));
        }
    }

    fn add_arguments(&mut self, at: usize, json: String, events: &mut Vec<RunEvent>) {
        match self.calls.get_mut(at).map(|call| &mut call.state) {
            Some(State::Begun(index)) => {
                let index = *index;
                events.push(RunEvent::ToolArguments(ToolArgumentsDelta { index, json }));
            }
            Some(State::Pending { arguments, .. }) => arguments.push_str(&json),
            None => {}
        }
    }

    fn check_pending(&self) -> Result<(), InvalidToolCalls> {
        let sizes = self.calls.iter().map(|call| match &call.state {
            State::Pending { name, arguments } => name.len() + arguments.len(),
            State::Begun(_) => 0,
        });
        if sizes.sum::<usize>() > PENDING_LIMIT {
            return Err(InvalidToolCalls("tool calls without a name are too large"));
        }
        Ok(())
    }
}

impl Call {
    /// Adds a part of the name. Some backends repeat the name in every delta.
    fn add_name(&mut self, piece: &str) -> Result<(), InvalidToolCalls> {
        if let State::Pending { name, .. } = &mut self.state
            && name != piece
        {
            name.push_str(piece);
            if name.len() > NAME_LIMIT {
                return Err(InvalidToolCalls("the name of a tool call is too long"));
            }
        }
        Ok(())
    }
}

/// Returns the backend's id, or a generated one if it is missing or a duplicate.
fn unique_id(id: &str, taken: &[String]) -> String {
    let is_free = |id: &String| !id.is_empty() && !taken.contains(id);
    let upstream = std::iter::once(id.to_owned());
    let ours = (taken.len()..).map(|n| format!("call_{n}"));
    upstream.chain(ours).find(is_free).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A short form of a delta: `(index, id, name, arguments)`, empty for missing.
    type Short<'t> = (Option<u64>, &'t str, &'t str, &'t str);

    fn delta((index, id, name, arguments): Short<'_>) -> ToolCallDelta {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        ToolCallDelta {
            index,
            id: text(id),
            function: Some(FunctionDelta {
                name: text(name),
                arguments: text(arguments),
            }),
        }
    }

    /// Adds all deltas and formats the events: `+id name`, `index:json`.
    fn events(deltas: &[Short<'_>]) -> Vec<String> {
        let (mut calls, mut events) = (ToolCalls::default(), Vec::new());
        for short in deltas {
            calls.add(delta(*short), &mut events).unwrap();
        }
        calls.begin_all(&mut events);
        events.iter().map(written).collect()
    }

    fn written(event: &RunEvent) -> String {
        match event {
            RunEvent::ToolCall(start) => format!("+{} {}", start.id, start.name),
            RunEvent::ToolArguments(delta) => format!("{}:{}", delta.index, delta.json),
            RunEvent::Text(_) | RunEvent::Reasoning(_) => panic!("{event:?}"),
        }
    }

    /// Checks a table of `(name, deltas, events)`.
    fn check(cases: &[(&str, &[Short<'_>], &[&str])]) {
        for (what, deltas, expected) in cases {
            assert_eq!(events(deltas), *expected, "{what}");
        }
    }

    const ZERO: Option<u64> = Some(0);
    const ONE: Option<u64> = Some(1);

    #[test]
    fn calls_are_numbered_in_their_order() {
        check(&[
            (
                "as OpenAI and OpenClaw send them",
                &[
                    (ZERO, "a", "f", ""),
                    (ZERO, "", "", "{\"x\""),
                    (ZERO, "", "", ":1}"),
                ],
                &["+a f", "0:{\"x\"", "0::1}"],
            ),
            (
                "whole calls in one delta each",
                &[(ZERO, "a", "f", "{}"), (ONE, "b", "g", "{}")],
                &["+a f", "0:{}", "+b g", "1:{}"],
            ),
            (
                "indexes that begin elsewhere and leave gaps",
                &[
                    (Some(7), "a", "f", "1"),
                    (Some(3), "b", "g", "2"),
                    (Some(7), "", "", "3"),
                ],
                &["+a f", "0:1", "+b g", "1:2", "0:3"],
            ),
            (
                "no indexes",
                &[
                    (None, "a", "f", "{"),
                    (None, "", "", "}"),
                    (None, "b", "g", "{}"),
                ],
                &["+a f", "0:{", "0:}", "+b g", "1:{}"],
            ),
            (
                "index 0 for every call",
                &[
                    (ZERO, "a", "f", "{}"),
                    (ZERO, "b", "g", "{"),
                    (ZERO, "", "", "}"),
                ],
                &["+a f", "0:{}", "+b g", "1:{", "1:}"],
            ),
        ]);
    }

    #[test]
    fn every_call_has_a_unique_id() {
        check(&[
            (
                "no ids",
                &[(ZERO, "", "f", "{}"), (ONE, "", "g", "{}")],
                &["+call_0 f", "0:{}", "+call_1 g", "1:{}"],
            ),
            (
                "the same id twice",
                &[(ZERO, "a", "f", "{}"), (ONE, "a", "g", "{}")],
                &["+a f", "0:{}", "+call_1 g", "1:{}"],
            ),
            (
                "an id that ours would have been",
                &[(ZERO, "call_1", "f", "{}"), (ONE, "", "g", "{}")],
                &["+call_1 f", "0:{}", "+call_2 g", "1:{}"],
            ),
            (
                "an id after the name",
                &[(ZERO, "", "f", ""), (ZERO, "a", "", "{}")],
                &["+a f", "0:{}"],
            ),
        ]);
    }

    #[test]
    fn a_call_begins_when_its_name_is_complete() {
        check(&[
            (
                "a name in pieces",
                &[
                    (ZERO, "a", "get_", ""),
                    (ZERO, "", "weather", ""),
                    (ZERO, "", "", "{}"),
                ],
                &["+a get_weather", "0:{}"],
            ),
            (
                "a name that is repeated with everything",
                &[
                    (ZERO, "a", "f", ""),
                    (ZERO, "a", "f", "{"),
                    (ZERO, "a", "f", "}"),
                ],
                &["+a f", "0:{", "0:}"],
            ),
            (
                "arguments before the name",
                &[
                    (ZERO, "a", "", "{"),
                    (ZERO, "", "", "}"),
                    (ZERO, "", "f", ""),
                ],
                &["+a f", "0:{}"],
            ),
            (
                "no arguments at all",
                &[(ZERO, "a", "f", ""), (ONE, "b", "g", "")],
                &["+a f", "+b g"],
            ),
        ]);
    }

    #[test]
    fn a_call_without_a_name_never_begins() {
        let (mut calls, mut events) = (ToolCalls::default(), Vec::new());
        calls
            .add(delta((None, "a", "", "{}")), &mut events)
            .unwrap();
        calls.begin_all(&mut events);
        assert_eq!(events, []);
        assert!(!calls.any_begun());
        assert!(!calls.all_begun());
    }

    #[test]
    fn a_call_without_a_name_has_a_limited_size() {
        let (mut calls, mut events) = (ToolCalls::default(), Vec::new());
        let piece = "x".repeat(PENDING_LIMIT / 4);
        let mut add = || calls.add(delta((None, "a", "", &piece)), &mut events);
        let added = (0..5).try_for_each(|_| add());
        assert!(added.is_err());
    }

    #[test]
    fn an_id_and_a_name_have_a_limited_length() {
        let long = "x".repeat(NAME_LIMIT + 1);
        let fits = "x".repeat(NAME_LIMIT);
        for (id, name, is_valid) in [
            (&*fits, &*fits, true),
            (&*long, "f", false),
            ("a", &*long, false),
        ] {
            let (mut calls, mut events) = (ToolCalls::default(), Vec::new());
            let added = calls.add(delta((None, id, name, "{}")), &mut events);
            assert_eq!(added.is_ok(), is_valid, "{} {}", id.len(), name.len());
        }
    }

    #[test]
    fn the_number_of_calls_is_limited() {
        let (mut calls, mut events) = (ToolCalls::default(), Vec::new());
        let added = (0..=CALL_LIMIT as u64)
            .try_for_each(|index| calls.add(delta((Some(index), "", "f", "{}")), &mut events));
        assert!(added.is_err());
    }
}
