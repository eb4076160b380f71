//! Whole and streamed answers of the same runs.

use serde_json::Value;

use super::*;
use crate::error::Error;
use crate::inbound::Budget;
use crate::reply::{Head, Reasoning};
use crate::runtime::{
    RunError, RunEvent, RunOutcome, StopReason, ToolArgumentsDelta, ToolCallStart, ToolChoice,
    Usage,
};

fn head() -> Head {
    Head {
        id: "chatcmpl_1".to_owned(),
        created: 7,
        model: "openclaw".to_owned(),
        reasoning: Reasoning::Hidden,
    }
}

fn text(text: &str) -> RunEvent {
    RunEvent::Text(text.to_owned())
}

fn call(name: &str) -> RunEvent {
    RunEvent::ToolCall(ToolCallStart {
        id: format!("id-{name}"),
        name: name.to_owned(),
    })
}

fn arguments(index: u32, json: &str) -> RunEvent {
    let json = json.to_owned();
    RunEvent::ToolArguments(ToolArgumentsDelta { index, json })
}

fn outcome(stop_reason: StopReason) -> RunOutcome {
    RunOutcome {
        stop_reason,
        usage: Some(Usage {
            input_tokens: 3,
            output_tokens: 4,
            total_tokens: 9,
            cached_input_tokens: Some(2),
            reasoning_tokens: None,
        }),
    }
}

fn failed() -> RunError {
    RunError::Failed("upstream s3cret".to_owned())
}

/// Plays a run to a streamed answer and returns the data of its events.
fn stream(
    choice: &ToolChoice,
    include_usage: bool,
    events: Vec<RunEvent>,
    ended: Result<RunOutcome, RunError>,
) -> Vec<String> {
    let mut out = Vec::new();
    let mut reply = StreamedChat::start(head(), include_usage, choice, &mut out);
    let passed = events
        .into_iter()
        .try_for_each(|event| reply.event(event, &mut out));
    reply.end(passed.and(ended), &mut out).ok();
    let text = String::from_utf8(out).unwrap();
    let events = text.strip_suffix("\n\n").unwrap().split("\n\n");
    events
        .map(|event| event.strip_prefix("data: ").unwrap().to_owned())
        .collect()
}

/// Returns what each chunk adds: role, text, call, arguments, finish, usage.
fn story(events: &[String]) -> Vec<String> {
    let story = events.iter().map(|data| {
        let Ok(chunk) = serde_json::from_str::<Value>(data) else {
            return data.clone();
        };
        let Some(choice) = chunk["choices"].get(0) else {
            return match chunk.get("error") {
                Some(error) => format!("error {}", error["type"].as_str().unwrap()),
                None => format!("usage {}", chunk["usage"]["total_tokens"]),
            };
        };
        assert_eq!(choice["index"], 0);
        let delta = &choice["delta"];
        let call = &delta["tool_calls"][0];
        match (&choice["finish_reason"], &delta["role"], &delta["content"]) {
            (Value::String(reason), _, _) => format!("finish {reason}"),
            (_, Value::String(role), _) => format!("role {role}"),
            (_, _, Value::String(text)) => format!("text {text}"),
            _ if call["id"].is_string() => {
                format!("call {} {}", call["index"], call["function"]["name"])
            }
            _ => format!(
                "arguments {} {}",
                call["index"], call["function"]["arguments"]
            ),
        }
    });
    story.collect()
}

fn whole(
    choice: &ToolChoice,
    events: Vec<RunEvent>,
    ended: Result<RunOutcome, RunError>,
) -> Result<Value, Error> {
    let mut reply = WholeChat::new(head(), choice, Budget::new(20 * 1024 * 1024).begin("a"));
    let passed = events.into_iter().try_for_each(|event| reply.event(event));
    let (body, ..) = reply.end(passed.and(ended))?;
    Ok(serde_json::from_slice(&body).unwrap())
}

#[test]
fn a_whole_run_is_role_text_finish_and_done() {
    let events = stream(
        &ToolChoice::Auto,
        false,
        vec![text("a"), text(""), text("b")],
        Ok(outcome(StopReason::EndTurn)),
    );
    assert_eq!(
        story(&events),
        [
            "role assistant",
            "text a",
            "text b",
            "finish stop",
            "[DONE]"
        ]
    );
    assert_eq!(
        events[1],
        r#"{"id":"chatcmpl_1","object":"chat.completion.chunk","created":7,"model":"openclaw","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}"#
    );
    assert_eq!(
        events[3],
        r#"{"id":"chatcmpl_1","object":"chat.completion.chunk","created":7,"model":"openclaw","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#
    );
}

