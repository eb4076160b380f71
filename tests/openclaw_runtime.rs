//! The gateway composed with runtime-openclaw, in front of a scripted upstream: the
//! request to the upstream, and the reply to the client.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a missing value fails the test"
)]

mod harness;

use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Duration;

use harness::{
    RecordedRequest, Response, Server, Step, TOKEN, Upstream, ask, chunks, config, delta, finish,
    finishes, hello_upstream, says, steps, stream, streamed, text, upstream_of,
};
use serde_json::{Value, json};

/// The token that the runtime sends to the upstream.
const OWN_TOKEN: &str = "runtime-token-9c2a";

fn server_at(url: &str) -> Server {
    let runtime = format!("runtime: {{ url: '{url}', token: '{OWN_TOKEN}' }}");
    Server::start("openclaw", &config(&runtime))
}

fn server(upstream: &Upstream) -> Server {
    server_at(&upstream.url())
}

/// Sends a request and returns the request that the upstream received.
fn sent(upstream: &Upstream, request: harness::Request) -> RecordedRequest {
    let answer = request.send();
    assert_eq!(answer.status, 200, "{answer:?}");
    upstream.requests().pop().unwrap()
}

fn choice(answer: &Response) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["choices"][0].clone()
}

#[test]
fn a_run_is_one_request_with_the_runtimes_token() {
    let upstream = hello_upstream();
    let server = server(&upstream);
    let request = server.chat(&ask("Hi"));
    let sent = sent(&upstream, request);
    assert_eq!(upstream.requests().len(), 1);
    assert_eq!(
        (sent.method.as_str(), sent.path.as_str()),
        ("POST", "/v1/chat/completions")
    );
    let authorization = format!("Bearer {OWN_TOKEN}");
    assert_eq!(sent.headers.all("authorization"), [authorization]);
    assert_eq!(sent.headers.get("content-type"), Some("application/json"));
    assert_eq!(sent.headers.get("accept"), Some("text/event-stream"));
    assert!(!format!("{sent:?}").contains(TOKEN), "{sent:?}");
}

#[test]
fn agent_session_channel_and_model_are_sent_as_headers() {
    let upstream = hello_upstream();
    let server = server(&upstream);
    let mut body = ask("Hi");
    body["model"] = json!("openclaw/research");
    body["user"] = json!("alice@example.com");
    let request = server
        .chat(&body)
        .header("x-openclaw-message-channel", "Slack")
        .header("x-openclaw-model", "openai/gpt-5");
    let sent_request = sent(&upstream, request);
    let session = sent_request.headers.get("x-openclaw-session-key").unwrap();
    let hash = session.strip_prefix("agent:research:openai-user:").unwrap();
    assert_eq!(hash.len(), 64, "{session}");
    for (name, value) in [
        ("x-openclaw-agent-id", "research"),
        ("x-openclaw-message-channel", "slack"),
        ("x-openclaw-model", "openai/gpt-5"),
    ] {
        assert_eq!(sent_request.headers.all(name), [value], "{name}");
    }
    assert_eq!(sent_request.json()["model"], "openclaw/research");
    assert!(
        !format!("{sent_request:?}").contains("alice"),
        "{sent_request:?}"
    );
    let again = sent(&upstream, server.chat(&body));
    assert_eq!(again.headers.get("x-openclaw-session-key"), Some(session));
    assert_eq!(again.headers.get("x-openclaw-message-channel"), None);
    assert_eq!(again.headers.get("x-openclaw-model"), None);
}

