//! Requests of the Responses API: items, tools, sessions, and what cannot be honoured.

use std::rc::Rc;

use serde_json::{Value, json};
use tidegate_config::Secret;

use crate::access::permissions::SESSION_HEADER;
use crate::access::{Caller, Key, Permission};
use crate::inbound::{Api, Headers};
use crate::rejection::Rejection;
use crate::run::reply_form::{Client, ReplyForm, ResponseForm};
use crate::run::session_key::SessionSecret;
use crate::run::tests::rules;
use crate::run::tool_names::{ClientTool, ToolKind};
use crate::run::{Mode, RequestIds, RunRules, ValidRun};
use crate::runtime::{ContentPart, Continuity, Message, ResponseFormat, RunRequest, ToolChoice};
use uuid::Uuid;

fn with_secret() -> RunRules {
    let mut rules = rules();
    rules.sessions.secret = SessionSecret::new(&Secret::new("sixteen bytes or more"));
    rules
}

fn read_by(
    caller: &Caller,
    body: &Value,
    headers: &Headers,
    rules: &RunRules,
    run: u128,
) -> Result<ValidRun, Rejection> {
    let ids = RequestIds {
        run: Uuid::from_u128(run),
        session: Uuid::from_u128(run),
    };
    let body = body.to_string().into_bytes();
    ValidRun::read(Api::Responses, body, headers, caller, rules, ids)
}

fn read(body: &Value) -> Result<ValidRun, Rejection> {
    let owner = Caller::for_test("owner");
    read_by(&owner, body, &Headers::default(), &with_secret(), 1)
}

fn request(body: &Value) -> RunRequest {
    read(body).unwrap().into_request()
}

fn form(mut run: ValidRun) -> ResponseForm {
    match run.take_form() {
        ReplyForm::Response(form) => *form,
        ReplyForm::Completion => panic!("not a response"),
    }
}

/// Returns the place and the message of a rejection.
fn rejected(body: &Value) -> (String, String) {
    match read(body) {
        Err(Rejection::Invalid {
            param: Some(param),
            message,
        }) => (param.into_owned(), message),
        other => panic!("{body}: {other:?}"),
    }
}

fn summary(messages: &[Message]) -> Vec<String> {
    let part = |part: &ContentPart| match part {
        ContentPart::Text(text) => text.clone(),
        ContentPart::Image(image) => format!("<{}>", image.media_type),
        ContentPart::ImageUrl(url) => format!("<{url}>"),
    };
    let summaries = messages.iter().map(|message| {
        let parts: Vec<_> = message.content.iter().map(part).collect();
        let calls = message.tool_calls.iter();
        let calls: Vec<_> = calls
            .map(|call| format!("{}={}({})", call.id, call.name, call.arguments))
            .collect();
        let id = message.tool_call_id.clone().unwrap_or_default();
        let parts = [parts.join("|"), calls.join(","), id];
        format!("{:?} {}", message.role, parts.join(" "))
    });
    let short = |text: String| text.trim_start_matches("Role::").trim_end().to_owned();
    summaries.map(short).collect()
}

fn heard(input: &Value) -> Vec<String> {
    summary(&request(&json!({ "input": input })).messages)
}

const IMAGE: &str =
    "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

#[test]
fn a_text_is_what_the_user_says() {
    let run = read(&json!({ "input": "Hi", "stream": true, "instructions": "Be brief." })).unwrap();
    assert!(matches!(run.mode(), Mode::Streamed { .. }));
    assert_eq!(run.id(), "resp_00000000-0000-0000-0000-000000000001");
    assert_eq!(
        summary(&run.into_request().messages),
        ["System Be brief.", "User Hi"]
    );
}

