//! Streamed and whole responses of the same runs.

use serde_json::{Value, json};
use tidegate_json::RawValue;
use uuid::Uuid;

use super::*;
use crate::error::Error;
use crate::inbound::Budget;
use crate::openai::responses::{Echo, ReasoningEcho, Truncation};
use crate::reply::Reasoning;
use crate::reply::ending::Ending;
use crate::run::{ClientTool, ToolKind, ToolNames};
use crate::runtime::{
    InvalidKind, InvalidRequest, RunError, RunEvent, RunOutcome, StopReason, ToolArgumentsDelta,
    ToolCallStart, ToolChoice, Usage,
};

const LIMIT: usize = 8 * 1024 * 1024;

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

/// Tools that the runtime knows as `f`, `spaced`, `patch` and `spaced_patch`.
fn names() -> ToolNames {
    let tool = |name: &str, namespace: Option<&str>, kind| ClientTool {
        name: name.to_owned(),
        namespace: namespace.map(str::to_owned),
        kind,
    };
    let mut names = ToolNames::default();
    for (offered, tool) in [
        ("f", tool("f", None, ToolKind::Function)),
        ("spaced", tool("g", Some("space"), ToolKind::Function)),
        ("patch", tool("patch", None, ToolKind::Custom)),
        ("spaced_patch", tool("p", Some("space"), ToolKind::Custom)),
    ] {
        names.add(offered.to_owned(), tool);
    }
    names
}

