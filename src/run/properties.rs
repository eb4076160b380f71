//! Properties of every body: it becomes a run, or a rejection with a position or a
//! parameter.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::tests::rules;
use super::*;
use crate::access::Caller;
use crate::inbound::{Api, Headers};
use crate::rejection::{BodyFault, Rejection};

/// Members that the endpoint reads, and one that it ignores.
const MEMBERS: &[&str] = &[
    "model",
    "stream",
    "stream_options",
    "include_usage",
    "tools",
    "tool_choice",
    "type",
    "function",
    "name",
    "parameters",
    "arguments",
    "messages",
    "role",
    "content",
    "text",
    "image_url",
    "url",
    "tool_calls",
    "tool_call_id",
    "id",
    "user",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "response_format",
    "json_schema",
    "frequency_penalty",
    "seed",
    "stop",
    "reasoning_effort",
    "parallel_tool_calls",
    "n",
];

/// More members that `/v1/responses` reads.
const RESPONSE_MEMBERS: &[&str] = &[
    "input",
    "instructions",
    "previous_response_id",
    "conversation",
    "store",
    "background",
    "prompt",
    "max_output_tokens",
    "text",
    "format",
    "schema",
    "reasoning",
    "effort",
    "metadata",
    "call_id",
    "namespace",
    "output",
    "mode",
];

/// Strings with a meaning in some member.
const WORDS: &[&str] = &[
    "",
    " ",
    "user",
    "assistant",
    "tool",
    "system",
    "function",
    "text",
    "image_url",
    "hi",
    "openclaw",
    "openclaw/research",
    "agent:",
    "auto",
    "none",
    "required",
    "json_schema",
    "data:image/png;base64,iVBORw0KGgo=",
    "data:,",
    "message",
    "function_call",
    "function_call_output",
    "custom_tool_call",
    "custom",
    "namespace",
    "additional_tools",
    "allowed_tools",
    "web_search",
    "input_text",
    "input_image",
    "resp_1",
    "https://example.com/a",
    "[]",
    "{\"a\":1}",
];

fn member() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        prop::sample::select(MEMBERS),
        prop::sample::select(RESPONSE_MEMBERS)
    ]
}

/// Random JSON from the members and strings of requests.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3..9).prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        prop::sample::select(WORDS).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let member = (member(), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(Value::from),
            prop::collection::vec(member, 0..6).prop_map(|members| {
                let members = members.into_iter();
                Value::Object(
                    members
                        .map(|(name, value)| (name.to_owned(), value))
                        .collect(),
                )
            }),
        ]
    })
}

/// Reads a body in each API and returns a defect of a result.
fn defect(body: Vec<u8>, headers: &Headers) -> Option<String> {
    let completion = defect_in(Api::Completions, body.clone(), headers);
    completion.or_else(|| defect_in(Api::Responses, body, headers))
}

fn defect_in(api: Api, body: Vec<u8>, headers: &Headers) -> Option<String> {
    let (caller, ids) = (Caller::for_test("owner"), RequestIds::default());
    match ValidRun::read(api, body, headers, &caller, &rules(), ids) {
        Ok(run) => {
            let is_empty = run.into_request().messages.is_empty();
            is_empty.then(|| "a run without messages".to_owned())
        }
        Err(Rejection::UnknownAgent(_) | Rejection::ResponsesNotKept) => None,
        Err(Rejection::Body(BodyFault::NotJson(problem))) if problem.contains("line") => None,
        Err(Rejection::Body(BodyFault::NotUtf8(_))) => None,
        Err(Rejection::Invalid {
            param: Some(_),
            message,
        }) if !message.is_empty() => None,
        Err(Rejection::Invalid {
            param: None,
            message,
        }) if message.contains("a JSON object") => None,
        Err(other) => Some(format!("{other:?}")),
    }
}

proptest! {
    #[test]
    fn any_bytes_are_rejected_at_a_position(body: Vec<u8>) {
        prop_assert_eq!(defect(body, &Headers::default()), None);
    }

    #[test]
    fn any_json_becomes_a_run_or_is_rejected_by_name(body in any_value()) {
        prop_assert_eq!(defect(body.to_string().into_bytes(), &Headers::default()), None);
    }

    #[test]
    fn any_member_of_a_valid_request_does_too(
        name in prop::sample::select(MEMBERS), value in any_value(), part in any_value()
    ) {
        let content = json!([{ "type": "text", "text": "hi" }, part]);
        let mut body = json!({ "messages": [{ "role": "user", "content": content }, part] });
        body[name] = value;
        prop_assert_eq!(defect(body.to_string().into_bytes(), &Headers::default()), None);
    }

    #[test]
    fn any_member_of_a_valid_response_request_does_too(
        name in member(), value in any_value(), item in any_value(), tool in any_value()
    ) {
        let input = json!([{ "role": "user", "content": [{ "type": "input_text", "text": "hi" }] }, item]);
        let mut body = json!({ "input": input, "tools": [tool] });
        body[name] = value;
        prop_assert_eq!(defect(body.to_string().into_bytes(), &Headers::default()), None);
    }

    #[test]
    fn any_headers_do_too(values: [Vec<u8>; 5]) {
        let names = ["x-openclaw-agent-id", "x-openclaw-model", "x-openclaw-message-channel",
            "x-openclaw-session-key", "x-openclaw-agent"];
        let fields = names.into_iter().map(str::to_owned).zip(values).collect();
        let body = br#"{"messages":[{"role":"user","content":"hi"}]}"#.to_vec();
        prop_assert_eq!(defect(body, &Headers::new(fields)), None);
    }
}