#[test]
fn a_configured_model_name_is_sent_to_the_backend() {
    let upstream = Upstream::start(|request, connection| {
        let list = json!({ "data": [{ "id": "llama3:8b" }, { "id": "mistral" }] });
        if request.path == "/v1/models" {
            connection.answer(200, "application/json", &list.to_string());
        } else {
            connection.play(&stream(&[&says("Hello"), &finish("stop"), "[DONE]"]));
        }
    });
    let url = upstream.url();
    let document = format!(
        "{{ gateway: {{ auth: {{ token: '{TOKEN}' }},
             http: {{ endpoints: {{ chatCompletions: {{ enabled: true }} }} }} }},
           tidegate: {{ runtime: {{ url: '{url}', models: {{ main: 'llama3:8b' }} }} }} }}"
    );
    let server = Server::start("openclaw", &document);
    let sent_request = sent(&upstream, server.chat(&ask("Hi")));
    assert_eq!(sent_request.json()["model"], "llama3:8b");
    let list = server.request("GET", "/v1/models").bearer(TOKEN).send();
    let ids: Vec<_> = list.json()["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| model["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, ["openclaw", "openclaw/default", "openclaw/main"]);
}

#[test]
fn other_client_headers_are_not_forwarded() {
    let upstream = hello_upstream();
    let server = server(&upstream);
    let request = server
        .chat(&ask("Hi"))
        .header("Cookie", "session=of-the-client")
        .header("X-Custom", "of-the-client")
        .header("Accept-Language", "of-the-client")
        .header("User-Agent", "of-the-client")
        .header("X-Api-Key", "of-the-client")
        .header("X-OpenClaw-Scopes", "of-the-client")
        .header("X-Request-Id", "of-the-client");
    let sent = sent(&upstream, request);
    let mut names: Vec<_> = sent
        .headers
        .0
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    names.sort_unstable();
    let expected = [
        "accept",
        "authorization",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "x-openclaw-agent-id",
        "x-openclaw-session-key",
    ];
    assert_eq!(names, expected);
    assert!(!format!("{sent:?}").contains("of-the-client"), "{sent:?}");
}

#[test]
fn without_a_runtime_token_no_authorization_is_sent() {
    let upstream = hello_upstream();
    let runtime = format!("runtime: {{ url: '{}' }}", upstream.url());
    let server = Server::start("openclaw", &config(&runtime));
    let sent_request = sent(&upstream, server.chat(&ask("Hi")));
    assert_eq!(sent_request.headers.get("authorization"), None);
    let server = Server::builder("openclaw")
        .config(&config(&runtime))
        .env("TIDEGATE_RUNTIME_TOKEN", OWN_TOKEN)
        .start();
    let sent_request = sent(&upstream, server.chat(&ask("Hi")));
    let authorization = format!("Bearer {OWN_TOKEN}");
    assert_eq!(
        sent_request.headers.get("authorization"),
        Some(authorization.as_str())
    );
}

#[test]
fn the_body_carries_the_whole_request_and_always_requests_a_stream() {
    let upstream = Upstream::script(stream(&[
        &delta(
            &json!({ "tool_calls": [{ "index": 0, "id": "c1", "type": "function",
            "function": { "name": "look", "arguments": "{}" } }] }),
        ),
        &finish("tool_calls"),
        "[DONE]",
    ]));
    let server = server(&upstream);
    let tool = json!({ "type": "function", "function": {
        "name": "look", "description": "Looks.", "strict": true,
        "parameters": { "type": "object", "properties": { "at": { "type": "string" } } },
    } });
    let format = json!({ "type": "json_schema", "json_schema": { "name": "n", "schema": {} } });
    let messages = json!([
        { "role": "system", "content": "Be brief." },
        { "role": "user", "content": "One" },
        { "role": "assistant", "content": "Two" },
        { "role": "user", "content": "Three" },
    ]);
    let request = json!({
        "model": "openclaw", "messages": messages, "tools": [tool], "tool_choice": "required",
        "parallel_tool_calls": false, "temperature": 0.5, "top_p": 0.25, "seed": 7,
        "frequency_penalty": 1.5, "presence_penalty": -1.5, "stop": ["a", "b"],
        "max_completion_tokens": 64, "reasoning_effort": "low", "response_format": format,
        "metadata": { "of": "the client" }, "store": true, "n": 1,
    });
    let expected = json!({
        "model": "openclaw/main", "messages": messages, "tools": [tool], "tool_choice": "required",
        "parallel_tool_calls": false, "temperature": 0.5, "top_p": 0.25, "seed": 7,
        "frequency_penalty": 1.5, "presence_penalty": -1.5, "stop": ["a", "b"],
        "max_tokens": 64, "reasoning_effort": "low", "response_format": format,
        "stream": true, "stream_options": { "include_usage": true },
    });
    for body in [streamed(request.clone()), request] {
        assert_eq!(sent(&upstream, server.chat(&body)).json(), expected);
    }
}

