//! The whole contract of chat completions: every member and header of a request, its
//! effect on the run, and every form of the reply. Over real connections, through the
//! gateway composed with the rehearsal runtime.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a missing value fails the test"
)]

mod harness;

use harness::{
    Headers, Request, Response, Server, TOKEN, ask, chunks, config, error, finishes, streamed, text,
};
use serde_json::{Value, json};

/// The origin that [`with_cors`] allows.
const PAGE: &str = "https://app.example.com";

/// A GIF of one pixel.
const GIF: &str = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

/// The size of [`GIF`] in bytes.
const GIF_SIZE: usize = 42;

fn server() -> Server {
    start("")
}

/// Starts a server with these members of `tidegate`.
fn start(tidegate: &str) -> Server {
    Server::start("rehearsal", &config(tidegate))
}

/// Starts a server with more members of `gateway`.
fn start_gateway(gateway: &str) -> Server {
    let document = config("").replace("gateway: {", &format!("gateway: {{ {gateway},"));
    Server::start("rehearsal", &document)
}

/// Starts a server with these members of the endpoint's `images`.
fn start_images(images: &str) -> Server {
    let enabled = format!("enabled: true, images: {{ {images} }}");
    let document = config("").replace("enabled: true", &enabled);
    Server::start("rehearsal", &document)
}

fn with_cors() -> Server {
    start(&format!("cors: {{ origins: ['{PAGE}'] }}"))
}

fn with(mut body: Value, members: &Value) -> Value {
    for (name, value) in members.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Returns a request with a script for the rehearsal and further members.
fn scripted(script: &str, members: &Value) -> Value {
    with(ask(script), members)
}

fn tools(names: &[&str]) -> Value {
    let tool = |name: &&str| json!({ "type": "function", "function": { "name": name } });
    names.iter().map(tool).collect()
}

fn named(name: &str) -> Value {
    json!({ "type": "function", "function": { "name": name } })
}

fn choice(answer: &Response) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["choices"][0].clone()
}

/// Returns the run that the runtime received.
fn received(request: Request) -> Value {
    let choice = choice(&request.send());
    serde_json::from_str(choice["message"]["content"].as_str().unwrap()).unwrap()
}

/// Returns the chunks of a streamed reply. Asserts that its status is 200.
fn streamed_chunks(server: &Server, body: Value) -> Vec<Value> {
    let answer = server.chat(&streamed(body)).send();
    assert_eq!(answer.status, 200, "{answer:?}");
    chunks(&answer)
}

/// Summarizes each chunk: its delta, its finish reason, or the type of its error.
fn summary(chunks: &[Value]) -> Vec<Value> {
    let summary = chunks.iter().map(|chunk| {
        if let Some(error) = chunk.get("error") {
            return json!({ "error": error["type"] });
        }
        let choice = &chunk["choices"][0];
        match &choice["finish_reason"] {
            Value::Null => choice["delta"].clone(),
            reason => json!({ "finish": reason }),
        }
    });
    summary.collect()
}

/// Asserts that a run fails after it began, in both forms, and that the stream
/// contains only this text and an error.
fn assert_breaks(server: &Server, body: &Value, sent: &str) {
    let whole = server.chat(body).send();
    assert_eq!(whole.status, 502, "{body}: {whole:?}");
    assert_eq!(whole.headers.get("x-should-retry"), Some("false"), "{body}");
    assert_eq!(error(&whole)["type"], "api_error", "{body}");
    let chunks = streamed_chunks(server, body.clone());
    assert_eq!(text(&chunks), sent, "{body}");
    assert_eq!(finishes(&chunks), [""; 0], "{body}");
    let summary = summary(&chunks);
    assert_eq!(
        summary.last(),
        Some(&json!({ "error": "api_error" })),
        "{body}"
    );
    let calls = summary
        .iter()
        .filter(|delta| delta.get("tool_calls").is_some());
    assert_eq!(calls.count(), 0, "{body}");
}

