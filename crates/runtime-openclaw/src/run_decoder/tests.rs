//! Streams as OpenClaw and others send them, whole, cut and broken.

use super::*;
use crate::request::tests::request;
use crate::types::{ToolArgumentsDelta, ToolCallStart};

type Told = (Vec<RunEvent>, Result<RunOutcome, RunError>);

/// Reads a stream in pieces and ends the run where the stream ends.
fn told<'p>(request: &RunRequest, pieces: impl IntoIterator<Item = &'p [u8]>) -> Told {
    let mut run_decoder = RunDecoder::new(request, Redactor::default());
    let mut events = Vec::new();
    for piece in pieces {
        match run_decoder.read(piece, &mut events) {
            Ok(Progress::Open) => {}
            Ok(Progress::Done) => break,
            Err(error) => return (events, Err(error)),
        }
    }
    (events, run_decoder.end())
}

/// Reads a stream whole, byte by byte and cut at every byte; all must agree.
/// Leaves the sign of the run's beginning out.
fn run(request: &RunRequest, stream: &str) -> Told {
    let stream = stream.as_bytes();
    let whole = told(request, [stream]);
    assert_eq!(told(request, stream.chunks(1)), whole);
    for cut in 0..=stream.len() {
        let (before, after) = stream.split_at(cut);
        assert_eq!(told(request, [before, after]), whole, "cut at {cut}");
    }
    let (mut events, ended) = whole;
    events.retain(|event| *event != begun());
    (events, ended)
}

fn begun() -> RunEvent {
    RunEvent::Text(String::new())
}

/// Writes the data of events down as a stream.
fn stream(data: &[&str]) -> String {
    data.iter()
        .map(|data| format!("data: {data}\n\n"))
        .collect()
}

fn text(text: &str) -> String {
    format!(r#"{{"choices":[{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":null}}]}}"#)
}

const ROLE: &str = r#"{"choices":[{"index":0,"delta":{"role":"assistant"},"finish_reason":null}]}"#;
const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const CALLED: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#;
const CALL: &str = r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a1","type":"function","function":{"name":"get_weather","arguments":""}}]},"finish_reason":null}]}"#;
const ARGUMENTS: &str = r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]},"finish_reason":null}]}"#;
const USAGE: &str =
    r#"{"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":3,"total_tokens":14}}"#;
const DONE: &str = "[DONE]";

fn outcome(stop_reason: StopReason, usage: Option<Usage>) -> Result<RunOutcome, RunError> {
    Ok(RunOutcome { stop_reason, usage })
}

fn usage() -> Usage {
    Usage {
        input_tokens: 11,
        output_tokens: 3,
        total_tokens: 14,
        cached_input_tokens: None,
        reasoning_tokens: None,
    }
}

fn call() -> Vec<RunEvent> {
    vec![
        RunEvent::ToolCall(ToolCallStart {
            id: "a1".to_owned(),
            name: "get_weather".to_owned(),
        }),
        RunEvent::ToolArguments(ToolArgumentsDelta {
            index: 0,
            json: "{}".to_owned(),
        }),
    ]
}

fn forced() -> RunRequest {
    RunRequest {
        tool_choice: ToolChoice::Required,
        ..request()
    }
}