pub(super) fn head() -> ResponseHead {
    ResponseHead {
        id: "resp_1".to_owned(),
        run: Uuid::from_u128(0xab),
        created: 7,
        model: "openclaw".to_owned(),
        reasoning: Reasoning::Shown,
        echo: Echo {
            instructions: Some("Be brief.".to_owned()),
            max_output_tokens: None,
            max_tool_calls: None,
            metadata: raw("{\r\n \"a\" : \"b\"\n}"),
            parallel_tool_calls: true,
            previous_response_id: None,
            prompt_cache_key: None,
            reasoning: ReasoningEcho::default(),
            safety_identifier: None,
            temperature: 1.0,
            text: raw(r#"{"format":{"type":"text"}}"#),
            tool_choice: raw("\"auto\""),
            tools: raw("[]"),
            top_p: 1.0,
            truncation: Truncation::Disabled,
        },
        names: names(),
        limit: LIMIT,
        store: false,
        background: false,
        failure: FailureCode::ServerError,
    }
}

pub(super) fn text(text: &str) -> RunEvent {
    RunEvent::Text(text.to_owned())
}

pub(super) fn reasoning(text: &str) -> RunEvent {
    RunEvent::Reasoning(text.to_owned())
}

pub(super) fn call(name: &str) -> RunEvent {
    RunEvent::ToolCall(ToolCallStart {
        id: format!("call-{name}"),
        name: name.to_owned(),
    })
}

pub(super) fn arguments(index: u32, json: &str) -> RunEvent {
    let json = json.to_owned();
    RunEvent::ToolArguments(ToolArgumentsDelta { index, json })
}

pub(super) fn outcome(stop_reason: StopReason) -> RunOutcome {
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

pub(super) fn failed() -> RunError {
    RunError::Failed("upstream s3cret".to_owned())
}

fn invalid() -> RunError {
    RunError::Invalid(InvalidRequest {
        kind: InvalidKind::Malformed,
        message: "Shorten it.".to_owned(),
        param: None,
        code: None,
    })
}

fn budget() -> Budget {
    Budget::new(20 * 1024 * 1024)
}

/// Streams a run and returns its bytes. A progress event follows each event of the run if
/// `has_progress`.
pub(super) fn stream_of(
    head: ResponseHead,
    choice: &ToolChoice,
    limit: usize,
    events: Vec<RunEvent>,
    ended: Result<RunOutcome, RunError>,
    has_progress: bool,
) -> String {
    let mut out = Vec::new();
    let holding = budget().begin("a");
    let head = ResponseHead { limit, ..head };
    let mut reply = StreamedResponse::start(head, choice, holding, 0, &mut out);
    let taken = events.into_iter().try_for_each(|event| {
        reply.event(event, &mut out)?;
        if has_progress {
            reply.progress(&mut out);
        }
        Ok(())
    });
    let result = reply.end(taken.and(ended).into(), || 11, &mut out).0;
    let text = String::from_utf8(out).unwrap();
    let has_failed = text.contains("event: response.failed\n");
    assert_eq!(result.is_err(), has_failed);
    text
}

/// Reads a stream, and checks its framing and numbers.
pub(super) fn read(stream: &str) -> Vec<Value> {
    let stream = stream.strip_suffix("data: [DONE]\n\n").unwrap();
    assert!(!stream.contains("[DONE]"));
    let events = stream.strip_suffix("\n\n").unwrap().split("\n\n");
    let read = |(number, event): (usize, &str)| {
        let (name, data) = event.split_once('\n').unwrap();
        let data = data.strip_prefix("data: ").unwrap();
        let name = name.strip_prefix("event: ").unwrap();
        assert!(data.starts_with(&format!(
            "{{\"type\":\"{name}\",\"sequence_number\":{number},"
        )));
        serde_json::from_str(data).unwrap()
    };
    events.enumerate().map(read).collect()
}

fn stream(events: Vec<RunEvent>, ended: Result<RunOutcome, RunError>) -> Vec<Value> {
    let choice = ToolChoice::Auto;
    read(&stream_of(head(), &choice, LIMIT, events, ended, false))
}

pub(super) fn whole(
    events: Vec<RunEvent>,
    ended: Result<RunOutcome, RunError>,
) -> Result<Value, Error> {
    let holding = budget().begin("a");
    let mut reply = WholeResponse::new(head(), &ToolChoice::Auto, holding);
    let taken = events.into_iter().try_for_each(|event| reply.event(event));
    let (body, ..) = reply.end(taken.and(ended), || 11)?;
    Ok(serde_json::from_slice(&body).unwrap())
}

/// Returns each event in a few words.
fn story(events: &[Value]) -> Vec<String> {
    let story = events.iter().map(|event| {
        let r#type = event["type"].as_str().unwrap();
        let r#type = r#type.strip_prefix("response.").unwrap();
        let index = &event["output_index"];
        let item = &event["item"];
        let status = item["status"].as_str().unwrap_or_default();
        match r#type {
            "output_item.added" => format!("{index} {}", item["type"].as_str().unwrap()),
            "output_item.done" => format!("{index} {status}"),
            _ => match (event["delta"].as_str(), r#type.ends_with(".done")) {
                (Some(delta), _) => format!("{index} +{delta}"),
                (None, true) => String::new(),
                (None, false) => r#type.to_owned(),
            },
        }
    });
    let story: Vec<_> = story.filter(|event| !event.is_empty()).collect();
    assert_eq!(story[..2], ["created", "in_progress"]);
    story[2..].to_vec()
}

const MESSAGE_ID: &str = "msg_000000000000000000000000000000ab_0";

/// A complete message.
fn message(text: &str) -> Value {
    let part = json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []});
    json!({"type": "message", "id": MESSAGE_ID, "status": "completed", "role": "assistant",
        "content": [part]})
}