#[test]
fn items_become_messages_in_their_order() {
    let parts = json!([
        { "type": "input_text", "text": "Look:" },
        { "type": "input_image", "image_url": IMAGE, "detail": "auto" },
        { "type": "input_file", "filename": "a.txt", "file_data": "data:text/plain;base64,aGk=" },
    ]);
    let messages = heard(&json!([
        { "type": "message", "role": "developer", "content": "Be brief." },
        { "role": "user", "content": "first", "id": null, "status": null },
        { "type": "reasoning", "id": "rs_1", "summary": null },
        { "type": "item_reference", "id": "msg_1" },
        { "type": "message", "role": "assistant", "content": [{ "type": "output_text", "text": "Looking." }] },
        { "type": "function_call", "call_id": "call_1", "name": "look", "arguments": { "a": [1, 2] } },
        { "type": "reasoning", "summary": [] },
        { "type": "custom_tool_call", "call_id": "call_2", "name": "patch", "input": "a\n\"b\"" },
        { "type": "function_call_output", "call_id": "call_1", "output": "" },
        { "type": "custom_tool_call_output", "call_id": "call_2", "output": { "ok": true } },
        { "role": "assistant", "content": "" },
        { "role": "assistant", "content": [{ "type": "refusal", "refusal": "No." }] },
        { "role": "user", "content": parts },
    ]));
    let expected = [
        "Developer Be brief.",
        "User first",
        r#"Assistant Looking. call_1=look({"a":[1,2]}),call_2=patch({"input":"a\n\"b\""})"#,
        "Tool   call_1",
        r#"Tool {"ok":true}  call_2"#,
        "Assistant No.",
        "User Look:|<image/gif>|[file: a.txt]\nhi",
    ];
    assert_eq!(messages, expected);
}

#[test]
fn the_sources_of_openclaws_own_form_are_used() {
    let data = IMAGE.split_once(',').unwrap().1;
    let source = |kind: &str, data: &str| json!({ "type": "base64", "media_type": kind, "data": data, "filename": "a.txt" });
    let parts = json!([
        { "type": "input_image", "source": source("image/gif", data) },
        { "type": "input_file", "source": source("text/plain", "aGk=") },
    ]);
    let messages = heard(&json!([{ "role": "user", "content": parts }]));
    assert_eq!(messages, ["User <image/gif>|[file: a.txt]\nhi"]);
    for source in [
        json!({ "type": "url", "url": "https://a.example/a.txt" }),
        json!({ "type": "base64" }),
        json!({ "type": "other", "data": "aGk=" }),
        json!(1),
    ] {
        for kind in ["input_image", "input_file"] {
            let part = json!({ "type": kind, "source": source });
            let input = json!([{ "role": "user", "content": [part] }]);
            assert_eq!(
                rejected(&json!({ "input": input })).0,
                "input[0].content[0]"
            );
        }
    }
}

#[test]
fn an_item_that_cannot_be_used_is_rejected_by_its_place() {
    for (input, place) in [
        (
            json!([{ "role": "user", "content": "a" }, { "type": "foo" }]),
            "input[1].type",
        ),
        (json!([{ "role": "tool", "content": "a" }]), "input[0].role"),
        (json!([{ "content": "a" }]), "input[0].type"),
        (
            json!([{ "type": "message", "content": "a" }]),
            "input[0].role",
        ),
        (json!(["a"]), "input[0]"),
        (json!([null]), "input[0]"),
        (
            json!([{ "type": "function_call", "name": "a" }]),
            "input[0].call_id",
        ),
        (
            json!([{ "type": "function_call", "call_id": "a" }]),
            "input[0].name",
        ),
        (
            json!([{ "type": "function_call_output", "output": "a" }]),
            "input[0].call_id",
        ),
        (
            json!([{ "type": "computer_call", "call_id": "a" }]),
            "input[0].type",
        ),
    ] {
        assert_eq!(rejected(&json!({ "input": input })).0, place, "{input}");
    }
    let unknown = rejected(&json!({ "input": [{ "type": "foo" }] })).1;
    assert!(unknown.contains("`foo`"), "{unknown}");
}