#[test]
fn usage_comes_last_if_it_is_asked_for() {
    let events = stream(
        &ToolChoice::Auto,
        true,
        vec![],
        Ok(outcome(StopReason::EndTurn)),
    );
    assert_eq!(
        story(&events),
        ["role assistant", "finish stop", "usage 9", "[DONE]"]
    );
    assert!(events[2].ends_with(
        r#""choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":9,"prompt_tokens_details":{"cached_tokens":2}}}"#
    ));
    let uncounted = RunOutcome {
        usage: None,
        ..outcome(StopReason::EndTurn)
    };
    assert_eq!(
        story(&stream(&ToolChoice::Auto, true, vec![], Ok(uncounted)))[2],
        "usage 0"
    );
}

#[test]
fn a_broken_run_never_says_finish() {
    for choice in [ToolChoice::Auto, ToolChoice::None, ToolChoice::Required] {
        let events = stream(&choice, true, vec![text("half"), call("f")], Err(failed()));
        let story = story(&events);
        assert_eq!(
            &story[story.len() - 2..],
            ["error api_error", "[DONE]"],
            "{choice:?}"
        );
        assert!(
            !story
                .iter()
                .any(|part| part.starts_with("finish") || part.starts_with("usage"))
        );
        assert!(!events.concat().contains("s3cret"));
    }
}

#[test]
fn every_stop_reason_has_its_finish_reason() {
    for (reason, finish) in [
        (StopReason::EndTurn, "stop"),
        (StopReason::MaxTokens, "length"),
        (StopReason::ToolCalls, "tool_calls"),
        (StopReason::ContentFilter, "content_filter"),
    ] {
        let streamed = stream(&ToolChoice::Auto, false, vec![], Ok(outcome(reason)));
        assert_eq!(story(&streamed)[1], format!("finish {finish}"));
        let whole = whole(&ToolChoice::Auto, vec![], Ok(outcome(reason))).unwrap();
        assert_eq!(whole["choices"][0]["finish_reason"], finish);
    }
}

#[test]
fn tool_calls_are_streamed_as_they_come() {
    let run = vec![
        text("Let me look."),
        call("f"),
        arguments(0, "{\"a\":"),
        call("g"),
        arguments(1, "{}"),
        arguments(0, "1}"),
        arguments(2, "lost"),
    ];
    let events = stream(
        &ToolChoice::Auto,
        false,
        run.clone(),
        Ok(outcome(StopReason::ToolCalls)),
    );
    assert_eq!(
        story(&events),
        [
            "role assistant",
            "text Let me look.",
            "call 0 \"f\"",
            "arguments 0 \"{\\\"a\\\":\"",
            "call 1 \"g\"",
            "arguments 1 \"{}\"",
            "arguments 0 \"1}\"",
            "finish tool_calls",
            "[DONE]"
        ]
    );
    let whole = whole(&ToolChoice::Auto, run, Ok(outcome(StopReason::ToolCalls))).unwrap();
    let message = &whole["choices"][0]["message"];
    assert_eq!(message["content"], "Let me look.");
    assert_eq!(
        message["tool_calls"].to_string(),
        r#"[{"function":{"arguments":"{\"a\":1}","name":"f"},"id":"id-f","type":"function"},{"function":{"arguments":"{}","name":"g"},"id":"id-g","type":"function"}]"#
    );
}

#[test]
fn a_whole_answer_has_the_documented_shape() {
    let whole = whole(
        &ToolChoice::Auto,
        vec![text("a"), text("b")],
        Ok(outcome(StopReason::EndTurn)),
    );
    assert_eq!(
        whole.unwrap().to_string(),
        r#"{"choices":[{"finish_reason":"stop","index":0,"logprobs":null,"message":{"content":"ab","refusal":null,"role":"assistant"}}],"created":7,"id":"chatcmpl_1","model":"openclaw","object":"chat.completion","usage":{"completion_tokens":4,"prompt_tokens":3,"prompt_tokens_details":{"cached_tokens":2},"total_tokens":9}}"#
    );
}