#[test]
fn every_event_is_forwarded_before_the_next_one_arrives() {
    let (go_on, may_go_on) = mpsc::channel();
    let may_go_on = Mutex::new(may_go_on);
    let upstream = Upstream::start(move |_, connection| {
        connection.open_events();
        for word in ["one ", "two ", "three"] {
            connection.event(&says(word));
            // The next word is sent after the client has read this one.
            may_go_on.lock().unwrap().recv().unwrap();
        }
        connection.event(&finish("stop"));
        connection.event("[DONE]");
        connection.end();
    });
    let server = server(&upstream);
    let mut stream = server.chat(&streamed(ask("Count"))).open();
    for word in ["one ", "two ", "three"] {
        let piece = std::iter::from_fn(|| stream.event())
            .find(|event| event.text.contains("content"))
            .unwrap();
        assert_eq!(piece.json()["choices"][0]["delta"]["content"], word);
        go_on.send(()).unwrap();
    }
    let answer = stream.finish();
    assert_eq!(finishes(&chunks(&answer)), ["stop"]);
}

#[test]
fn events_keep_their_timing() {
    let pause = Duration::from_millis(200);
    let mut script = vec![Step::Write(steps::events_head())];
    for word in ["one", "two", "three"] {
        script.push(Step::Write(steps::event(&says(word))));
        script.push(Step::Pause(pause));
    }
    script.push(Step::Write(steps::event(&finish("stop"))));
    script.push(Step::Write(steps::LAST_CHUNK.into()));
    let upstream = Upstream::script(script);
    let server = server(&upstream);
    let mut stream = server.chat(&streamed(ask("Count"))).open();
    let events: Vec<_> = std::iter::from_fn(|| stream.event()).collect();
    let words: Vec<_> = events
        .iter()
        .filter(|event| event.text.contains("content"))
        .collect();
    assert_eq!(words.len(), 3, "{events:?}");
    for pair in words.windows(2) {
        assert!(pair[1].at - pair[0].at >= pause / 2, "{events:?}");
    }
}