#[test]
fn a_text_is_one_message() {
    let run = vec![text(""), text("a"), text(""), text("b")];
    let events = stream(run, Ok(outcome(StopReason::EndTurn)));
    let types = events.iter().map(|event| event["type"].as_str().unwrap());
    assert_eq!(
        types.collect::<Vec<_>>(),
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    assert_eq!(
        events[2]["item"],
        json!({"type": "message", "id": MESSAGE_ID, "status": "in_progress", "role": "assistant",
            "content": []})
    );
    assert_eq!(
        events[4],
        json!({"type": "response.output_text.delta", "sequence_number": 4, "item_id": MESSAGE_ID,
            "output_index": 0, "content_index": 0, "delta": "a", "logprobs": []})
    );
    assert_eq!(events[7]["part"], message("ab")["content"][0]);
    assert_eq!(events[8]["item"], message("ab"));
}

#[test]
fn a_response_has_all_members() {
    let run = vec![text("a"), text("b")];
    let events = stream(run.clone(), Ok(outcome(StopReason::EndTurn)));
    let expected = json!({
        "id": "resp_1", "object": "response", "created_at": 7, "completed_at": 11,
        "status": "completed", "incomplete_details": null, "model": "openclaw",
        "previous_response_id": null, "instructions": "Be brief.", "output": [message("ab")],
        "error": null, "tools": [], "tool_choice": "auto", "truncation": "disabled",
        "parallel_tool_calls": true, "text": {"format": {"type": "text"}}, "top_p": 1.0,
        "presence_penalty": 0, "frequency_penalty": 0, "top_logprobs": 0,
        "temperature": 1.0, "reasoning": {"effort": null, "summary": null},
        "usage": {
            "input_tokens": 3,
            "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 0},
            "output_tokens": 4,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 9,
        },
        "max_output_tokens": null, "max_tool_calls": null, "store": false,
        "background": false, "service_tier": "default", "metadata": {"a": "b"},
        "safety_identifier": null, "prompt_cache_key": null,
    });
    assert_eq!(expected.as_object().unwrap().len(), 31);
    assert_eq!(events.last().unwrap()["response"], expected);
    assert_eq!(
        whole(run, Ok(outcome(StopReason::EndTurn))).unwrap(),
        expected
    );
}

#[test]
fn the_first_response_is_in_progress_and_empty() {
    let events = stream(vec![], Ok(outcome(StopReason::EndTurn)));
    for event in &events[..2] {
        let response = &event["response"];
        assert_eq!(response["status"], "in_progress");
        assert_eq!(response["output"], json!([]));
        assert_eq!(response["usage"], Value::Null);
        assert_eq!(response["completed_at"], Value::Null);
    }
}

#[test]
fn interleaved_calls_open_one_at_a_time() {
    let run = vec![
        reasoning("hm"),
        text("Look."),
        call("f"),
        arguments(0, "{\"a\":"),
        call("spaced"),
        arguments(1, "{\"b\""),
        text("then"),
        arguments(0, "1}"),
        arguments(1, ":2}"),
        arguments(2, "lost"),
        arguments(0, " \n"),
        call("f"),
    ];
    let events = stream(run, Ok(outcome(StopReason::ToolCalls)));
    assert_eq!(
        story(&events),
        [
            "0 reasoning",
            "reasoning_summary_part.added",
            "0 +hm",
            "0 completed",
            "1 message",
            "content_part.added",
            "1 +Look.",
            "1 completed",
            "2 function_call",
            "2 +{\"a\":",
            "2 +1}",
            "2 completed",
            "3 function_call",
            "3 +{\"b\"",
            "3 +:2}",
            "3 completed",
            "4 message",
            "content_part.added",
            "4 +then",
            "4 completed",
            "5 function_call",
            "5 +{}",
            "5 completed",
            "completed",
        ]
    );
}

#[test]
fn calls_and_reasoning_have_their_items() {
    let run = vec![reasoning("hm"), call("spaced"), arguments(0, "{\"b\":2}")];
    let events = stream(run.clone(), Ok(outcome(StopReason::ToolCalls)));
    let done = events.iter().find(|event| event["arguments"].is_string());
    assert_eq!(done.unwrap()["name"], "g");
    let run_id = head().run.simple().to_string();
    assert_eq!(
        whole(run, Ok(outcome(StopReason::ToolCalls))).unwrap()["output"],
        json!([
            {"type": "reasoning", "id": format!("rs_{run_id}_0"), "status": "completed",
                "summary": [{"type": "summary_text", "text": "hm"}]},
            {"type": "function_call", "id": format!("fc_{run_id}_1"), "call_id": "call-spaced",
                "name": "g", "namespace": "space", "arguments": "{\"b\":2}",
                "status": "completed"},
        ])
    );
}

#[test]
fn the_text_of_a_custom_tool_arrives_raw() {
    let run = vec![
        call("patch"),
        arguments(0, "{\"inp"),
        arguments(0, "ut\": \"a\\"),
        arguments(0, "nb"),
        arguments(0, "\"}"),
        call("spaced_patch"),
        arguments(1, "*** raw"),
    ];
    let events = stream(run.clone(), Ok(outcome(StopReason::ToolCalls)));
    assert_eq!(
        story(&events),
        [
            "0 custom_tool_call",
            "0 +a",
            "0 +\nb",
            "0 completed",
            "1 custom_tool_call",
            "1 +*** raw",
            "1 completed",
            "completed",
        ]
    );
    let id = |index| format!("ctc_{}_{index}", head().run.simple());
    assert_eq!(
        whole(run, Ok(outcome(StopReason::ToolCalls))).unwrap()["output"],
        json!([
            {"type": "custom_tool_call", "id": id(0), "call_id": "call-patch", "name": "patch",
                "input": "a\nb", "status": "completed"},
            {"type": "custom_tool_call", "id": id(1), "call_id": "call-spaced_patch", "name": "p",
                "namespace": "space", "input": "*** raw", "status": "completed"},
        ])
    );
}

#[test]
fn a_run_without_items_has_an_empty_message() {
    let events = stream(vec![text("")], Ok(outcome(StopReason::EndTurn)));
    let expected = [
        "0 message",
        "content_part.added",
        "0 completed",
        "completed",
    ];
    assert_eq!(story(&events), expected);
    assert_eq!(
        events.last().unwrap()["response"]["output"][0]["content"][0]["text"],
        ""
    );
}

#[test]
fn hidden_reasoning_leaves_no_trace() {
    let mut hidden = head();
    hidden.reasoning = Reasoning::Hidden;
    let run = vec![text("a"), reasoning("hm"), text("b")];
    let ended = Ok(outcome(StopReason::EndTurn));
    let events = read(&stream_of(
        hidden,
        &ToolChoice::Auto,
        LIMIT,
        run,
        ended,
        false,
    ));
    let expected = [
        "0 message",
        "content_part.added",
        "0 +a",
        "0 +b",
        "0 completed",
        "completed",
    ];
    assert_eq!(story(&events), expected);
}

#[test]
fn a_cut_item_is_incomplete_itself() {
    for (stop, reason) in [
        (StopReason::MaxTokens, "max_output_tokens"),
        (StopReason::ContentFilter, "content_filter"),
    ] {
        let run = vec![
            text("a"),
            call("f"),
            arguments(0, "{\"a\":"),
            call("f"),
            call("patch"),
            arguments(2, "{\"inp"),
        ];
        let events = stream(run.clone(), Ok(outcome(stop)));
        let end = [
            "1 incomplete",
            "2 function_call",
            "2 +{}",
            "2 completed",
            "3 custom_tool_call",
            "3 incomplete",
            "incomplete",
        ];
        let story = story(&events);
        assert_eq!(story[story.len() - end.len()..], end);
        let response = &events.last().unwrap()["response"];
        assert_eq!(response["status"], "incomplete");
        assert_eq!(response["incomplete_details"], json!({"reason": reason}));
        assert_eq!(response["completed_at"], Value::Null);
        assert_eq!(response["usage"]["total_tokens"], 9);
        assert_eq!(whole(run, Ok(outcome(stop))).unwrap(), *response);
        let alone = stream(vec![text("a")], Ok(outcome(stop)));
        assert_eq!(
            alone.last().unwrap()["response"]["output"][0]["status"],
            "incomplete"
        );
    }
}

#[test]
fn a_broken_run_never_says_completed() {
    for run in [
        vec![],
        vec![text("half")],
        vec![call("f"), arguments(0, "{"), call("f"), text("waits")],
        vec![call("patch"), arguments(0, "{\"input\":\"a\\")],
    ] {
        let has_items = !run.is_empty();
        let events = stream(run, Err(failed()));
        let response = &events.last().unwrap()["response"];
        assert_eq!(response["status"], "failed");
        assert_eq!(
            response["error"],
            json!({"code": "server_error", "message": "The agent run failed."})
        );
        assert_eq!(response["usage"], Value::Null);
        assert_eq!(response["completed_at"], Value::Null);
        let output = response["output"].as_array().unwrap();
        assert_eq!(output.len(), usize::from(has_items));
        assert!(output.iter().all(|item| item["status"] == "incomplete"));
        assert_eq!(story(&events).last().unwrap(), "failed");
    }
    assert!(whole(vec![text("half")], Err(failed())).is_err());
}

#[test]
fn a_failed_run_has_its_code() {
    for (error, code, code_of_codex) in [
        (invalid(), "invalid_prompt", "invalid_prompt"),
        (
            RunError::Busy(Some(1)),
            "rate_limit_exceeded",
            "rate_limit_exceeded",
        ),
        (
            RunError::Busy(None),
            "rate_limit_exceeded",
            "invalid_prompt",
        ),
        (
            RunError::Unavailable(Some(1)),
            "server_error",
            "server_error",
        ),
        (
            RunError::Unavailable(None),
            "server_error",
            "invalid_prompt",
        ),
        (
            RunError::Unreachable(String::new()),
            "server_error",
            "server_error",
        ),
        (RunError::silent(), "server_error", "invalid_prompt"),
        (failed(), "server_error", "invalid_prompt"),
    ] {
        for (failure, code) in [
            (FailureCode::ServerError, code),
            (FailureCode::InvalidPrompt, code_of_codex),
        ] {
            let head = ResponseHead { failure, ..head() };
            let ended = Err(error.clone());
            let stream = stream_of(head, &ToolChoice::Auto, LIMIT, vec![], ended, false);
            let events = read(&stream);
            assert_eq!(
                events.last().unwrap()["response"]["error"]["code"],
                code,
                "{error:?}"
            );
        }
    }
}

#[test]
fn arguments_after_the_end_of_a_call_break_the_run() {
    let run = |late: &str| vec![call("f"), arguments(0, "{}"), text("a"), arguments(0, late)];
    let ended = || Ok(outcome(StopReason::EndTurn));
    assert_eq!(
        story(&stream(run(" "), ended())).last().unwrap(),
        "completed"
    );
    assert_eq!(story(&stream(run("{}"), ended())).last().unwrap(), "failed");
    assert!(whole(run("{}"), ended()).is_err());
}

#[test]
fn no_text_of_a_custom_tool_is_lost() {
    let parts = |parts: [&str; 3]| {
        let mut run = vec![call("patch")];
        run.extend(parts.map(|part| arguments(0, part)));
        run
    };
    let ended = || Ok(outcome(StopReason::ToolCalls));
    let quoted = parts(["\"quoted", "\" and", " more"]);
    let events = stream(quoted.clone(), ended());
    assert_eq!(
        story(&events),
        [
            "0 custom_tool_call",
            "0 +\"quoted\" and",
            "0 + more",
            "0 completed",
            "completed",
        ]
    );
    let response = whole(quoted, ended()).unwrap();
    assert_eq!(response["output"][0]["input"], "\"quoted\" and more");

    // The client has read the text in JSON.
    let broken = parts(["{\"input\":\"a", "\"} and", " more"]);
    let events = stream(broken.clone(), ended());
    let expected = ["0 custom_tool_call", "0 +a", "0 incomplete", "failed"];
    assert_eq!(story(&events), expected);
    assert!(whole(broken, ended()).is_err());
}

#[test]
fn a_required_call_holds_the_text_back_until_it_comes() {
    let stream = |run: Vec<RunEvent>| {
        let ended = Ok(outcome(StopReason::ToolCalls));
        story(&read(&stream_of(
            head(),
            &ToolChoice::Required,
            LIMIT,
            run,
            ended,
            false,
        )))
    };
    let kept = stream(vec![text("Sure."), call("f")]);
    assert_eq!(kept[2..4], ["0 +Sure.", "0 completed"]);
    assert_eq!(stream(vec![text("I would rather talk.")]), ["failed"]);
}

#[test]
fn a_response_has_a_limit() {
    let run = || {
        vec![
            text(&"x".repeat(10_000)),
            call("f"),
            arguments(0, &"x".repeat(10_000)),
        ]
    };
    let stream = |limit| {
        let ended = Ok(outcome(StopReason::EndTurn));
        story(&read(&stream_of(
            head(),
            &ToolChoice::Auto,
            limit,
            run(),
            ended,
            false,
        )))
    };
    assert_eq!(stream(24_000).last().unwrap(), "completed");
    let cut = stream(20_000);
    assert_eq!(cut[cut.len() - 2..], ["1 incomplete", "failed"]);
    let many: Vec<_> = (0..100).map(|_| call("f")).collect();
    let ended = Ok(outcome(StopReason::EndTurn));
    let items = stream_of(head(), &ToolChoice::Auto, 20_000, many, ended, false);
    assert!(items.contains("response.failed"), "an item has a size");
}

#[test]
fn responses_share_the_memory_budget() {
    let budget = budget();
    let response = || {
        let mut out = Vec::new();
        let holding = budget.begin("a");
        let auto = ToolChoice::Auto;
        let head = ResponseHead {
            limit: usize::MAX,
            ..head()
        };
        let mut reply = StreamedResponse::start(head, &auto, holding, 0, &mut out);
        let mut texts = (0..12).map(|_| text(&"x".repeat(1024 * 1024)));
        let grown = texts.try_for_each(|text| reply.event(text, &mut out));
        (reply, grown)
    };
    let (first, grown) = response();
    assert_eq!(grown, Ok(()));
    assert!(response().1.is_err());
    // The last bytes are a part of the budget, too.
    let (_, holding) = first.end(
        Ending::Succeeded(outcome(StopReason::EndTurn)),
        || 11,
        &mut Vec::new(),
    );
    assert!(response().1.is_err());
    drop(holding);
    assert_eq!(response().1, Ok(()));
}

#[test]
fn no_delta_is_longer_than_64_kib() {
    let long = "\u{1}x".repeat(40_000);
    let run = vec![text(&long), call("f"), arguments(0, &long)];
    let stream = stream_of(
        head(),
        &ToolChoice::Auto,
        LIMIT,
        run,
        Ok(outcome(StopReason::EndTurn)),
        false,
    );
    let lines = stream.lines().filter(|line| line.contains(".delta\""));
    assert!(lines.clone().count() > 8);
    assert!(lines.map(str::len).all(|length| length < 64 * 1024));
}

#[test]
fn the_progress_has_the_open_item_so_far() {
    let run = vec![text("a"), call("f"), arguments(0, "{\"a\""), call("f")];
    let ended = Ok(outcome(StopReason::EndTurn));
    let events = read(&stream_of(
        head(),
        &ToolChoice::Auto,
        LIMIT,
        run,
        ended,
        true,
    ));
    let progress: Vec<_> = events[2..]
        .iter()
        .filter(|event| event["type"] == "response.in_progress")
        .map(|event| &event["response"]["output"])
        .collect();
    assert_eq!(progress.len(), 4);
    assert_eq!(progress[0][0]["status"], "in_progress");
    assert_eq!(progress[0][0]["content"][0]["text"], "a");
    assert_eq!(progress[3][0]["status"], "completed");
    assert_eq!(progress[3][1]["status"], "in_progress");
    assert_eq!(progress[3][1]["arguments"], "{\"a\"");
    assert_eq!(progress[3].as_array().unwrap().len(), 2);
}