#[test]
fn an_alias_selects_an_agent() {
    let server = start("models: { 'gpt-4o': 'research', 'vendor/small': 'main' }");
    for (model, agent) in [
        ("gpt-4o", "research"),
        ("vendor/small", "main"),
        ("openclaw", "main"),
    ] {
        let body = scripted("/request", &json!({ "model": model }));
        let answer = server.chat(&body).send();
        assert_eq!(answer.json()["model"], model);
        assert_eq!(received(server.chat(&body))["agent"], agent, "{model}");
    }
    let header = server.chat(&scripted("/request", &json!({ "model": "gpt-4o" })));
    let header = header.header("x-openclaw-agent-id", "main");
    assert_eq!(received(header)["agent"], "main");
    let unknown = server.chat(&scripted("/request", &json!({ "model": "gpt-4" })));
    assert_eq!(unknown.send().status, 400);
    let models = server.request("GET", "/v1/models").bearer(TOKEN).send();
    for id in ["gpt-4o", "vendor/small"] {
        assert!(models.text().contains(&format!("{id:?}")), "{models:?}");
        let path = format!("/v1/models/{id}");
        let found = server.request("GET", &path).bearer(TOKEN).send();
        assert_eq!(found.json()["id"], id, "{found:?}");
    }
}

#[test]
fn headers_reach_the_run() {
    let server = server();
    for (name, value, member, expected) in [
        ("x-openclaw-agent-id", "research", "agent", "research"),
        ("x-openclaw-agent", "research", "agent", "research"),
        ("X-OpenClaw-Agent-Id", " Research ", "agent", "research"),
        ("x-openclaw-model", "openai/gpt-5", "model", "openai/gpt-5"),
        ("x-openclaw-model", "gpt-5", "model", "gpt-5"),
        ("x-openclaw-message-channel", "Slack", "channel", "slack"),
    ] {
        let request = server.chat(&ask("/request")).header(name, value);
        assert_eq!(received(request)[member], expected, "{name}: {value}");
    }
    let both = server.chat(&ask("/request"));
    let both = both.header("x-openclaw-agent", "research");
    let both = both.header("x-openclaw-agent-id", "main");
    assert_eq!(received(both)["agent"], "main");
    let plain = received(server.chat(&ask("/request")));
    assert_eq!((plain.get("model"), plain.get("channel")), (None, None));
}

#[test]
fn supported_members_reach_the_run_and_others_are_ignored() {
    let server = server();
    let schema = json!({ "name": "n", "schema": { "type": "object" } });
    let body = scripted(
        "/request",
        &json!({
            "temperature": 0.5, "top_p": 0.25, "frequency_penalty": -1.5, "presence_penalty": 1.5,
            "seed": 7, "stop": "end", "max_tokens": 5, "max_completion_tokens": 9,
            "parallel_tool_calls": false, "reasoning_effort": "low",
            "response_format": { "type": "json_schema", "json_schema": schema },
            "metadata": { "k": "v" }, "store": true, "n": 3, "logprobs": true, "unheard_of": [{}],
            "tools": tools(&["look"]), "tool_choice": "auto",
        }),
    );
    let run = received(server.chat(&body));
    let sampling = json!({
        "temperature": 0.5, "top_p": 0.25, "frequency_penalty": -1.5, "presence_penalty": 1.5,
        "seed": 7, "stop": ["end"], "max_tokens": 9,
    });
    assert_eq!(run["sampling"], sampling);
    assert_eq!(run["response_format"], json!({ "json_schema": schema }));
    assert_eq!(run["tools"], json!([{ "name": "look" }]));
    assert_eq!(run["tool_choice"], "auto");
    assert_eq!(run["parallel_tool_calls"], false);
    assert_eq!(run["reasoning_effort"], "low");
}

