//! The rules of a request as a whole: types, values, and their order.

use tidegate_config::Document;

use super::*;
use crate::agent::AgentId;
use crate::config::Config;
use crate::key::{Key, Permission, ToolScope};
use crate::runtime::{ContentPart, ResponseFormat};

const HELLO: &str = r#""messages":[{"role":"user","content":"hi"}]"#;

pub(super) fn settings() -> Settings {
    let text = "{ gateway: { auth: { mode: 'none' }, http: { endpoints: { chatCompletions: { enabled: true } } } },
        agents: { entries: { main: {}, research: {} } } }";
    let document = Document::parse(text).unwrap();
    match Config::read(&document).unwrap() {
        Config::On(settings) => *settings,
        Config::Off => panic!("the endpoint is off"),
    }
}

fn check_by(caller: &Caller, body: &str, headers: &Headers) -> Result<ValidRun, Rejection> {
    let ids = RequestIds {
        run: Uuid::nil(),
        session: Uuid::nil(),
    };
    let request = ChatCompletionRequest::parse(body).unwrap();
    validate(request, headers, caller, &settings(), ids)
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

fn refused_param(result: Result<ValidRun, Rejection>) -> String {
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
fn a_root_that_is_no_object_is_refused() {
    for body in ["[]", "[{}]", "1", "\"x\"", "null", "true"] {
        let refused = check(body).unwrap_err().to_string();
        assert!(
            refused.contains("must be a JSON object"),
            "{body}: {refused}"
        );
    }
}

#[test]
fn a_member_of_a_wrong_type_is_named() {
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
        assert_eq!(refused_param(check(&body)), param, "{body}");
    }
    let usage = with(r#""stream_options":{"include_usage":null}"#);
    assert_eq!(refused_param(usage), "stream_options.include_usage");
}

#[test]
fn null_is_no_value_where_the_reference_takes_it() {
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
fn members_that_nobody_uses_may_hold_anything() {
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
fn the_last_of_equal_members_counts() {
    assert!(with(r#""temperature":"x","temperature":1"#).is_ok());
    assert_eq!(
        refused_param(with(r#""temperature":1,"temperature":"x""#)),
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
        assert_eq!(refused_param(with(members)), param, "{members}");
    }
}

#[test]
fn everything_that_is_asked_for_reaches_the_run() {
    let run = with(
        r#""model":" OpenClaw/Research ","stream":true,"stream_options":{"include_usage":true},
        "temperature":0.5,"top_p":0.9,"frequency_penalty":-1,"presence_penalty":1,"seed":-7,
        "stop":["a","b"],"max_tokens":5,"max_completion_tokens":9,"parallel_tool_calls":false,
        "reasoning_effort":"high","response_format":{"type":"json_schema","json_schema":{"name":"r"}}"#,
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
    let schema = ResponseFormat::JsonSchema(r#"{"name":"r"}"#.to_owned());
    assert_eq!(request.response_format, Some(schema));
}

#[test]
fn a_resent_conversation_is_cut_only_where_a_session_has_it() {
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
fn the_older_cap_counts_without_the_newer_one() {
    let run = with(r#""max_tokens":5,"max_completion_tokens":null"#).unwrap();
    assert_eq!(run.into_request().sampling.max_tokens, Some(5));
}

#[test]
fn a_stream_is_one_only_for_true() {
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
            refused_param(check_with(&body, &headers)),
            MODEL_HEADER,
            "{model}"
        );
    }
    let long = "c".repeat(257);
    let headers = Headers::from([(CHANNEL_HEADER, long.as_str())]);
    assert_eq!(refused_param(check_with(&body, &headers)), CHANNEL_HEADER);
}

#[test]
fn a_well_formed_trace_is_carried_on() {
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
fn any_text_is_refused_or_becomes_a_run() {
    let seeds = [
        format!("{{{HELLO},\"tools\":[{{\"type\":\"function\",\"function\":{{\"name\":\"f\"}}}}]}}"),
        r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":{}}}]}]}"#.to_owned(),
    ];
    for seed in seeds {
        for at in 0..seed.len() {
            for byte in *b"{}[]\",:\\u1n-." {
                let mut bytes = seed.clone().into_bytes();
                bytes[at] = byte;
                let text = crate::body::text(bytes);
                if let Ok(request) = ChatCompletionRequest::parse(&text) {
                    let ids = RequestIds {
                        run: Uuid::nil(),
                        session: Uuid::nil(),
                    };
                    let caller = Caller::for_test("owner");
                    let run = validate(request, &Headers::default(), &caller, &settings(), ids);
                    assert!(run.is_ok() || !run.unwrap_err().to_string().is_empty());
                }
            }
        }
    }
}

/// Checks a request of the holder of a key that may use the agent `research`.
fn check_as(key: Key, body: &str, headers: &Headers) -> Result<ValidRun, Rejection> {
    let key = Key {
        agents: settings()
            .agents
            .narrowed(&[AgentId::parse("research").unwrap()])
            .into(),
        ..key
    };
    check_by(&Caller::for_test_with(key), body, headers)
}

#[test]
fn a_key_reaches_its_agents_and_knows_of_no_others() {
    let ask = |model: &str| {
        let body = format!("{{{HELLO},\"model\":\"{model}\"}}");
        check_as(Key::for_test("web"), &body, &Headers::default())
    };
    for model in ["openclaw", "openclaw/research", "agent:research"] {
        assert_eq!(ask(model).unwrap().agent(), "research", "{model}");
    }
    for model in ["openclaw/main", "openclaw/nowhere"] {
        let refused = ask(model).unwrap_err();
        assert!(
            matches!(refused, Rejection::UnknownModel(_)),
            "{model}: {refused:?}"
        );
    }
}

#[test]
fn what_a_key_does_not_allow_is_refused_with_its_name() {
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
fn the_runtime_is_told_which_sessions_can_have_a_past() {
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
fn a_key_names_sessions_of_its_own_only() {
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