#[test]
fn a_part_that_cannot_be_used_is_rejected_by_its_place() {
    let user = |part: Value| json!([{ "role": "user", "content": [part] }]);
    for (input, place) in [
        (
            user(json!({ "type": "input_audio" })),
            "input[0].content[0]",
        ),
        (
            user(json!({ "type": "input_image", "file_id": "f" })),
            "input[0].content[0]",
        ),
        (
            user(json!({ "type": "input_file", "file_id": "f" })),
            "input[0].content[0]",
        ),
        (
            user(json!({ "type": "input_file", "file_url": "https://a.example" })),
            "input[0].content[0]",
        ),
        (
            user(json!({ "type": "input_image", "image_url": "https://a.example" })),
            "input[0].content[0]",
        ),
        (user(json!(1)), "input[0].content[0]"),
        (
            json!([{ "role": "user", "content": 1 }]),
            "input[0].content",
        ),
        (
            json!([{ "type": "function_call_output", "call_id": "c", "output": [{ "type": "input_audio" }] }]),
            "input[0].output[0]",
        ),
        (
            json!([{ "type": "additional_tools", "tools": [{ "type": "function" }] }]),
            "input[0].tools[0]",
        ),
        (json!(5), "input"),
        (json!({}), "input"),
        (json!(null), "input"),
        (json!(" "), "input"),
        (json!([]), "input"),
        (json!([{ "role": "system", "content": "a" }]), "input"),
    ] {
        assert_eq!(rejected(&json!({ "input": input })).0, place, "{input}");
    }
}

#[test]
fn what_changes_the_reply_and_is_not_possible_is_rejected_by_name() {
    for (name, value) in [
        ("prompt", json!({ "id": "pmpt_1" })),
        ("temperature", json!(3)),
        ("top_p", json!("a")),
        ("max_output_tokens", json!(0)),
        ("store", json!(1)),
        ("stream", json!("true")),
        ("user", json!(1)),
        ("instructions", json!([])),
        ("text", json!("json")),
        ("reasoning", json!("low")),
        ("reasoning.effort", json!(null)),
        ("text.format", json!(null)),
        ("conversation", json!("")),
        ("conversation", json!({})),
        ("conversation", json!(1)),
        ("previous_response_id", json!(1)),
        ("tools", json!({})),
        ("tools[0]", json!([{ "type": "function", "name": " " }])),
        ("tools[0]", json!([{ "name": "a" }])),
        ("tools[0]", json!([1])),
        ("tools[0]", json!([{ "type": "namespace", "tools": [] }])),
        (
            "tools[0].tools[0]",
            json!([{ "type": "namespace", "name": "n", "tools": [{ "type": "function" }] }]),
        ),
        ("tool_choice", json!("any")),
        ("tool_choice", json!("required")),
        ("tool_choice", json!({ "type": "function", "name": "a" })),
        ("tool_choice", json!({ "type": "web_search" })),
        ("tool_choice", json!(1)),
        (
            "tool_choice",
            json!({ "type": "allowed_tools", "mode": "required", "tools": [{ "type": "web_search" }] }),
        ),
    ] {
        let mut body = json!({ "input": "Hi" });
        match (name, value) {
            ("reasoning.effort", _) => body["reasoning"] = json!({ "effort": 1 }),
            ("text.format", _) => body["text"] = json!({ "format": { "type": "xml" } }),
            (name, value) => {
                let member = name.split('[').next().unwrap().to_owned();
                body[member] = value;
            }
        }
        assert_eq!(rejected(&body).0, name, "{body}");
    }
}

#[test]
fn null_is_absent() {
    let names = [
        "model",
        "instructions",
        "previous_response_id",
        "conversation",
        "user",
        "store",
        "stream",
        "background",
        "prompt",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "max_output_tokens",
        "temperature",
        "top_p",
        "text",
        "reasoning",
        "include",
        "metadata",
        "truncation",
        "service_tier",
        "safety_identifier",
        "prompt_cache_key",
        "stream_options",
        "other",
    ];
    let mut body = json!({ "input": "Hi" });
    for name in names {
        body[name] = Value::Null;
    }
    assert_eq!(summary(&request(&body).messages), ["User Hi"]);
}

