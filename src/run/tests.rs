//! Whole requests: types, values, and the order of the checks.

use super::*;
use crate::access::permissions::{CHANNEL_HEADER, MODEL_HEADER, SESSION_HEADER};
use crate::access::{Caller, Key, Permission, ToolScope};
use crate::agents::{AgentId, Agents, Upstreams};
use crate::inbound::{Api, Headers};
use crate::rejection::Rejection;
use crate::runtime::{ContentPart, Continuity, ResponseFormat, ToolChoice};

const HELLO: &str = r#""messages":[{"role":"user","content":"hi"}]"#;

pub(super) fn rules() -> RunRules {
    let ids = ["main", "research"].map(|id| AgentId::parse(id).unwrap());
    RunRules {
        upstreams: Upstreams::default(),
        agents: Agents::new(ids.to_vec(), None),
        sessions: SessionRules {
            secret: None,
            conversation_headers: CONVERSATION_HEADERS.map(str::to_owned).into(),
            background_tasks: BackgroundTasks::Fresh,
        },
        history: History::default(),
        image_urls: ApiUrls::default(),
        text_file_limit: 1024,
    }
}

fn check_by(caller: &Caller, body: &str, headers: &Headers) -> Result<ValidRun, Rejection> {
    let (body, ids) = (body.as_bytes().to_vec(), RequestIds::default());
    ValidRun::read(Api::Completions, body, headers, caller, &rules(), ids)
}

fn check_with(body: &str, headers: &Headers) -> Result<ValidRun, Rejection> {
    check_by(&Caller::for_test("owner"), body, headers)
}

fn check(body: &str) -> Result<ValidRun, Rejection> {
    check_with(body, &Headers::default())
}

/// Checks a good request with some more members.
fn with(members: &str) -> Result<ValidRun, Rejection> {
    check(&format!("{{{HELLO},{members}}}"))
}