#[test]
fn a_whole_reply_collects_the_stream() {
    let usage = json!({ "prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10 });
    let upstream = Upstream::script(stream(&[
        &delta(&json!({ "role": "assistant" })),
        &says("Hel"),
        &says("lo"),
        &finish("length"),
        &json!({ "choices": [], "usage": usage }).to_string(),
        "[DONE]",
    ]));
    let server = server(&upstream);
    let answer = server.chat(&ask("Hi")).send();
    let expected = json!({ "index": 0, "finish_reason": "length", "logprobs": null,
        "message": { "role": "assistant", "content": "Hello", "refusal": null } });
    assert_eq!(choice(&answer), expected);
    assert_eq!(answer.json()["usage"], usage);
    let mut body = streamed(ask("Hi"));
    body["stream_options"] = json!({ "include_usage": true });
    let chunks = chunks(&server.chat(&body).send());
    assert_eq!(
        (text(&chunks).as_str(), finishes(&chunks)),
        ("Hello", vec!["length"])
    );
    assert_eq!(chunks.last().unwrap()["usage"], usage);
}

#[test]
fn tool_calls_reach_the_client_and_their_results_reach_the_upstream() {
    let piece = |call: Value| delta(&json!({ "tool_calls": [call] }));
    let begin = |index: u32, id: &str, name: &str| {
        piece(json!({ "index": index, "id": id, "type": "function",
            "function": { "name": name, "arguments": "" } }))
    };
    let more = |index: u32, arguments: &str| {
        piece(json!({ "index": index, "function": { "arguments": arguments } }))
    };
    let calling = stream(&[
        &begin(0, "call_a", "look"),
        &more(0, "{\"at\":"),
        &more(0, "\"Paris\"}"),
        &begin(1, "call_b", "listen"),
        &more(1, "{}"),
        &finish("tool_calls"),
        "[DONE]",
    ]);
    let answering = stream(&[&says("Sunny"), &finish("stop"), "[DONE]"]);
    let upstream = upstream_of(vec![("Weather?", calling), ("18 °C", answering)]);
    let server = server(&upstream);
    let function = |name: &str| json!({ "type": "function", "function": { "name": name, "parameters": { "type": "object" } } });
    let mut body = ask("Weather?");
    body["tools"] = json!([function("look"), function("listen")]);
    let called = |id: &str, name: &str, arguments: &str| json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } });
    let calls = json!([
        called("call_a", "look", "{\"at\":\"Paris\"}"),
        called("call_b", "listen", "{}"),
    ]);
    let whole = choice(&server.chat(&body).send());
    assert_eq!(whole["finish_reason"], "tool_calls");
    assert_eq!(whole["message"]["tool_calls"], calls);
    let chunks = chunks(&server.chat(&streamed(body.clone())).send());
    assert_eq!(finishes(&chunks), ["tool_calls"]);
    assert_eq!(joined_calls(&chunks), calls);
    let messages = json!([
        { "role": "user", "content": "Weather?" },
        { "role": "assistant", "content": null, "tool_calls": calls },
        { "role": "tool", "tool_call_id": "call_b", "content": "Birds" },
        { "role": "tool", "tool_call_id": "call_a", "content": "18 °C" },
    ]);
    body["messages"] = messages.clone();
    let sent = sent(&upstream, server.chat(&body));
    assert_eq!(sent.json()["messages"], messages);
    assert_eq!(sent.json()["tools"], body["tools"]);
}

/// Joins the tool calls of a stream, as the SDKs do.
fn joined_calls(chunks: &[Value]) -> Value {
    let mut calls: Vec<Value> = Vec::new();
    let deltas = chunks
        .iter()
        .map(|chunk| &chunk["choices"][0]["delta"]["tool_calls"][0]);
    for delta in deltas.filter(|delta| delta.is_object()) {
        let index = usize::try_from(delta["index"].as_u64().unwrap()).unwrap();
        let arguments = delta["function"]["arguments"].as_str().unwrap();
        if index == calls.len() {
            let mut call = delta.clone();
            call.as_object_mut().unwrap().remove("index");
            calls.push(call);
            continue;
        }
        let call = &mut calls.get_mut(index).unwrap()["function"]["arguments"];
        *call = json!([call.as_str().unwrap(), arguments].concat());
    }
    json!(calls)
}

#[test]
fn models_come_from_the_upstream_if_no_agents_are_configured() {
    let upstream = Upstream::start(|_, connection| {
        let model = |id: &str| json!({ "id": id, "object": "model" });
        let models = [
            "openclaw",
            "openclaw/default",
            "openclaw/writer",
            "openclaw/coder",
        ];
        let list = json!({ "object": "list", "data": models.map(model) });
        connection.answer(200, "application/json", &list.to_string());
    });
    let document = format!(
        "{{ gateway: {{ auth: {{ token: '{TOKEN}' }},
             http: {{ endpoints: {{ chatCompletions: {{ enabled: true }} }} }} }},
           tidegate: {{ runtime: {{ url: '{}', token: '{OWN_TOKEN}' }} }} }}",
        upstream.url()
    );
    let server = Server::start("openclaw", &document);
    let list = server.request("GET", "/v1/models").bearer(TOKEN).send();
    assert_eq!(list.status, 200, "{list:?}");
    for id in ["openclaw/writer", "openclaw/coder"] {
        assert!(list.text().contains(id), "{list:?}");
    }
    let requests = upstream.requests();
    let [request] = requests.as_slice() else {
        panic!("one request: {requests:?}");
    };
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("GET", "/v1/models")
    );
    let authorization = format!("Bearer {OWN_TOKEN}");
    assert_eq!(request.headers.all("authorization"), [authorization]);
}