#[test]
fn what_a_run_cannot_use_has_no_effect_and_is_logged() {
    let body = json!({
        "input": "Hi", "include": [], "metadata": { "a": "b" }, "truncation": "auto", "other": 1,
        "service_tier": "flex", "client_metadata": {}, "stream_options": {}, "max_tool_calls": 2,
        "tools": [{ "type": "web_search" }, { "type": "later" }, { "type": "web_search" }],
    });
    let referring = json!({ "input": [{ "type": "item_reference", "id": "msg_1" }, { "role": "user", "content": "Hi" }] });
    assert_eq!(
        read(&referring).unwrap().ignored(),
        ["input.item_reference"]
    );
    let run = read(&body).unwrap();
    let ignored = [
        "client_metadata",
        "include",
        "max_tool_calls",
        "metadata",
        "service_tier",
        "stream_options",
        "truncation",
        "tools.web_search",
        "tools.later",
    ];
    let mut logged = run.ignored().to_vec();
    logged.sort();
    let mut expected = ignored.to_vec();
    expected.sort_unstable();
    assert_eq!(logged, expected);
    let form = form(run);
    assert_eq!(form.echo.metadata.get(), r#"{"a":"b"}"#);
    assert_eq!(form.echo.max_tool_calls, Some(2));
    assert_eq!(form.client, Client::Other);
}

#[test]
fn every_parameter_of_the_run_is_forwarded() {
    let schema = json!({ "type": "object" });
    let request = request(&json!({
        "input": "Hi", "temperature": 0.5, "top_p": 0.25, "max_output_tokens": 64,
        "parallel_tool_calls": false, "reasoning": { "effort": "low", "summary": "auto" },
        "text": { "format": { "type": "json_schema", "name": "n", "schema": schema, "strict": true }, "verbosity": "low" },
    }));
    assert_eq!(request.sampling.temperature, Some(0.5));
    assert_eq!(request.sampling.top_p, Some(0.25));
    assert_eq!(request.sampling.max_tokens, Some(64));
    assert_eq!(request.parallel_tool_calls, Some(false));
    assert_eq!(request.reasoning_effort.as_deref(), Some("low"));
    let schema = r#"{"name":"n","schema":{"type":"object"},"strict":true}"#;
    let format = ResponseFormat::JsonSchema(schema.to_owned());
    assert_eq!(request.response_format, Some(format));
}

fn search(name: &str) -> Value {
    json!({ "type": "function", "name": name, "description": "Searches.", "parameters": { "type": "object" } })
}

#[test]
fn the_tools_of_namespaces_get_names_of_their_own() {
    let long = "n".repeat(60);
    let space = |name: &str, tools: &[Value]| json!({ "type": "namespace", "name": name, "description": "Docs.", "tools": tools });
    let tools = json!([
        search("search"),
        space("docs", &[search("search")]),
        space(
            "wiki",
            &[
                search("search"),
                json!({ "type": "custom", "name": "edit" })
            ]
        ),
        space("a", &[search("b__c")]),
        space("a__b", &[search("c")]),
        space(&long, &[search("search")]),
    ]);
    let run = read(&json!({ "input": "Hi", "tools": tools })).unwrap();
    let request = run.into_request();
    let names: Vec<_> = request
        .tools
        .iter()
        .map(|tool| tool.name.as_str())
        .collect();
    assert_eq!(
        names[..4],
        ["search", "docs__search", "wiki__search", "wiki__edit"]
    );
    let distinct: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len(), "{names:?}");
    assert!(names.iter().all(|name| name.len() <= 64), "{names:?}");
    assert!(names[4].starts_with("a__b__c_") && names[5].starts_with("a__b__c_"));

    let form = form(read(&json!({ "input": "Hi", "tools": tools })).unwrap());
    for (offered, namespace, name, kind) in [
        ("search", None, "search", ToolKind::Function),
        ("docs__search", Some("docs"), "search", ToolKind::Function),
        ("wiki__edit", Some("wiki"), "edit", ToolKind::Custom),
        (names[4], Some("a"), "b__c", ToolKind::Function),
        (names[5], Some("a__b"), "c", ToolKind::Function),
        (names[6], Some(long.as_str()), "search", ToolKind::Function),
        ("unknown", None, "unknown", ToolKind::Function),
    ] {
        let client = ClientTool {
            name: name.to_owned(),
            namespace: namespace.map(str::to_owned),
            kind,
        };
        assert_eq!(form.names.of(offered), client, "{offered}");
    }
}

#[test]
fn a_call_that_is_sent_back_has_the_name_that_the_runtime_knows() {
    let tools = json!([{ "type": "namespace", "name": "a__b", "tools": [search("c")] }]);
    for (namespace, name, offered) in [("a__b", "c", "a__b__c"), ("gone", "x", "gone__x")] {
        let call = json!({ "type": "function_call", "call_id": "1", "namespace": namespace, "name": name, "arguments": "{}" });
        let output = json!({ "type": "function_call_output", "call_id": "1", "output": "found" });
        let body = json!({ "input": [call, output], "tools": tools });
        let messages = read(&body).unwrap().into_request().messages;
        assert_eq!(messages[0].tool_calls[0].name, offered);
    }
}