#[test]
fn the_first_chunk_says_that_the_run_has_begun_and_does_so_once() {
    for (data, events) in [
        (&[ROLE, ROLE][..], vec![begun()]),
        (&[&text("x"), ROLE], vec![RunEvent::Text("x".to_owned())]),
        (
            &[r#"{"error":{"message":"no","type":"api_error"}}"#],
            vec![],
        ),
    ] {
        assert_eq!(told(&request(), [stream(data).as_bytes()]).0, events);
    }
}

#[test]
fn a_text_is_told_piece_by_piece_and_ends_whole() {
    let stream = stream(&[ROLE, &text("Grüße"), &text(" 😀"), STOP, USAGE, DONE]);
    let events = ["Grüße", " 😀"].map(|text| RunEvent::Text(text.to_owned()));
    let expected = (events.into(), outcome(StopReason::EndTurn, Some(usage())));
    assert_eq!(run(&request(), &stream), expected);
}

#[test]
fn a_tool_call_is_told_and_waited_for() {
    let stream = stream(&[ROLE, CALL, ARGUMENTS, CALLED, DONE]);
    let expected = (call(), outcome(StopReason::ToolCalls, None));
    assert_eq!(run(&request(), &stream), expected);
}

#[test]
fn a_call_without_arguments_is_told_before_the_end() {
    let (events, ended) = run(&request(), &stream(&[CALL, CALLED, DONE]));
    assert_eq!(events, call()[..1]);
    assert!(ended.is_ok());
}

#[test]
fn a_forced_call_that_finishes_with_stop_waits_for_its_tool() {
    let (_, ended) = run(&forced(), &stream(&[CALL, ARGUMENTS, STOP, DONE]));
    assert_eq!(ended, outcome(StopReason::ToolCalls, None));
}

#[test]
fn a_finished_stream_may_end_without_its_mark() {
    let (_, ended) = run(&request(), &stream(&[&text("a"), STOP]));
    assert_eq!(ended, outcome(StopReason::EndTurn, None));
}

#[test]
fn nothing_after_the_mark_matters() {
    let stream = stream(&[&text("a"), STOP, DONE, "{oops", r#"{"error":"late"}"#]);
    let (events, ended) = told(&request(), [stream.as_bytes()]);
    assert_eq!(events.len(), 1);
    assert_eq!(ended, outcome(StopReason::EndTurn, None));
}

#[test]
fn an_unfinished_stream_is_never_a_whole_run() {
    let error = r#"{"error":{"message":"internal error","type":"api_error"}}"#;
    let nameless = r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{}"}}]}}]}"#;
    let text = text("partial");
    let streams: [&[&str]; 12] = [
        &[],
        &[DONE],
        &[ROLE],
        &[ROLE, &text],
        &[ROLE, &text, DONE],
        &[ROLE, &text, USAGE, DONE],
        &[ROLE, &text, "{not json", STOP, DONE],
        &[ROLE, &text, error, DONE],
        &[ROLE, &text, STOP, error, DONE],
        &[ROLE, CALL, ARGUMENTS, DONE],
        &[ROLE, &text, CALLED, DONE],
        &[ROLE, nameless, CALLED, DONE],
    ];
    for data in streams {
        let (_, ended) = run(&request(), &stream(data));
        assert!(
            matches!(ended, Err(RunError::Failed(_))),
            "{data:?}: {ended:?}"
        );
    }
}

#[test]
fn a_whole_run_cut_anywhere_before_its_finish_is_a_failure() {
    let stream = stream(&[ROLE, &text("a"), STOP]);
    for cut in 0..stream.len() {
        let (_, ended) = told(&request(), [&stream.as_bytes()[..cut]]);
        assert!(ended.is_err(), "cut at {cut}");
    }
}

#[test]
fn what_was_told_before_the_break_is_still_told() {
    let (events, ended) = run(&request(), &stream(&[&text("a"), &text("b"), "{oops"]));
    assert_eq!(events.len(), 2);
    assert!(ended.is_err());
}

#[test]
fn an_error_in_the_stream_is_told_by_its_kind() {
    let cases = [
        (
            r#""message":"429 slow","type":"rate_limit_error""#,
            RunError::Busy(None),
        ),
        (
            r#""message":"429","type":"insufficient_quota""#,
            RunError::Busy(None),
        ),
        (
            r#""type":"requests","code":"rate_limit_exceeded""#,
            RunError::Busy(None),
        ),
    ];
    for (fields, expected) in cases {
        let (_, ended) = run(
            &request(),
            &stream(&[&format!(r#"{{"error":{{{fields}}}}}"#)]),
        );
        assert_eq!(ended, Err(expected), "{fields}");
    }
}

#[test]
fn a_mistake_in_the_request_is_one_only_while_nothing_was_told() {
    let error = r#"{"error":{"message":"400 no","type":"invalid_request_error","code":"c"}}"#;
    let (_, ended) = run(&request(), &stream(&[ROLE, error]));
    match ended {
        Err(RunError::Invalid(invalid)) => {
            assert_eq!(invalid.kind, InvalidKind::Malformed);
            assert_eq!(invalid.message, "400 no");
            assert_eq!(invalid.code.as_deref(), Some("c"));
        }
        other => panic!("{other:?}"),
    }
    let (_, ended) = run(&request(), &stream(&[&text("a"), error]));
    assert!(matches!(ended, Err(RunError::Failed(_))), "{ended:?}");
}

#[test]
fn an_unmet_choice_needs_a_forced_call_that_was_not_made() {
    let unmet = r#"{"error":{"message":"tool_choice=required was not satisfied by the agent response","type":"api_error"}}"#;
    let named = r#"{"error":{"message":"tool_choice required a f tool call, but the agent did not produce one","type":"api_error"}}"#;
    let other = r#"{"error":{"message":"upstream provider error","type":"api_error"}}"#;
    let cases: [(RunRequest, &[&str], bool); 5] = [
        (forced(), &[unmet], true),
        (forced(), &[named], true),
        (forced(), &[other], false),
        (request(), &[unmet], false),
        (forced(), &[CALL, ARGUMENTS, unmet], false),
    ];
    for (request, data, expected) in cases {
        let (_, ended) = run(&request, &stream(data));
        assert_eq!(
            ended == Err(RunError::ToolChoiceUnmet),
            expected,
            "{data:?}"
        );
        assert!(ended.is_err());
    }
}

#[test]
fn any_bytes_can_be_read() {
    let seeds = [
        ROLE,
        CALL,
        ARGUMENTS,
        STOP,
        USAGE,
        DONE,
        "{\"error\":{}}",
        "\u{FEFF}",
        "\r",
    ];
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut below = move |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % limit as u64).unwrap()
    };
    for _ in 0..5000 {
        let picked: Vec<&str> = (0..below(6)).map(|_| seeds[below(seeds.len())]).collect();
        let mut stream = stream(&picked).into_bytes();
        for _ in 0..below(4) {
            let at = below(stream.len() + 1);
            stream.insert(at, u8::try_from(below(256)).unwrap());
        }
        let cut = below(stream.len() + 1);
        let (before, after) = stream.split_at(cut);
        let whole = told(&request(), [&*stream]);
        assert_eq!(told(&request(), [before, after]), whole, "{stream:?}");
    }
}

#[test]
fn an_unknown_model_is_not_found_if_the_request_named_one() {
    let error = r#"{"error":{"message":"Unknown model: a/b.","type":"invalid_request_error"}}"#;
    for (model, expected) in [
        (Some("a/b".to_owned()), InvalidKind::NotFound),
        (None, InvalidKind::Malformed),
    ] {
        let request = RunRequest { model, ..request() };
        let (_, ended) = run(&request, &stream(&[ROLE, error]));
        match ended {
            Err(RunError::Invalid(invalid)) => assert_eq!(invalid.kind, expected),
            other => panic!("{other:?}"),
        }
    }
}