#[test]
fn the_tool_choice_decides_which_tools_the_run_has() {
    let server = server();
    for (chosen, offered, received_choice) in [
        (
            json!("auto"),
            json!([{ "name": "a" }, { "name": "b" }]),
            json!("auto"),
        ),
        (json!("none"), Value::Null, json!("none")),
    ] {
        let members = json!({ "tools": tools(&["a", "b"]), "tool_choice": chosen });
        let run = received(server.chat(&scripted("/request", &members)));
        assert_eq!(
            (&run["tools"], &run["tool_choice"]),
            (&offered, &received_choice)
        );
    }
    // A run that must call a tool shows its request in the text before the call.
    let script = "/request\n/tool b {}";
    for (chosen, offered, received_choice) in [
        (
            json!("required"),
            json!([{ "name": "a" }, { "name": "b" }]),
            json!("required"),
        ),
        (
            named("b"),
            json!([{ "name": "b" }]),
            json!({ "named": "b" }),
        ),
    ] {
        let members = json!({ "tools": tools(&["a", "b"]), "tool_choice": chosen });
        let run = received(server.chat(&scripted(script, &members)));
        assert_eq!(
            (&run["tools"], &run["tool_choice"]),
            (&offered, &received_choice)
        );
    }
    let members = json!({ "tools": tools(&["a"]), "tool_choice": named("other") });
    let refused = server.chat(&scripted("/request", &members)).send();
    assert_eq!(error(&refused)["param"], "tool_choice");
}

#[test]
fn a_satisfied_tool_choice_sends_the_text_and_then_the_call() {
    let server = server();
    let script = "/say Let me look.\n/tool look {\"at\":\"Paris\"}";
    for chosen in [json!("required"), named("look")] {
        let body = scripted(
            script,
            &json!({ "tools": tools(&["look"]), "tool_choice": chosen }),
        );
        let whole = choice(&server.chat(&body).send());
        assert_eq!(whole["message"]["content"], "Let me look.", "{chosen}");
        assert_eq!(whole["finish_reason"], "tool_calls", "{chosen}");
        let call = &whole["message"]["tool_calls"][0]["function"];
        assert_eq!(
            call,
            &json!({ "name": "look", "arguments": "{\"at\":\"Paris\"}" })
        );
        let chunks = streamed_chunks(&server, body);
        assert_eq!(text(&chunks), "Let me look.", "{chosen}");
        assert_eq!(finishes(&chunks), ["tool_calls"], "{chosen}");
    }
}

#[test]
fn text_is_withheld_until_the_required_call() {
    let server = server();
    let script = "/say Let me look.\n/silence 1s\n/tool look {}";
    let members = json!({ "tools": tools(&["look"]), "tool_choice": "required" });
    let mut stream = server.chat(&streamed(scripted(script, &members))).open();
    let mut events = Vec::new();
    while let Some(event) = stream.event() {
        events.push(event);
    }
    let at = |part: &str| {
        let event = events.iter().find(|event| event.text.contains(part));
        event.unwrap_or_else(|| panic!("no {part}: {events:?}")).at
    };
    let (role, prose, call) = (at("\"role\""), at("\"content\""), at("\"tool_calls\""));
    assert!(
        prose - role >= std::time::Duration::from_millis(900),
        "{events:?}"
    );
    // Both are in one write, which a slow machine may read in two pieces.
    assert!(
        call - prose < std::time::Duration::from_millis(500),
        "{events:?}"
    );
}

#[test]
fn an_unmet_tool_choice_fails_the_run() {
    let server = server();
    let offered = tools(&["look", "listen"]);
    for (script, chosen) in [
        ("/say No, I will not.", json!("required")),
        ("/say No, I will not.", named("look")),
        ("/say Something else.\n/tool listen {}", named("look")),
        ("/say Cut here.\n/length", json!("required")),
        ("/empty", json!("required")),
    ] {
        let members = json!({ "tools": offered, "tool_choice": chosen });
        let body = scripted(script, &members);
        assert_breaks(&server, &body, "");
    }
    let none = json!({ "tools": offered, "tool_choice": "none" });
    let body = scripted("/say Calling.\n/tool look {}", &none);
    assert_breaks(&server, &body, "Calling.");
}