#[test]
fn a_whole_answer_of_calls_alone_has_no_content() {
    let run = vec![call("f"), call("g"), arguments(1, " ")];
    let whole = whole(&ToolChoice::Auto, run, Ok(outcome(StopReason::ToolCalls)));
    let message = &whole.unwrap()["choices"][0]["message"];
    assert_eq!(message["content"], Value::Null);
    for call in message["tool_calls"].as_array().unwrap() {
        assert_eq!(call["function"]["arguments"], "{}");
    }
}

#[test]
fn calls_without_arguments_get_an_empty_object_at_the_end() {
    let run = vec![
        call("f"),
        arguments(0, " "),
        call("g"),
        arguments(1, "{\"a\":1}"),
        call("h"),
    ];
    let events = stream(
        &ToolChoice::Auto,
        false,
        run,
        Ok(outcome(StopReason::ToolCalls)),
    );
    let story = story(&events);
    let end = [
        "arguments 0 \"{}\"",
        "arguments 2 \"{}\"",
        "finish tool_calls",
        "[DONE]",
    ];
    assert_eq!(story[story.len() - 4..], end);
}

#[test]
fn no_event_is_longer_than_64_kib() {
    let long = "\u{1}x".repeat(40_000);
    let run = vec![text(&long), call("f"), arguments(0, &long)];
    let events = stream(
        &ToolChoice::Auto,
        false,
        run,
        Ok(outcome(StopReason::ToolCalls)),
    );
    assert!(events.len() > 8);
    for event in events {
        assert!(event.len() < 64 * 1024, "{}", event.len());
    }
}

#[test]
fn a_required_call_holds_the_text_back_until_it_comes() {
    let named = ToolChoice::Named("f".to_owned());
    for choice in [ToolChoice::Required, named.clone()] {
        let run = vec![text("Sure. "), call("f"), text("!")];
        let events = stream(&choice, false, run, Ok(outcome(StopReason::ToolCalls)));
        assert_eq!(
            story(&events),
            [
                "role assistant",
                "text Sure. ",
                "call 0 \"f\"",
                "text !",
                "arguments 0 \"{}\"",
                "finish tool_calls",
                "[DONE]"
            ]
        );
    }
    for (choice, run) in [
        (ToolChoice::Required, vec![text("I would rather talk.")]),
        (named, vec![call("g")]),
    ] {
        let events = stream(&choice, true, run.clone(), Ok(outcome(StopReason::EndTurn)));
        assert_eq!(
            story(&events),
            ["role assistant", "error api_error", "[DONE]"]
        );
        let refused = whole(&choice, run, Ok(outcome(StopReason::EndTurn)));
        assert!(matches!(
            refused,
            Err(Error::Run(RunError::ToolChoiceUnmet))
        ));
    }
}

#[test]
fn a_call_where_none_may_be_made_is_a_broken_run() {
    let events = stream(
        &ToolChoice::None,
        false,
        vec![call("f")],
        Ok(outcome(StopReason::ToolCalls)),
    );
    assert_eq!(
        story(&events),
        ["role assistant", "error api_error", "[DONE]"]
    );
}

#[test]
fn what_is_held_back_and_collected_has_limits() {
    let mib = || text(&"x".repeat(1024 * 1024));
    let held = stream(
        &ToolChoice::Required,
        false,
        (0..2).map(|_| mib()).collect(),
        Ok(outcome(StopReason::EndTurn)),
    );
    assert_eq!(
        story(&held),
        ["role assistant", "error api_error", "[DONE]"]
    );
    let collected = |n: usize| {
        whole(
            &ToolChoice::Auto,
            (0..n).map(|_| mib()).collect(),
            Ok(outcome(StopReason::EndTurn)),
        )
    };
    assert!(collected(16).is_ok());
    assert!(collected(17).is_err());
}

#[test]
fn whole_replies_share_the_memory_budget() {
    let budget = Budget::new(20 * 1024 * 1024);
    let reply = || {
        let mut reply = WholeChat::new(head(), &ToolChoice::Auto, budget.begin("a"));
        let grown = (0..12).try_for_each(|_| reply.event(text(&"x".repeat(1024 * 1024))));
        (reply, grown)
    };
    let (first, grown) = reply();
    assert_eq!(grown, Ok(()));
    assert!(reply().1.is_err());
    drop(first);
    assert_eq!(reply().1, Ok(()));
}
