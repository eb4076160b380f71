//! Properties of every run: its stream is well-formed, and agrees with the whole response.

use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::Value;

use super::tests::{
    arguments, call, failed, head, outcome, read, reasoning, stream_of, text, whole,
};
use crate::runtime::{RunError, RunEvent, RunOutcome, StopReason, ToolChoice};

const LIMIT: usize = 8 * 1024 * 1024;

fn event() -> impl Strategy<Value = RunEvent> {
    let part = prop_oneof![
        Just(String::new()),
        Just(" \n".to_owned()),
        Just("{}".to_owned()),
        Just("{\"input\":\"".to_owned()),
        Just("\"}".to_owned()),
        Just("{\"a\":[1,\"x\"".to_owned()),
        Just("]}".to_owned()),
        Just("\\ud83d\\n".to_owned()),
        any::<String>(),
    ];
    let name = prop::sample::select(vec!["f", "spaced", "patch", "spaced_patch", "unknown"]);
    prop_oneof![
        ".{0,3}".prop_map(|part| text(&part)),
        ".{0,3}".prop_map(|part| reasoning(&part)),
        name.prop_map(call),
        (0_u32..5, part).prop_map(|(index, part)| arguments(index, &part)),
    ]
}

fn end() -> impl Strategy<Value = Result<RunOutcome, RunError>> {
    prop_oneof![
        Just(Ok(outcome(StopReason::EndTurn))),
        Just(Ok(outcome(StopReason::ToolCalls))),
        Just(Ok(outcome(StopReason::MaxTokens))),
        Just(Ok(outcome(StopReason::ContentFilter))),
        Just(Err(failed())),
        Just(Err(RunError::Busy(None))),
    ]
}

/// The text of an item.
fn text_of(item: &Value) -> &str {
    let texts = [
        &item["content"][0]["text"],
        &item["summary"][0]["text"],
        &item["arguments"],
        &item["input"],
    ];
    texts.iter().find_map(|text| text.as_str()).unwrap()
}

/// Applies an event within an item to its text and to the number of its open parts.
fn apply(event: &Value, text: &mut String, parts: &mut usize) {
    let name = event["type"].as_str().unwrap();
    if let Some(delta) = event["delta"].as_str() {
        assert!(!delta.is_empty());
        text.push_str(delta);
    } else if name.ends_with("part.added") {
        *parts += 1;
    } else if name.ends_with("part.done") {
        *parts -= 1;
        assert_eq!(event["part"]["text"], **text);
    } else {
        let texts = [&event["text"], &event["arguments"], &event["input"]];
        let done = texts.iter().find_map(|text| text.as_str());
        assert_eq!(done.unwrap(), text);
    }
}

/// Rebuilds the output from the events of a stream, as a client does.
fn rebuild(events: &[Value]) -> Vec<Value> {
    let (mut output, mut open): (Vec<Value>, Option<(Value, String, usize)>) = (Vec::new(), None);
    for event in events {
        let name = event["type"].as_str().unwrap();
        if event.get("output_index").is_none() {
            let so_far = event["response"]["output"].as_array().unwrap();
            assert_eq!(so_far[..output.len()], output);
            assert_eq!(so_far.len() - output.len(), usize::from(open.is_some()));
            if let Some((_, deltas, _)) = &open {
                assert_eq!(text_of(so_far.last().unwrap()), deltas);
            }
            continue;
        }
        assert_eq!(event["output_index"], output.len());
        match name {
            "response.output_item.added" => {
                assert!(open.is_none());
                open = Some((event["item"].clone(), String::new(), 0));
            }
            "response.output_item.done" => {
                let (added, deltas, parts) = open.take().unwrap();
                let item = &event["item"];
                assert_eq!(text_of(item), deltas);
                assert_eq!(parts, 0, "every part is done");
                for member in ["id", "type", "call_id", "name", "namespace"] {
                    assert_eq!(added.get(member), item.get(member));
                }
                assert_eq!(added["status"], "in_progress");
                assert_ne!(item["status"], "in_progress");
                output.push(item.clone());
            }
            _ => {
                let (item, deltas, parts) = open.as_mut().unwrap();
                assert_eq!(event["item_id"], item["id"]);
                apply(event, deltas, parts);
            }
        }
    }
    assert!(open.is_none(), "everything added is done");
    output
}

proptest! {
    #[test]
    fn every_stream_is_well_formed_and_equals_the_whole_response(
        run in prop::collection::vec(event(), 0..25),
        ended in end(),
        has_progress: bool,
    ) {
        let auto = ToolChoice::Auto;
        let stream = stream_of(head(), &auto, LIMIT, run.clone(), ended.clone(), has_progress);
        let events = read(&stream);
        let output = rebuild(&events);
        let terminal = ["response.completed", "response.incomplete", "response.failed"];
        let is_terminal = |event: &&Value| terminal.contains(&event["type"].as_str().unwrap());
        prop_assert_eq!(events.iter().filter(is_terminal).count(), 1);
        let last = events.last().unwrap();
        prop_assert!(is_terminal(&last));
        prop_assert_eq!(last["response"]["output"].as_array().unwrap(), &output);
        let ids: HashSet<_> = output.iter().map(|item| item["id"].as_str().unwrap()).collect();
        prop_assert_eq!(ids.len(), output.len());
        for id in ids {
            prop_assert!(id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        }
        match whole(run, ended.clone()) {
            Ok(whole) => {
                prop_assert_eq!(&whole, &last["response"]);
                prop_assert!(!output.is_empty());
                let is_limited = ended.is_ok_and(|outcome| {
                    matches!(outcome.stop_reason, StopReason::MaxTokens | StopReason::ContentFilter)
                });
                let status = if is_limited { "incomplete" } else { "completed" };
                prop_assert_eq!(&whole["status"], status);
                prop_assert_eq!(&output.last().unwrap()["status"], status);
            }
            Err(_) => {
                prop_assert_eq!(&last["response"]["status"], "failed");
                if let Some(last) = output.last() {
                    prop_assert_eq!(&last["status"], "incomplete");
                }
            }
        }
    }

    #[test]
    fn a_small_limit_ends_any_run_as_failed(
        run in prop::collection::vec(event(), 0..25),
        limit in 0_usize..2000,
    ) {
        let ended = Ok(outcome(StopReason::EndTurn));
        let stream = stream_of(head(), &ToolChoice::Auto, limit, run, ended, false);
        let events = read(&stream);
        let output = rebuild(&events);
        let last = &events.last().unwrap()["response"];
        prop_assert_eq!(last["output"].as_array().unwrap(), &output);
    }
}