#[test]
fn a_runtime_can_report_an_unmet_tool_choice() {
    let server = server();
    let members = json!({ "tools": tools(&["look"]), "tool_choice": "required" });
    let at_once = scripted("/fail tool-choice-unmet", &members);
    for body in [at_once.clone(), streamed(at_once)] {
        let answer = server.chat(&body).send();
        assert_eq!(answer.status, 502, "{answer:?}");
        assert_eq!(error(&answer)["type"], "api_error");
        assert_eq!(answer.headers.get("x-should-retry"), Some("false"));
    }
    let later = scripted("/say I will not.\n/fail tool-choice-unmet", &members);
    assert_breaks(&server, &later, "");
}

#[test]
fn parallel_tool_calls_are_streamed_in_pieces_by_index() {
    let server = server();
    let arguments = [
        ("look", "{\"at\":\"Paris\",\"for\":\"rain\"}"),
        ("listen", "{\"to\":\"風\"}"),
    ];
    let script = arguments
        .map(|(name, json)| format!("/tool {name} {json}"))
        .join("\n");
    let body = scripted(&script, &json!({ "tools": tools(&["look", "listen"]) }));
    let whole = choice(&server.chat(&body).send());
    assert_eq!(whole["finish_reason"], "tool_calls");
    assert_eq!(whole["message"]["content"], Value::Null);
    let calls = whole["message"]["tool_calls"].as_array().unwrap().clone();
    let chunks = streamed_chunks(&server, body);
    assert_eq!(finishes(&chunks), ["tool_calls"]);
    let deltas: Vec<_> = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"].get("tool_calls"))
        .map(|calls| calls[0].clone())
        .collect();
    let mut ids = Vec::new();
    for (index, (name, json)) in arguments.into_iter().enumerate() {
        let of_call: Vec<_> = deltas
            .iter()
            .filter(|delta| delta["index"] == index)
            .collect();
        let (first, rest) = of_call.split_first().unwrap();
        assert_eq!(first["type"], "function");
        assert_eq!(first["function"], json!({ "name": name, "arguments": "" }));
        assert!(rest.len() > 1, "{deltas:?}");
        assert!(
            rest.iter().all(|delta| delta.get("id").is_none()),
            "{deltas:?}"
        );
        let pieces = rest
            .iter()
            .map(|delta| delta["function"]["arguments"].as_str().unwrap());
        assert_eq!(pieces.collect::<String>(), json);
        let call = &calls[index];
        assert_eq!(call["type"], "function");
        assert_eq!(call["function"], json!({ "name": name, "arguments": json }));
        assert!(call["id"].is_string() && first["id"].is_string());
        ids.extend([first["id"].clone()]);
    }
    assert_eq!(calls.len(), 2);
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn tool_results_reach_the_run() {
    let server = server();
    let call = json!({ "id": "c1", "type": "function",
        "function": { "name": "look", "arguments": "{\"at\":1}" } });
    let messages = json!([
        { "role": "developer", "content": "Be brief." },
        { "role": "user", "content": "Look." },
        { "role": "assistant", "content": null, "tool_calls": [call] },
        { "role": "tool", "tool_call_id": "c1", "content": "rain" },
        { "role": "function", "name": "listen", "content": "wind" },
        { "role": "user", "content": [{ "type": "input_text", "text": "/request" }] },
    ]);
    let run = received(server.chat(&json!({ "model": "openclaw", "messages": messages })));
    let roles: Vec<_> = run["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["role"])
        .collect();
    assert_eq!(
        roles,
        ["developer", "user", "assistant", "tool", "tool", "user"]
    );
    let called = json!([{ "id": "c1", "name": "look", "arguments": "{\"at\":1}" }]);
    assert_eq!(run["messages"][2]["tool_calls"], called);
    assert_eq!(run["messages"][3]["tool_call_id"], "c1");
    assert_eq!(run["messages"][4]["name"], "listen");
}

#[test]
fn reasoning_is_hidden_unless_it_is_enabled() {
    let script = "/reasoning Hm, well.\n/echo Yes.";
    for (tidegate, thoughts) in [
        ("", None),
        ("reasoning: false", None),
        ("reasoning: true", Some(json!("Hm, well."))),
    ] {
        let server = start(tidegate);
        let whole = server.chat(&ask(script)).send();
        let message = &choice(&whole)["message"];
        assert_eq!(message["content"], "Yes.");
        assert_eq!(
            message.get("reasoning_content"),
            thoughts.as_ref(),
            "{tidegate}"
        );
        let chunks = streamed_chunks(&server, ask(script));
        assert_eq!(text(&chunks), "Yes.");
        let mut expected = vec![json!({ "role": "assistant" })];
        expected.extend(thoughts.map(|thoughts| json!({ "reasoning_content": thoughts })));
        expected.extend([json!({ "content": "Yes." }), json!({ "finish": "stop" })]);
        assert_eq!(summary(&chunks), expected, "{tidegate}");
    }
}

#[test]
fn a_truncated_or_filtered_reply_keeps_its_text_and_finish_reason() {
    let server = server();
    for (ending, reason) in [("/length", "length"), ("/filter", "content_filter")] {
        let body = ask(&format!("/say As far as\n{ending}"));
        let whole = choice(&server.chat(&body).send());
        assert_eq!(whole["message"]["content"], "As far as", "{ending}");
        assert_eq!(whole["finish_reason"], reason);
        let chunks = streamed_chunks(&server, body);
        assert_eq!(text(&chunks), "As far as", "{ending}");
        assert_eq!(finishes(&chunks), [reason]);
    }
}

#[test]
fn usage_has_the_details_that_the_run_reports() {
    let server = server();
    let plain = |input: u64, output: u64| json!({ "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output });
    let cached = json!({ "prompt_tokens_details": { "cached_tokens": 64 } });
    let thought = json!({ "completion_tokens_details": { "reasoning_tokens": 5 } });
    for (usage, expected) in [
        ("/usage 100 9", plain(100, 9)),
        ("/usage 100 9 64", with(plain(100, 9), &cached)),
        (
            "/usage 100 9 64 5",
            with(with(plain(100, 9), &cached), &thought),
        ),
        ("/nousage", plain(0, 0)),
    ] {
        let body = ask(&format!("/echo x\n{usage}"));
        assert_eq!(
            server.chat(&body).send().json()["usage"],
            expected,
            "{usage}"
        );
        let with_usage = with(
            body.clone(),
            &json!({ "stream_options": { "include_usage": true } }),
        );
        let chunks = streamed_chunks(&server, with_usage);
        let (last, before) = chunks.split_last().unwrap();
        assert_eq!(last["usage"], expected, "{usage}");
        assert_eq!(last["choices"], json!([]), "{usage}");
        assert!(before.iter().all(|chunk| chunk.get("usage").is_none()));
        let chunks = streamed_chunks(&server, body);
        assert!(chunks.iter().all(|chunk| chunk.get("usage").is_none()));
    }
}

fn data_uri() -> String {
    format!("data:image/png;base64,{GIF}")
}

/// Returns a request with images in its last message. The reply is the run that the
/// runtime received.
fn ask_with_images(urls: &[String]) -> Value {
    let mut parts = vec![json!({ "type": "text", "text": "/request" })];
    parts.extend(
        urls.iter()
            .map(|url| json!({ "type": "image_url", "image_url": { "url": url } })),
    );
    json!({ "model": "openclaw", "messages": [{ "role": "user", "content": parts }] })
}

/// Returns the parts of the last message that the runtime received.
fn arrived(server: &Server, body: &Value) -> Value {
    let run = received(server.chat(body));
    run["messages"].as_array().unwrap().last().unwrap()["content"].clone()
}

#[test]
fn images_reach_the_run_with_the_media_type_of_their_bytes() {
    let server = server();
    let image = json!({ "image": { "media_type": "image/gif", "bytes": GIF_SIZE } });
    let mut body = ask_with_images(&[data_uri()]);
    let expected = json!([{ "text": "/request" }, image]);
    assert_eq!(arrived(&server, &body), expected);
    // The URL may also be a string instead of an object.
    body["messages"][0]["content"][1]["image_url"] = json!(data_uri());
    assert_eq!(arrived(&server, &body), expected);
    let eight = ask_with_images(&vec![data_uri(); 8]);
    assert_eq!(arrived(&server, &eight).as_array().unwrap().len(), 9);
    let mut earlier = ask_with_images(&[data_uri()]);
    let last = json!({ "role": "user", "content": "/request" });
    earlier["messages"].as_array_mut().unwrap().push(last);
    let run = received(server.chat(&earlier));
    assert_eq!(run["messages"][0]["content"], expected);
}

#[test]
fn too_many_images_and_invalid_images_are_refused() {
    let server = server();
    let https = || "https://images.example.com/a.png".to_owned();
    for urls in [
        vec![data_uri(); 9],
        vec![https()],
        vec![data_uri(), https()],
        vec!["data:image/png;base64,????".to_owned()],
        vec!["data:image/png;base64,".to_owned()],
        vec![format!("data:image/png,{GIF}")],
        vec!["data:text/html;base64,PGI+".to_owned()],
        vec!["file:///etc/passwd".to_owned()],
        vec![String::new()],
    ] {
        let body = ask_with_images(&urls);
        for body in [body.clone(), streamed(body)] {
            let answer = server.chat(&body).send();
            assert_eq!(answer.status, 400, "{urls:?}: {answer:?}");
            let error = error(&answer);
            assert_eq!(error["type"], "invalid_request_error", "{urls:?}");
            let param = error["param"].as_str().unwrap();
            assert!(
                param.starts_with("messages[0].content["),
                "{urls:?}: {param}"
            );
        }
    }
}

#[test]
fn an_image_url_is_forwarded_only_if_its_host_is_allowed() {
    let allow = "allowUrl: true, urlAllowlist: ['images.example.com', '*.cdn.example.com']";
    let server = start_images(allow);
    for url in [
        "https://images.example.com/a.png?b=c",
        "http://IMAGES.example.com:8080/a",
        "https://eu.cdn.example.com/a",
    ] {
        let expected = json!([{ "text": "/request" }, { "image_url": url }]);
        assert_eq!(
            arrived(&server, &ask_with_images(&[url.to_owned()])),
            expected
        );
    }
    for url in [
        "https://other.example.com/a.png",
        "https://cdn.example.com/a",
        "https://images.example.com.evil.test/a",
        "https://images.example.com@evil.test/a",
        "https://evil.test\\@images.example.com/a",
        "http://169.254.169.254/latest/meta-data",
        "ftp://images.example.com/a",
    ] {
        let answer = server.chat(&ask_with_images(&[url.to_owned()])).send();
        assert_eq!(answer.status, 400, "{url}: {answer:?}");
        assert_eq!(error(&answer)["param"], "messages[0].content[1]", "{url}");
    }
    // An allowlist without `allowUrl` allows no URL.
    let server = start_images("urlAllowlist: ['images.example.com']");
    let url = "https://images.example.com/a.png".to_owned();
    assert_eq!(server.chat(&ask_with_images(&[url])).send().status, 400);
}

/// Sends a CORS preflight request.
fn preflight(server: &Server, path: &str, origin: &str) -> Response {
    let request = server.request("OPTIONS", path).header("Origin", origin);
    let request = request.header("Access-Control-Request-Method", "POST");
    let wanted = "authorization, content-type, x-openclaw-agent-id";
    request
        .header("Access-Control-Request-Headers", wanted)
        .send()
}

fn assert_granted(headers: &Headers, origin: &str) {
    assert_eq!(
        headers.all("access-control-allow-origin"),
        [origin],
        "{headers:?}"
    );
    assert_eq!(headers.all("vary"), ["origin"], "{headers:?}");
    assert_eq!(headers.get("access-control-allow-credentials"), None);
    let exposed = headers
        .get("access-control-expose-headers")
        .unwrap_or_default();
    assert!(exposed.contains("x-request-id"), "{headers:?}");
}

fn assert_not_granted(headers: &Headers) {
    let granted = headers
        .0
        .iter()
        .filter(|(name, _)| name.starts_with("access-control-"));
    assert_eq!(granted.count(), 0, "{headers:?}");
}

#[test]
fn a_preflight_from_a_configured_origin_needs_no_credential() {
    let server = with_cors();
    for path in ["/v1/chat/completions", "/v1/models", "/v1/models/openclaw"] {
        let answer = preflight(&server, path, PAGE);
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (204, &[][..]),
            "{path}"
        );
        let headers = &answer.headers;
        assert_granted(headers, PAGE);
        assert_eq!(
            headers.get("access-control-allow-methods"),
            Some("GET, POST, DELETE")
        );
        assert_eq!(
            headers.get("access-control-allow-headers"),
            Some("authorization, content-type, x-openclaw-agent-id")
        );
        assert_eq!(headers.get("access-control-max-age"), Some("600"));
        assert_eq!(headers.get("content-length"), None);
        assert_eq!(server.access_log(headers)["status"], 204);
    }
}

#[test]
fn a_preflight_from_another_origin_gets_405() {
    let foreign = [
        "https://evil.example.com",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com.evil.test",
        "null",
    ];
    let server = with_cors();
    for origin in foreign {
        let answer = preflight(&server, "/v1/chat/completions", origin);
        assert_eq!(answer.status, 405, "{origin}: {answer:?}");
        assert_not_granted(&answer.headers);
        let answer = server.chat(&ask("/echo x")).header("Origin", origin).send();
        assert_eq!(answer.status, 200, "{origin}");
        assert_not_granted(&answer.headers);
    }
    // An OPTIONS request without `Access-Control-Request-Method` is not a preflight.
    let plain = server
        .request("OPTIONS", "/v1/chat/completions")
        .header("Origin", PAGE)
        .send();
    assert_eq!(plain.status, 405);
    // Without configured origins, every origin is foreign.
    let closed = self::server();
    let answer = preflight(&closed, "/v1/chat/completions", PAGE);
    assert_eq!(answer.status, 405);
    assert_not_granted(&answer.headers);
}

#[test]
fn a_configured_origin_may_read_every_response() {
    let server = with_cors();
    let post = || server.request("POST", "/v1/chat/completions");
    let get = |path| server.request("GET", path).bearer(TOKEN);
    for (request, status) in [
        (server.chat(&ask("/echo x")), 200),
        (server.chat(&streamed(ask("/echo x"))), 200),
        (get("/v1/models"), 200),
        (post(), 401),
        (post().bearer("wrong"), 401),
        (post().bearer(TOKEN).body("no json"), 400),
        (server.chat(&ask("/fail failed")), 502),
        (server.chat(&ask("/fail busy 3")), 429),
        (get("/v1/models/openclaw%2Fnobody"), 404),
        (server.request("POST", "/v1/files").bearer(TOKEN), 404),
        (get("/v1/chat/completions"), 405),
    ] {
        let answer = request.header("Origin", PAGE).send();
        assert_eq!(answer.status, status, "{answer:?}");
        assert_granted(&answer.headers, PAGE);
    }
    let no_origin = server.chat(&ask("/echo x")).send();
    assert_not_granted(&no_origin.headers);
}

#[test]
fn every_origin_can_be_allowed() {
    let server = start("cors: { origins: ['*'] }");
    for origin in [PAGE, "http://localhost:5173"] {
        assert_eq!(preflight(&server, "/v1/models", origin).status, 204);
        let answer = server.chat(&ask("/echo x")).header("Origin", origin).send();
        assert_granted(&answer.headers, origin);
    }
}

#[test]
fn every_kind_of_response_has_the_security_headers() {
    let server = with_cors();
    let answers = [
        server.chat(&ask("/echo x")).send(),
        server.chat(&streamed(ask("/echo x"))).send(),
        server.chat(&ask("/fail failed")).send(),
        server.chat(&json!([])).send(),
        server.request("GET", "/v1/models").send(),
        server.request("GET", "/v1/models").bearer(TOKEN).send(),
        server.request("GET", "/healthz").send(),
        server.request("GET", "/nowhere").send(),
        server.request("PUT", "/v1/models").send(),
        server
            .chat(&ask("/echo x"))
            .header("Forwarded", "for=192.0.2.1")
            .send(),
        preflight(&server, "/v1/models", PAGE),
        Server::start("rehearsal", "{ tidegate: 1 ")
            .request("GET", "/v1/models")
            .send(),
    ];
    for answer in &answers {
        let headers = &answer.headers;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            (
                "permissions-policy",
                "camera=(), microphone=(self), geolocation=()",
            ),
        ] {
            assert_eq!(headers.all(name), [value], "{name}: {answer:?}");
        }
        assert_eq!(headers.all("x-request-id").len(), 1, "{answer:?}");
    }
    let streams = server.chat(&streamed(ask("/echo x"))).send();
    for (name, value) in [
        ("content-type", "text/event-stream; charset=utf-8"),
        ("cache-control", "no-cache, no-transform"),
        ("x-accel-buffering", "no"),
    ] {
        assert_eq!(streams.headers.all(name), [value], "{name}");
    }
}

#[test]
fn an_untrusted_proxy_is_refused() {
    let proxied = [
        ("Forwarded", "for=192.0.2.1"),
        ("X-Forwarded-For", "192.0.2.1"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "api.example.com"),
        ("X-Real-IP", "192.0.2.1"),
    ];
    let server = server();
    for (name, value) in proxied {
        let requests = [
            server.chat(&ask("/echo x")),
            server.chat(&streamed(ask("/echo x"))),
            server.request("POST", "/v1/chat/completions"),
            server.request("GET", "/v1/models").bearer(TOKEN),
            server.request("DELETE", "/v1/models"),
            server.request("GET", "/nothing/here"),
        ];
        for request in requests {
            let answer = request.header(name, value).send();
            assert_eq!(answer.status, 403, "{name}: {answer:?}");
            assert_eq!(
                error(&answer)["type"],
                "proxy_attribution_required",
                "{name}"
            );
            assert_eq!(server.access_log(&answer.headers)["status"], 403);
        }
        let alive = server.request("GET", "/healthz").header(name, value).send();
        assert_eq!(alive.status, 200, "{name}");
    }
    let server = start_gateway("trustedProxies: ['127.0.0.1']");
    for (name, value) in proxied {
        let request = server.chat(&ask("/echo x")).header(name, value);
        let answer = request.header("X-Forwarded-For", "203.0.113.9").send();
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
    }
    let bare = server
        .chat(&ask("/echo x"))
        .header("Forwarded", "for=203.0.113.9");
    assert_eq!(bare.send().status, 403);
}

#[test]
fn unknown_paths_and_methods_get_text_or_json_as_accepted() {
    let server = server();
    for (method, path, status) in [
        ("GET", "/", 404),
        ("GET", "/v1/files", 404),
        ("GET", "/v1/responses", 405),
        ("GET", "/v1/embeddings", 405),
        ("GET", "/v1/chat/completions", 405),
        ("OPTIONS", "/v1/chat/completions", 405),
        ("DELETE", "/v1/models", 405),
    ] {
        for (accept, is_json) in [
            (None, true),
            (Some("text/html,application/xhtml+xml"), false),
            (Some("application/json"), true),
            (Some("text/html, application/json;q=0.9"), true),
            (Some("*/*"), true),
        ] {
            let request = server.request(method, path).bearer(TOKEN);
            let answer = match accept {
                Some(accept) => request.header("Accept", accept).send(),
                None => request.send(),
            };
            let case = format!("{method} {path} {accept:?}: {answer:?}");
            assert_eq!(answer.status, status, "{case}");
            let allow = (status == 405).then_some(if path.ends_with("models") {
                "GET, HEAD"
            } else {
                "POST"
            });
            assert_eq!(answer.headers.get("allow"), allow, "{case}");
            if is_json {
                let code = if status == 405 {
                    "method_not_allowed"
                } else {
                    "unknown_url"
                };
                assert_eq!(error(&answer)["code"], code, "{case}");
            } else {
                let kind = answer.headers.get("content-type");
                assert_eq!(kind, Some("text/plain; charset=utf-8"), "{case}");
                assert!(
                    !answer.text().is_empty() && !answer.text().starts_with('{'),
                    "{case}"
                );
            }
        }
    }
}