#[test]
fn a_custom_tool_is_a_function_of_one_text() {
    let grammar = json!({ "type": "grammar", "syntax": "lark", "definition": "start: /a+/" });
    let tool =
        json!({ "type": "custom", "name": "patch", "description": "Patches.", "format": grammar });
    let request = request(
        &json!({ "input": "Hi", "tools": [tool], "tool_choice": { "type": "custom", "name": "patch" } }),
    );
    let tool = &request.tools[0];
    assert_eq!(tool.name, "patch");
    let description = "Patches.\n\nThe text must match this lark grammar:\nstart: /a+/";
    assert_eq!(tool.description.as_deref(), Some(description));
    let schema: Value = serde_json::from_str(tool.parameters.as_deref().unwrap()).unwrap();
    assert_eq!(schema["required"], json!([crate::run::CUSTOM_INPUT]));
    assert_eq!(request.tool_choice, ToolChoice::Named("patch".to_owned()));
}

#[test]
fn tools_among_the_items_are_tools_and_no_message() {
    let input = json!([
        { "type": "additional_tools", "role": "developer", "tools": [search("a"), search("b")] },
        { "role": "user", "content": "Hi" },
        { "type": "additional_tools", "role": "developer", "tools": [search("b")] },
    ]);
    let request = request(&json!({ "input": input, "tools": [search("a")] }));
    let names: Vec<_> = request
        .tools
        .iter()
        .map(|tool| tool.name.as_str())
        .collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(summary(&request.messages), ["User Hi"]);
}

#[test]
fn the_choice_decides_which_tools_are_offered() {
    let tools = json!([search("a"), search("b"), { "type": "web_search" },
        { "type": "namespace", "name": "n", "tools": [search("a")] }]);
    let allowed = |mode: &str| {
        json!({ "type": "allowed_tools", "mode": mode, "tools": [
        { "type": "function", "name": "b" }, { "type": "web_search" }] })
    };
    for (choice, expected, names) in [
        (json!("auto"), ToolChoice::Auto, vec!["a", "b", "n__a"]),
        (json!("none"), ToolChoice::None, vec![]),
        (
            json!("required"),
            ToolChoice::Required,
            vec!["a", "b", "n__a"],
        ),
        (
            json!({ "type": "function", "name": "b" }),
            ToolChoice::Named("b".to_owned()),
            vec!["b"],
        ),
        (
            json!({ "type": "function", "function": { "name": "b" } }),
            ToolChoice::Named("b".to_owned()),
            vec!["b"],
        ),
        (
            json!({ "type": "function", "namespace": "n", "name": "a" }),
            ToolChoice::Named("n__a".to_owned()),
            vec!["n__a"],
        ),
        (allowed("auto"), ToolChoice::Auto, vec!["b"]),
        (allowed("required"), ToolChoice::Required, vec!["b"]),
    ] {
        let request = request(&json!({ "input": "Hi", "tools": tools, "tool_choice": choice }));
        let offered: Vec<_> = request
            .tools
            .iter()
            .map(|tool| tool.name.as_str())
            .collect();
        assert_eq!(
            (offered, request.tool_choice),
            (names, expected),
            "{choice}"
        );
    }
}