fn rejected_param(result: Result<ValidRun, Rejection>) -> String {
    match result {
        Err(Rejection::Invalid { param, .. }) => param.unwrap_or_default().into_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_plain_request_asks_the_default_agent_in_a_fresh_session() {
    let run = check(&format!("{{{HELLO}}}")).unwrap();
    assert_eq!(run.mode(), Mode::Whole);
    assert_eq!(run.model(), "openclaw");
    let request = run.into_request();
    assert_eq!(
        request.run_id,
        "chatcmpl_00000000-0000-0000-0000-000000000000"
    );
    assert_eq!(request.agent, "main");
    assert_eq!(
        request.session,
        "agent:main:openai:00000000-0000-0000-0000-000000000000"
    );
    assert_eq!(
        request.messages[0].content,
        [ContentPart::Text("hi".to_owned())]
    );
    assert_eq!(request.tool_choice, ToolChoice::Auto);
    assert_eq!(request.response_format, None);
    assert_eq!((request.model, request.channel), (None, None));
}

#[test]
fn the_root_must_be_an_object() {
    for body in ["[]", "[{}]", "1", "\"x\"", "null", "true"] {
        let rejected = check(body).unwrap_err().to_string();
        assert!(
            rejected.contains("must be a JSON object"),
            "{body}: {rejected}"
        );
    }
}

#[test]
fn the_rejection_names_a_member_of_the_wrong_type() {
    for (param, value) in [
        ("model", "null"),
        ("model", "{}"),
        ("stream", "1"),
        ("stream", "\"y\""),
        ("stream_options", "[]"),
        ("tools", "null"),
        ("tools", "{}"),
        ("tools", "\"x\""),
        ("messages", "null"),
        ("messages", "1"),
        ("messages", "{}"),
        ("messages", "\"hi\""),
        ("user", "null"),
        ("user", "[\"a\"]"),
        ("user", "true"),
        ("max_tokens", "\"10\""),
        ("max_tokens", "1.5"),
        ("max_tokens", "0"),
        ("max_tokens", "-1"),
        ("max_tokens", "1e300"),
        ("max_tokens", "9007199254740992"),
        ("max_completion_tokens", "\"10\""),
        ("temperature", "\"0.5\""),
        ("temperature", "true"),
        ("temperature", "2.01"),
        ("temperature", "-0.01"),
        ("top_p", "1.01"),
        ("top_p", "{}"),
        ("frequency_penalty", "-2.1"),
        ("presence_penalty", "2.1"),
        ("seed", "1.5"),
        ("seed", "\"1\""),
        ("stop", "5"),
        ("stop", "[1]"),
        ("stop", "[null]"),
        ("stop", "\"\""),
        ("stop", "[\"a\",\"\"]"),
        ("stop", "[\"a\",\"b\",\"c\",\"d\",\"e\"]"),
        ("response_format", "\"json_object\""),
        ("response_format", "[]"),
        ("response_format", "{}"),
        ("response_format", "{\"type\":\"xml\"}"),
        ("tool_choice", "1"),
    ] {
        let body = format!("{{{HELLO},\"{param}\":{value}}}");
        assert_eq!(rejected_param(check(&body)), param, "{body}");
    }
    let usage = with(r#""stream_options":{"include_usage":null}"#);
    assert_eq!(rejected_param(usage), "stream_options.include_usage");
}

#[test]
fn null_counts_as_missing_where_openclaw_accepts_it() {
    for member in [
        "stream",
        "stream_options",
        "tool_choice",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "response_format",
        "frequency_penalty",
        "presence_penalty",
        "seed",
        "stop",
        "parallel_tool_calls",
        "reasoning_effort",
    ] {
        assert!(with(&format!("\"{member}\":null")).is_ok(), "{member}");
    }
}

#[test]
fn unused_members_may_have_any_value() {
    let nested = format!("\"x\":{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for members in [
        r#""n":"x","logprobs":true,"top_logprobs":3,"logit_bias":{"1":-100}"#,
        r#""modalities":["text","audio"],"audio":{"voice":"alloy"},"functions":7"#,
        r#""metadata":{"k":"v"},"store":true,"service_tier":"flex","x":1e400"#,
        &nested,
    ] {
        assert!(with(members).is_ok());
    }
}

#[test]
fn what_would_change_on_its_way_is_rejected() {
    for (members, param) in [
        (r#""seed":9007199254740993"#, "seed"),
        (r#""seed":-1e20"#, "seed"),
        (
            r#""response_format":{"type":"json_schema"}"#,
            "response_format",
        ),
        (
            r#""response_format":{"type":"json_schema","json_schema":{"name":"r"}}"#,
            "response_format",
        ),
        (
            r#""response_format":{"type":"json_schema","json_schema":{"schema":[]}}"#,
            "response_format",
        ),
    ] {
        assert_eq!(rejected_param(with(members)), param, "{members}");
    }
    assert!(with(r#""seed":-9007199254740991"#).is_ok());
    let deep = format!("{}1{}", "[".repeat(128), "]".repeat(128));
    let deep = format!(
        r#""response_format":{{"type":"json_schema","json_schema":{{"schema":{{"a":{deep}}}}}}}"#
    );
    assert_eq!(rejected_param(with(&deep)), "response_format");
}

#[test]
fn ignored_members_with_a_value_are_listed() {
    let run = with(r#""n":1,"x":1,"store":null,"logprobs":false,"n":2,"functions":null"#).unwrap();
    assert_eq!(run.ignored(), ["logprobs", "n"]);
}

#[test]
fn a_header_that_selects_something_must_be_utf8() {
    for name in [
        "x-openclaw-agent-id",
        "x-openclaw-agent",
        "x-openclaw-model",
        "x-openclaw-message-channel",
        "x-openclaw-session-key",
        "x-openwebui-chat-id",
        "x-conversation-id",
    ] {
        let headers = Headers::new(vec![(name.to_owned(), b"caf\xe9".to_vec())]);
        let refused = check_with(&format!("{{{HELLO}}}"), &headers);
        assert_eq!(rejected_param(refused), name);
    }
}

#[test]
fn a_background_task_of_a_chat_has_a_session_of_its_own() {
    let ask = |text: &str, header: (&'static str, &'static str)| {
        let body = format!(r#"{{"messages":[{{"role":"user","content":"{text}"}}]}}"#);
        let headers = Headers::from([("x-openwebui-chat-id", "1"), header]);
        check_with(&body, &headers).unwrap().into_request()
    };
    let chat = ask("hi", ("x", "y"));
    let task = ask("### Task:\\nGenerate a title.", ("x", "y"));
    assert_eq!(chat.continuity, Continuity::Continued);
    assert_eq!(task.continuity, Continuity::Fresh);
    let named = ask("### Task:\\nGenerate a title.", (SESSION_HEADER, "mine"));
    assert_eq!(named.session, "agent:main:mine");
}

#[test]
fn the_last_of_equal_members_counts() {
    assert!(with(r#""temperature":"x","temperature":1"#).is_ok());
    assert_eq!(
        rejected_param(with(r#""temperature":1,"temperature":"x""#)),
        "temperature"
    );
}

#[test]
fn types_are_checked_before_values_and_both_in_their_order() {
    for (members, param) in [
        (r#""max_tokens":0,"temperature":"x","stream":"y""#, "stream"),
        (r#""stop":[""],"temperature":9,"seed":"x""#, "seed"),
        (
            r#""response_format":"x","stop":[""],"temperature":9"#,
            "response_format",
        ),
        (r#""stop":[""],"temperature":9"#, "stop"),
        (r#""temperature":9,"model":"gpt-4o""#, "temperature"),
        (r#""model":"gpt-4o","tools":[1]"#, "model"),
        (r#""tools":[1],"messages":[]"#, "tools"),
    ] {
        assert_eq!(rejected_param(with(members)), param, "{members}");
    }
}

#[test]
fn every_parameter_reaches_the_run() {
    let run = with(
        r#""model":" OpenClaw/Research ","stream":true,"stream_options":{"include_usage":true},
        "temperature":0.5,"top_p":0.9,"frequency_penalty":-1,"presence_penalty":1,"seed":-7,
        "stop":["a","b"],"max_tokens":5,"max_completion_tokens":9,"parallel_tool_calls":false,
        "reasoning_effort":"high","response_format":{"type":"json_schema","json_schema":{"name":"r","schema":{}}}"#,
    )
    .unwrap();
    assert_eq!(run.model(), " OpenClaw/Research ");
    assert_eq!(
        run.mode(),
        Mode::Streamed {
            include_usage: true
        }
    );
    let request = run.into_request();
    assert_eq!(request.agent, "research");
    let sampling = &request.sampling;
    assert_eq!(sampling.temperature, Some(0.5));
    assert_eq!(sampling.top_p, Some(0.9));
    assert_eq!(sampling.frequency_penalty, Some(-1.0));
    assert_eq!(sampling.presence_penalty, Some(1.0));
    assert_eq!(sampling.seed, Some(-7));
    assert_eq!(sampling.stop, ["a", "b"]);
    assert_eq!(sampling.max_tokens, Some(9));
    assert_eq!(request.parallel_tool_calls, Some(false));
    assert_eq!(request.reasoning_effort.as_deref(), Some("high"));
    let schema = ResponseFormat::JsonSchema(r#"{"name":"r","schema":{}}"#.to_owned());
    assert_eq!(request.response_format, Some(schema));
}

#[test]
fn only_a_continued_session_cuts_a_resent_conversation() {
    let conversation = r#""messages":[{"role":"system","content":"s"},{"role":"user","content":"1"},
        {"role":"assistant","content":"2"},{"role":"user","content":"3"}]"#;
    let texts = |members: &str, headers: &Headers| {
        let run = check_with(&format!("{{{conversation}{members}}}"), headers).unwrap();
        let messages = run.into_request().messages;
        let texts = messages
            .into_iter()
            .map(|message| match message.content.as_slice() {
                [ContentPart::Text(text)] => text.clone(),
                other => panic!("{other:?}"),
            });
        texts.collect::<Vec<_>>().concat()
    };
    assert_eq!(texts("", &Headers::default()), "s123");
    assert_eq!(texts(r#","user":"alice""#, &Headers::default()), "s3");
    assert_eq!(
        texts("", &Headers::from([("x-openclaw-session-key", "mine")])),
        "s3"
    );
    assert_eq!(
        texts("", &Headers::from([("X-OpenWebUI-Chat-Id", "c1")])),
        "s3"
    );
}

#[test]
fn the_older_token_limit_counts_without_the_newer_one() {
    let run = with(r#""max_tokens":5,"max_completion_tokens":null"#).unwrap();
    assert_eq!(run.into_request().sampling.max_tokens, Some(5));
}

#[test]
fn only_true_streams() {
    for stream in ["false", "null"] {
        let run = with(&format!(
            "\"stream\":{stream},\"stream_options\":{{\"include_usage\":true}}"
        ));
        assert_eq!(run.unwrap().mode(), Mode::Whole, "{stream}");
    }
}

#[test]
fn channel_and_model_come_from_headers() {
    let body = format!("{{{HELLO}}}");
    let headers = Headers::from([
        ("X-OpenClaw-Model", " a/b "),
        ("x-openclaw-message-channel", "Slack"),
    ]);
    let request = check_with(&body, &headers).unwrap().into_request();
    assert_eq!(request.model.as_deref(), Some("a/b"));
    assert_eq!(request.channel.as_deref(), Some("slack"));
    for model in ["/", "mock/", "/x", "ä", "a\tb"] {
        let headers = Headers::from([(MODEL_HEADER, model)]);
        assert_eq!(
            rejected_param(check_with(&body, &headers)),
            MODEL_HEADER,
            "{model}"
        );
    }
    let long = "c".repeat(257);
    let headers = Headers::from([(CHANNEL_HEADER, long.as_str())]);
    assert_eq!(rejected_param(check_with(&body, &headers)), CHANNEL_HEADER);
}

#[test]
fn a_valid_traceparent_is_forwarded() {
    let carried = |value: &str| {
        let headers = Headers::from([("traceparent", value)]);
        let run = check_with(&format!("{{{HELLO}}}"), &headers).unwrap();
        run.into_request().traceparent
    };
    let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    assert_eq!(carried(good).as_deref(), Some(good));
    for bad in [
        "",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
    ] {
        assert_eq!(carried(bad), None, "{bad}");
    }
}

#[test]
fn any_text_becomes_a_run_or_is_rejected() {
    let seeds = [
        format!("{{{HELLO},\"tools\":[{{\"type\":\"function\",\"function\":{{\"name\":\"f\"}}}}]}}"),
        r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":{}}}]}]}"#.to_owned(),
    ];
    for seed in seeds {
        for at in 0..seed.len() {
            for byte in *b"{}[]\",:\\u1n-." {
                let mut bytes = seed.clone().into_bytes();
                bytes[at] = byte;
                let (caller, ids) = (Caller::for_test("owner"), RequestIds::default());
                let run = ValidRun::read(
                    Api::Completions,
                    bytes,
                    &Headers::default(),
                    &caller,
                    &rules(),
                    ids,
                );
                assert!(run.is_ok() || !run.unwrap_err().to_string().is_empty());
            }
        }
    }
}

/// Checks a request with an API key for the agent `research`.
fn check_as(key: Key, body: &str, headers: &Headers) -> Result<ValidRun, Rejection> {
    let key = Key {
        agents: rules()
            .agents
            .narrowed(&[AgentId::parse("research").unwrap()])
            .into(),
        ..key
    };
    check_by(&Caller::for_test_with(key), body, headers)
}

#[test]
fn a_key_selects_its_own_agents_only() {
    let ask = |model: &str| {
        let body = format!("{{{HELLO},\"model\":\"{model}\"}}");
        check_as(Key::for_test("web"), &body, &Headers::default())
    };
    for model in ["openclaw", "openclaw/research", "agent:research"] {
        assert_eq!(ask(model).unwrap().agent(), "research", "{model}");
    }
    for model in ["openclaw/main", "openclaw/nowhere"] {
        let rejected = ask(model).unwrap_err();
        assert!(
            matches!(rejected, Rejection::UnknownModel(_)),
            "{model}: {rejected:?}"
        );
    }
}

#[test]
fn the_rejection_names_the_missing_permission() {
    let tools = r#","tools":[{"type":"function","function":{"name":"f"}}]"#;
    let system = r#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"u"}]}"#;
    let granted = Key {
        sessions: Permission::Granted,
        channel: Permission::Granted,
        model: Permission::Granted,
        instructions: Permission::Granted,
        tools: ToolScope::Named(vec!["f".to_owned()]),
        ..Key::for_test("web")
    };
    for (param, body, header) in [
        (SESSION_HEADER, format!("{{{HELLO}}}"), Some(SESSION_HEADER)),
        (MODEL_HEADER, format!("{{{HELLO}}}"), Some(MODEL_HEADER)),
        (CHANNEL_HEADER, format!("{{{HELLO}}}"), Some(CHANNEL_HEADER)),
        ("tools", format!("{{{HELLO}{tools}}}"), None),
        ("messages", system.to_owned(), None),
    ] {
        let headers = header.map_or_else(Headers::default, |name| Headers::from([(name, "x")]));
        match check_as(Key::for_test("web"), &body, &headers) {
            Err(Rejection::Forbidden { param: found, .. }) => assert_eq!(found, param),
            other => panic!("{param}: {other:?}"),
        }
        assert!(
            check_as(granted.clone(), &body, &headers).is_ok(),
            "{param}"
        );
    }
}

#[test]
fn the_runtime_learns_which_sessions_continue() {
    let continuity = |body: &str, headers: &Headers| {
        let run = check_with(body, headers).unwrap();
        run.into_request().continuity
    };
    let plain = format!("{{{HELLO}}}");
    let of_user = format!("{{{HELLO},\"user\":\"alice\"}}");
    let none = Headers::default();
    assert_eq!(continuity(&plain, &none), Continuity::Fresh);
    assert_eq!(continuity(&of_user, &none), Continuity::Continued);
    for header in [SESSION_HEADER, "x-conversation-id"] {
        let named = continuity(&plain, &Headers::from([(header, "mine")]));
        assert_eq!(named, Continuity::Continued, "{header}");
    }
}

#[test]
fn a_keys_named_sessions_are_its_own() {
    let session = |name: &str, header: &str| {
        let key = Key {
            sessions: Permission::Granted,
            ..Key::for_test(name)
        };
        let headers = Headers::from([(SESSION_HEADER, header)]);
        let run = check_as(key, &format!("{{{HELLO}}}"), &headers).unwrap();
        run.into_request().session
    };
    let mine = session("web", "mine");
    assert!(mine.starts_with("agent:research:openai-named:"), "{mine}");
    assert_eq!(session("web", "MINE"), mine);
    assert_eq!(session("web", "agent:research:mine"), mine);
    assert_ne!(session("app", "mine"), mine);
    let owners = check_with(
        &format!("{{{HELLO},\"model\":\"openclaw/research\"}}"),
        &Headers::from([(SESSION_HEADER, "mine")]),
    );
    assert_ne!(owners.unwrap().into_request().session, mine);
}