#[test]
fn a_response_repeats_the_request() {
    let body = json!({
        "input": "Hi", "instructions": "Be brief.", "prompt_cache_key": "k", "safety_identifier": "s",
        "tools": [{ "type": "function", "name": "a" }, { "type": "web_search", "x": 1 }],
        "tool_choice": { "type": "allowed_tools", "mode": "auto", "tools": [{ "type": "function", "name": "a" }] },
        "text": { "verbosity": "low" }, "reasoning": { "effort": "low" }, "truncation": "auto",
        "parallel_tool_calls": false, "temperature": 0.5, "metadata": "wrong",
    });
    let echo = form(read(&body).unwrap()).echo;
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(echo.instructions.as_deref(), Some("Be brief."));
    assert_eq!(echo.prompt_cache_key.as_deref(), Some("k"));
    assert_eq!(echo.safety_identifier.as_deref(), Some("s"));
    assert_eq!(json(echo.metadata.get()), json!({}));
    assert_eq!(
        json(echo.tools.get()),
        json!([{ "type": "function", "name": "a", "description": null, "parameters": null, "strict": null },
            { "type": "web_search", "x": 1 }])
    );
    assert_eq!(json(echo.tool_choice.get()), body["tool_choice"]);
    assert_eq!(
        json(echo.text.get()),
        json!({ "format": { "type": "text" }, "verbosity": "low" })
    );
    assert!(!echo.parallel_tool_calls);
    let plain = form(read(&json!({ "input": "Hi" })).unwrap()).echo;
    assert_eq!(plain.tool_choice.get(), r#""auto""#);
    assert_eq!(plain.tools.get(), "[]");
    assert!(plain.parallel_tool_calls && plain.instructions.is_none());
}

/// Sends a request as a caller and returns its session, its continuity and its response's id.
fn turn(
    caller: &str,
    body: &Value,
    headers: &Headers,
    rules: &RunRules,
    run: u128,
) -> Result<(String, Continuity, String), Rejection> {
    let run = read_by(&Caller::for_test(caller), body, headers, rules, run)?;
    let (key, continuity) = (run.session().to_string(), run.session().continuity());
    Ok((key, continuity, form(run).id))
}

#[test]
fn a_response_leads_back_to_its_session() {
    let (rules, none) = (with_secret(), Headers::default());
    let (key, continuity, id) = turn("owner", &json!({ "input": "Hi" }), &none, &rules, 1).unwrap();
    assert_eq!(continuity, Continuity::Opening);
    let next = |id: &str| json!({ "input": "And?", "previous_response_id": id });
    let (second, continuity, second_id) = turn("owner", &next(&id), &none, &rules, 2).unwrap();
    assert_eq!((&second, continuity), (&key, Continuity::Continued));
    assert_ne!(id, second_id);
    // An older id continues the session where it is now.
    for id in [&id, &second_id] {
        assert_eq!(turn("owner", &next(id), &none, &rules, 3).unwrap().0, key);
    }
    // Another caller, an agent that the request names, and another secret.
    let mut rotated = with_secret();
    rotated.sessions.secret = SessionSecret::new(&Secret::new("another secret of 16 bytes"));
    let mut other = next(&id);
    other["model"] = json!("openclaw/research");
    for refused in [
        turn("key:web", &next(&id), &none, &rules, 4),
        turn("owner", &other, &none, &rules, 4),
        turn("owner", &next(&id), &none, &rotated, 4),
        turn("owner", &next("resp_x"), &none, &rules, 4),
        turn(
            "owner",
            &next(&id),
            &Headers::from([("x-openclaw-agent", "research")]),
            &rules,
            4,
        ),
    ] {
        assert_eq!(refused, Err(Rejection::UnknownResponse));
    }
    let plain = rules_without_secret();
    assert_eq!(
        turn("owner", &next(&id), &none, &plain, 4),
        Err(Rejection::ResponsesNotKept)
    );
}

fn rules_without_secret() -> RunRules {
    rules()
}

#[test]
fn a_response_of_another_agent_selects_it() {
    let (rules, none) = (with_secret(), Headers::default());
    let first = json!({ "input": "Hi", "model": "openclaw/research" });
    let (key, _, id) = turn("owner", &first, &none, &rules, 1).unwrap();
    assert!(key.starts_with("agent:research:"));
    let next = json!({ "input": "And?", "previous_response_id": id });
    assert_eq!(turn("owner", &next, &none, &rules, 2).unwrap().0, key);
}

#[test]
fn a_response_that_is_not_kept_leads_nowhere() {
    let (rules, none) = (with_secret(), Headers::default());
    let first = json!({ "input": "Hi", "store": false });
    let (_, continuity, id) = turn("owner", &first, &none, &rules, 1).unwrap();
    assert_eq!(continuity, Continuity::Fresh);
    let next = json!({ "input": "And?", "previous_response_id": id });
    assert_eq!(
        turn("owner", &next, &none, &rules, 2),
        Err(Rejection::UnknownResponse)
    );
    let (_, continuity, id) = turn(
        "owner",
        &json!({ "input": "Hi" }),
        &none,
        &rules_without_secret(),
        1,
    )
    .unwrap();
    assert_eq!(
        (continuity, id.as_str()),
        (
            Continuity::Fresh,
            "resp_00000000-0000-0000-0000-000000000001"
        )
    );
}

#[test]
fn the_rest_of_the_request_may_name_the_same_session_only() {
    let (rules, none) = (with_secret(), Headers::default());
    let alice = json!({ "input": "Hi", "user": "alice" });
    let (key, continuity, id) = turn("owner", &alice, &none, &rules, 1).unwrap();
    assert_eq!(continuity, Continuity::Continued);
    let next = |member: &str, value: &str| {
        let mut body = json!({ "input": "And?", "previous_response_id": id });
        body[member] = json!(value);
        body
    };
    assert_eq!(
        turn("owner", &next("user", "alice"), &none, &rules, 2)
            .unwrap()
            .0,
        key
    );
    let named = Headers::from([(SESSION_HEADER, "other")]);
    let chat = Headers::from([("x-conversation-id", "1")]);
    for (body, headers) in [
        (next("user", "bob"), &none),
        (next("conversation", "1"), &none),
        (next("user", "alice"), &named),
        (next("user", "alice"), &chat),
    ] {
        let refused = turn("owner", &body, headers, &rules, 2);
        assert!(
            matches!(&refused, Err(Rejection::Invalid { param: Some(param), .. }) if param == "previous_response_id"),
            "{refused:?}"
        );
    }
}

#[test]
fn a_conversation_is_that_of_a_header() {
    let rules = with_secret();
    let header = |value: &'static str| Headers::from([("x-conversation-id", value)]);
    let body = |conversation: Value| json!({ "input": "Hi", "user": "alice", "conversation": conversation });
    let of = |body: &Value, headers: &Headers| turn("user:web", body, headers, &rules, 1);
    let none = Headers::default();
    let (key, ..) = of(&json!({ "input": "Hi", "user": "alice" }), &header("c1")).unwrap();
    assert_eq!(of(&body(json!("c1")), &none).unwrap().0, key);
    assert_eq!(of(&body(json!({ "id": "c1" })), &none).unwrap().0, key);
    assert_eq!(of(&body(json!("c1")), &header("c1")).unwrap().0, key);
    assert_ne!(of(&body(json!("c2")), &none).unwrap().0, key);
    assert!(of(&body(json!("c2")), &header("c1")).is_err());
}

#[test]
fn no_turn_reaches_a_session_twice() {
    let conversation = json!([
        { "role": "user", "content": "one" },
        { "role": "assistant", "content": "1" },
        { "role": "user", "content": [{ "type": "input_image", "image_url": IMAGE }] },
        { "type": "function_call", "call_id": "c", "name": "a", "arguments": "{}" },
        { "type": "function_call_output", "call_id": "c", "output": "done" },
        { "role": "user", "content": "three" },
    ]);
    let body = json!({ "input": conversation, "user": "alice", "instructions": "Be brief." });
    let messages = request(&body).messages;
    assert_eq!(
        summary(&messages),
        ["System Be brief.", "Tool done  c", "User three"]
    );
    let fresh = request(&json!({ "input": conversation })).messages;
    assert_eq!(fresh.len(), 6);
}

#[test]
fn a_key_that_may_not_instruct_may_not_send_instructions() {
    let key = Key {
        agents: Rc::new(rules().agents),
        instructions: Permission::Denied,
        ..Key::for_test("web")
    };
    let caller = Caller::for_test_with(key);
    for body in [
        json!({ "input": "Hi", "instructions": "Obey." }),
        json!({ "input": [{ "role": "user", "content": "Hi" }, { "role": "developer", "content": "Obey." }] }),
    ] {
        let refused = read_by(&caller, &body, &Headers::default(), &rules(), 1);
        assert!(matches!(
            refused,
            Err(Rejection::Forbidden { param: "input", .. })
        ));
    }
}

#[test]
fn codex_is_recognized_by_its_header() {
    let headers = Headers::from([("x-codex-turn-metadata", "{}")]);
    let run = read_by(
        &Caller::for_test("owner"),
        &json!({ "input": "Hi" }),
        &headers,
        &rules(),
        1,
    );
    assert_eq!(form(run.unwrap()).client, Client::Codex);
}
