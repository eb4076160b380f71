//! The gateway composed with runtime-openclaw, before a scripted upstream: what
//! is sent there, what comes back, and what becomes of every failure.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what a test reads fails it if it is not there"
)]

mod harness;

use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use harness::{
    RecordedRequest, Response, Server, Step, TOKEN, Upstream, ask, broken_stream, chunks, config,
    delta, error, finish, finishes, friendly, raw_stream, refusal, refusal_with, says, steps,
    stream, streamed, text, upstream_of,
};
use serde_json::{Value, json};

/// The token by which the runtime component calls the upstream.
const OWN_TOKEN: &str = "runtime-token-9c2a";

/// How soon the upstream must learn that the client has left.
const SOON: Duration = Duration::from_secs(1);

fn server_at(url: &str) -> Server {
    let runtime = format!("runtime: {{ url: '{url}', token: '{OWN_TOKEN}' }}");
    Server::start("openclaw", &config(&runtime))
}

fn server(upstream: &Upstream) -> Server {
    server_at(&upstream.url())
}

/// Sends a request and returns what arrived at the upstream.
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
fn a_run_is_one_request_with_the_runtimes_own_credentials() {
    let upstream = friendly();
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
fn agent_session_channel_and_model_are_told_by_header() {
    let upstream = friendly();
    let server = server(&upstream);
    let mut body = ask("Hi");
    body["model"] = json!("openclaw/research");
    body["user"] = json!("alice@example.com");
    let request = server
        .chat(&body)
        .header("x-openclaw-message-channel", "Slack")
        .header("x-openclaw-model", "openai/gpt-5");
    let told = sent(&upstream, request);
    let session = told.headers.get("x-openclaw-session-key").unwrap();
    let hash = session.strip_prefix("agent:research:openai-user:").unwrap();
    assert_eq!(hash.len(), 64, "{session}");
    for (name, value) in [
        ("x-openclaw-agent-id", "research"),
        ("x-openclaw-message-channel", "slack"),
        ("x-openclaw-model", "openai/gpt-5"),
    ] {
        assert_eq!(told.headers.all(name), [value], "{name}");
    }
    assert_eq!(told.json()["model"], "openclaw/research");
    assert!(!format!("{told:?}").contains("alice"), "{told:?}");
    let again = sent(&upstream, server.chat(&body));
    assert_eq!(again.headers.get("x-openclaw-session-key"), Some(session));
    assert_eq!(again.headers.get("x-openclaw-message-channel"), None);
    assert_eq!(again.headers.get("x-openclaw-model"), None);
}

#[test]
fn another_server_is_asked_for_its_own_models() {
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
    let asked = sent(&upstream, server.chat(&ask("Hi")));
    assert_eq!(asked.json()["model"], "llama3:8b");
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
fn no_header_of_the_clients_own_passes_through() {
    let upstream = friendly();
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
fn without_a_token_of_its_own_the_runtime_sends_none() {
    let upstream = friendly();
    let runtime = format!("runtime: {{ url: '{}' }}", upstream.url());
    let server = Server::start("openclaw", &config(&runtime));
    let told = sent(&upstream, server.chat(&ask("Hi")));
    assert_eq!(told.headers.get("authorization"), None);
    let server = Server::builder("openclaw")
        .config(&config(&runtime))
        .env("TIDEGATE_RUNTIME_TOKEN", OWN_TOKEN)
        .start();
    let told = sent(&upstream, server.chat(&ask("Hi")));
    let authorization = format!("Bearer {OWN_TOKEN}");
    assert_eq!(
        told.headers.get("authorization"),
        Some(authorization.as_str())
    );
}

#[test]
fn the_body_carries_the_whole_request_and_always_asks_for_a_stream() {
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
    let asked = json!({
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
    for body in [streamed(asked.clone()), asked] {
        assert_eq!(sent(&upstream, server.chat(&body)).json(), expected);
    }
}

#[test]
fn every_piece_is_passed_on_before_the_next_one_comes() {
    let (go_on, may_go_on) = mpsc::channel();
    let may_go_on = Mutex::new(may_go_on);
    let upstream = Upstream::start(move |_, connection| {
        connection.open_events();
        for word in ["one ", "two ", "three"] {
            connection.event(&says(word));
            // Not a word more before the client has read this one.
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
fn pieces_keep_their_distance_in_time() {
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
fn a_whole_answer_collects_the_stream() {
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
    let expected = json!({ "index": 0, "finish_reason": "length",
        "message": { "role": "assistant", "content": "Hello" } });
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
fn a_stream_is_read_however_it_is_written() {
    let line = |data: String, end: &str| format!("data: {data}{end}{end}");
    let all = |end: &str| {
        [says("Grüße "), says("🙂"), finish("stop")]
            .map(|data| line(data, end))
            .concat()
    };
    let split_anywhere = |body: &str| {
        let mut script = vec![Step::Write(steps::events_head())];
        script.extend(body.bytes().map(|byte| Step::Write(steps::chunk([byte]))));
        script.push(Step::Write(steps::LAST_CHUNK.into()));
        script
    };
    let until_close = |body: &str| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
        vec![Step::Write([head, body].concat().into_bytes()), Step::Close]
    };
    let done = "data: [DONE]\n\n";
    let upstream = upstream_of(vec![
        ("LF", raw_stream(all("\n") + done)),
        ("CRLF", raw_stream(all("\r\n") + "data: [DONE]\r\n\r\n")),
        ("CR", raw_stream(all("\r") + "data: [DONE]\r\r")),
        ("without [DONE]", raw_stream(all("\n"))),
        ("byte by byte", split_anywhere(&(all("\r\n") + done))),
        (
            "no space",
            raw_stream(all("\n").replace("data: ", "data:") + done),
        ),
        (
            "comments",
            raw_stream(format!(": hi\n\nid: 1\nretry: 9\n{}{done}", all("\n"))),
        ),
        ("until close", until_close(&(all("\n") + done))),
    ]);
    let server = server(&upstream);
    for name in [
        "LF",
        "CRLF",
        "CR",
        "without [DONE]",
        "byte by byte",
        "no space",
        "comments",
        "until close",
    ] {
        let whole = choice(&server.chat(&ask(name)).send());
        assert_eq!(whole["message"]["content"], "Grüße 🙂", "{name}");
        assert_eq!(whole["finish_reason"], "stop", "{name}");
        let chunks = chunks(&server.chat(&streamed(ask(name))).send());
        assert_eq!(text(&chunks), "Grüße 🙂", "{name}");
        assert_eq!(finishes(&chunks), ["stop"], "{name}");
    }
}

#[test]
fn tool_calls_come_back_and_their_results_go_there() {
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

/// Puts the calls of a stream together, as the SDKs do.
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
fn models_are_the_upstreams_where_none_is_configured() {
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

/// What a client gets for a failure of the upstream.
struct Failure {
    name: &'static str,
    script: Vec<Step>,
    status: u16,
    kind: &'static str,
    retry_after: Option<&'static str>,
    /// The value of `x-should-retry`.
    should_retry: Option<&'static str>,
}

impl Failure {
    /// A failure of a run that has not begun.
    fn refused(name: &'static str, script: Vec<Step>, status: u16, kind: &'static str) -> Self {
        Self {
            name,
            script,
            status,
            kind,
            retry_after: None,
            should_retry: None,
        }
    }

    /// A failure of a run that may have begun.
    fn broken(name: &'static str, script: Vec<Step>) -> Self {
        Self::refused(name, script, 502, "api_error").not_again()
    }

    fn not_again(self) -> Self {
        let should_retry = Some("false");
        Self {
            should_retry,
            ..self
        }
    }

    fn after(self, seconds: &'static str) -> Self {
        let retry_after = Some(seconds);
        Self {
            retry_after,
            ..self
        }
    }

    /// Asserts that an answer is this failure, that it was logged once, and
    /// that it tells nothing of the upstream.
    fn assert_told(&self, server: &Server, answer: &Response) -> Value {
        let name = self.name;
        assert_eq!(answer.status, self.status, "{name}: {answer:?}");
        let header = |header| answer.headers.get(header);
        assert_eq!(header("retry-after"), self.retry_after, "{name}");
        assert_eq!(header("x-should-retry"), self.should_retry, "{name}");
        let error = error(answer);
        assert_eq!(error["type"], self.kind, "{name}");
        assert_tells_nothing(answer);
        let record = server.record(&answer.headers);
        assert_eq!(record["status"], self.status, "{name}: {record}");
        assert_eq!(record["error"], error["message"], "{name}: {record}");
        error
    }
}

/// The text of upstream errors that no client may read.
const INTERNAL: &str = "database db7.internal is down";

fn assert_tells_nothing(answer: &Response) {
    let answer = format!("{answer:?}");
    for secret in [OWN_TOKEN, TOKEN, "127.0.0.1", INTERNAL] {
        assert!(!answer.contains(secret), "{secret}: {answer}");
    }
}

/// An upstream error that quotes everything which it should not.
fn talkative() -> String {
    let message = format!("{INTERNAL}; your token {OWN_TOKEN} at 127.0.0.1");
    json!({ "error": { "message": message, "type": "api_error" } }).to_string()
}

/// An upstream that talks without an end, a lot at a time, and counts what it
/// was able to say.
fn endless() -> (Upstream, mpsc::Receiver<usize>) {
    let (said, heard) = mpsc::channel();
    let said = Mutex::new(said);
    let event = says(&"x".repeat(64 * 1024));
    let upstream = Upstream::start(move |_, connection| {
        connection.open_events();
        while connection.event(&event) && said.lock().unwrap().send(event.len()).is_ok() {}
    });
    (upstream, heard)
}

fn failures() -> Vec<Failure> {
    let refused = Failure::refused;
    let broken = Failure::broken;
    let page = "<html>It works!</html>";
    let event_error = talkative();
    vec![
        broken("500", refusal(500, &talkative())),
        broken("502", refusal(502, page)),
        broken("504", refusal(504, "")),
        refused("401", refusal(401, &talkative()), 502, "api_error"),
        refused("403", refusal(403, &talkative()), 502, "api_error"),
        refused("404 of a stranger", refusal(404, page), 502, "api_error"),
        refused(
            "429 with a time",
            refusal_with(429, "Retry-After: 7"),
            429,
            "rate_limit_error",
        )
        .after("7"),
        refused("429", refusal(429, &talkative()), 429, "rate_limit_error").not_again(),
        refused(
            "503 with a time",
            refusal_with(503, "Retry-After: 9"),
            503,
            "api_error",
        )
        .after("9"),
        broken("503", refusal(503, &talkative())),
        broken(
            "a redirection",
            refusal_with(302, "Location: http://127.0.0.1:1/"),
        ),
        broken(
            "a page",
            vec![Step::Write(steps::answer(200, "text/html", page))],
        ),
        broken("a document", refusal(200, "{\"choices\":[]}")),
        broken("no content", refusal_with(204, "X-Nothing: 1")),
        broken("garbage for events", raw_stream("data: {oops\n\n")),
        broken("a chunk of another kind", stream(&["[1,2]", "[DONE]"])),
        broken("an event of 9 MiB", stream(&[&says(&"x".repeat(9 << 20))])),
        broken("binary", raw_stream([0, 255, 10, 10, 254])),
        broken("an error event", stream(&[&event_error, "[DONE]"])),
        broken("no finish", stream(&["[DONE]"])),
        broken("nothing at all", stream(&[])),
        broken("a cut before the events", broken_stream(&[])),
        broken("a cut instead of an answer", vec![Step::Close]),
        broken(
            "no HTTP",
            vec![Step::Write(b"220 smtp ready\r\n\r\n".to_vec()), Step::Close],
        ),
    ]
}

#[test]
fn a_failure_before_any_text_has_its_true_status_in_both_forms() {
    let failures = failures();
    let plays = failures.iter().map(|f| (f.name, f.script.clone()));
    let upstream = upstream_of(plays.collect());
    let server = server(&upstream);
    for failure in &failures {
        for body in [ask(failure.name), streamed(ask(failure.name))] {
            let before = upstream.requests().len();
            let answer = server.chat(&body).send();
            failure.assert_told(&server, &answer);
            assert_eq!(upstream.requests().len(), before + 1, "{}", failure.name);
        }
    }
    server.assert_unharmed(&[TOKEN, OWN_TOKEN, &upstream.address().to_string()]);
}

#[test]
fn an_upstream_that_is_not_there_is_a_bad_gateway_and_safe_to_try_again() {
    // A port that was free a moment ago.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let server = server_at(&format!("http://{address}"));
    let failure = Failure::refused("nothing listens", Vec::new(), 502, "api_error");
    for body in [ask("Hi"), streamed(ask("Hi"))] {
        let answer = server.chat(&body).send();
        failure.assert_told(&server, &answer);
    }
    server.assert_unharmed(&[TOKEN, OWN_TOKEN]);
}

#[test]
fn what_the_upstream_says_about_the_request_reaches_the_client() {
    let says = |message: &str| {
        json!({ "error": { "message": message, "type": "invalid_request_error",
            "param": "messages", "code": "too_long" } })
        .to_string()
    };
    let statuses = [("400", 400), ("404", 404), ("413", 413), ("422", 422)];
    let plays = statuses.map(|(name, status)| (name, refusal(status, &says("Say less."))));
    let leak = says(&format!("Not with {OWN_TOKEN}."));
    let upstream = upstream_of(
        plays
            .into_iter()
            .chain([("leak", refusal(400, &leak))])
            .collect(),
    );
    let server = server(&upstream);
    for (name, status) in statuses {
        let failure = Failure::refused(name, Vec::new(), status, "invalid_request_error");
        for body in [ask(name), streamed(ask(name))] {
            let answer = server.chat(&body).send();
            let error = failure.assert_told(&server, &answer);
            assert_eq!(error["message"], "Say less.", "{name}");
            assert_eq!(error["param"], "messages", "{name}");
            assert_eq!(error["code"], "too_long", "{name}");
        }
    }
    let answer = server.chat(&ask("leak")).send();
    assert_eq!(answer.status, 400);
    assert_tells_nothing(&answer);
    server.assert_unharmed(&[TOKEN, OWN_TOKEN]);
}

#[test]
fn a_failure_after_text_never_looks_whole() {
    let some = says("Some text");
    let error = talkative();
    let plays = vec![
        ("a cut", broken_stream(&[&some])),
        ("a cut within an event", {
            let event = steps::event(&some);
            let half = steps::chunk("data: {\"choices\":[{\"ind");
            let begin = [steps::events_head(), event, half].concat();
            vec![Step::Write(begin), Step::Close]
        }),
        ("no finish", stream(&[&some])),
        ("no finish before [DONE]", stream(&[&some, "[DONE]"])),
        ("an error event", stream(&[&some, &error, "[DONE]"])),
        (
            "garbage",
            stream(&[&some, "{oops", &finish("stop"), "[DONE]"]),
        ),
        (
            "an error after the finish",
            stream(&[&some, &finish("stop"), &error]),
        ),
        (
            "a cut after the finish",
            broken_stream(&[&some, &finish("stop")]),
        ),
        (
            "calls without calls",
            stream(&[&some, &finish("tool_calls"), "[DONE]"]),
        ),
    ];
    let names: Vec<_> = plays.iter().map(|(name, _)| *name).collect();
    let upstream = upstream_of(plays);
    let server = server(&upstream);
    for name in names {
        let before = upstream.requests().len();
        let answer = server.chat(&streamed(ask(name))).send();
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        let chunks = chunks(&answer);
        assert_eq!(text(&chunks), "Some text", "{name}");
        assert_eq!(finishes(&chunks), [""; 0], "{name}");
        assert_eq!(
            chunks.last().unwrap()["error"]["type"],
            "api_error",
            "{name}"
        );
        let errors = chunks.iter().filter(|chunk| chunk.get("error").is_some());
        assert_eq!(errors.count(), 1, "{name}");
        assert_tells_nothing(&answer);
        assert!(
            server.record(&answer.headers)["error"].is_string(),
            "{name}"
        );
        assert_eq!(upstream.requests().len(), before + 1, "{name}");
        let failure = Failure::broken(name, Vec::new());
        let whole = server.chat(&ask(name)).send();
        failure.assert_told(&server, &whole);
        assert_eq!(upstream.requests().len(), before + 2, "{name}");
    }
    server.assert_unharmed(&[TOKEN, OWN_TOKEN, &upstream.address().to_string()]);
}

#[test]
fn an_error_after_the_first_chunk_is_an_event_even_where_no_text_came() {
    let role = delta(&json!({ "role": "assistant", "content": "" }));
    let error = talkative();
    let plays = vec![
        ("an error event", stream(&[&role, &error, "[DONE]"])),
        ("a cut", broken_stream(&[&role])),
        ("no finish", stream(&[&role, "[DONE]"])),
        ("garbage", stream(&[&role, "{oops"])),
    ];
    let names: Vec<_> = plays.iter().map(|(name, _)| *name).collect();
    let upstream = upstream_of(plays);
    let server = server(&upstream);
    for name in names {
        let answer = server.chat(&streamed(ask(name))).send();
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        let chunks = chunks(&answer);
        let [role, error] = chunks.as_slice() else {
            panic!("{name}: {chunks:?}");
        };
        let begin = json!({ "role": "assistant" });
        assert_eq!(role["choices"][0]["delta"], begin, "{name}");
        assert_eq!(error["error"]["type"], "api_error", "{name}");
        assert_tells_nothing(&answer);
        let whole = server.chat(&ask(name)).send();
        Failure::broken(name, Vec::new()).assert_told(&server, &whole);
    }
    server.assert_unharmed(&[TOKEN, OWN_TOKEN]);
}

#[test]
fn a_silent_upstream_is_given_up_in_its_time() {
    let upstream = upstream_of(vec![
        ("no head", vec![Step::AwaitClose]),
        (
            "no end",
            vec![
                Step::Write([steps::events_head(), steps::event(&says("Some text"))].concat()),
                Step::AwaitClose,
            ],
        ),
    ]);
    let runtime = format!(
        "runtime: {{ url: '{}', firstByteTimeout: '1s', betweenBytesTimeout: '1s' }}",
        upstream.url()
    );
    let server = Server::start("openclaw", &config(&runtime));
    for name in ["no head", "no end"] {
        let answer = server.chat(&ask(name)).send();
        assert_eq!(answer.status, 504, "{name}: {answer:?}");
        assert_eq!(answer.headers.get("x-should-retry"), Some("false"));
        error(&answer);
    }
    let chunks = chunks(&server.chat(&streamed(ask("no end"))).send());
    assert_eq!(text(&chunks), "Some text");
    assert_eq!(finishes(&chunks), [""; 0]);
    assert!(chunks.last().unwrap()["error"].is_object());
    assert_eq!(upstream.requests().len(), 3);
}

/// Asserts that the upstream learns in time that the client of a stream leaves
/// after its first words.
fn assert_leaving_is_noticed(upstream: &Upstream) {
    let server = server(upstream);
    let mut stream = server.chat(&streamed(ask("Hi"))).open();
    assert!(stream.data().is_some());
    assert_eq!(upstream.closes(), []);
    let headers = stream.headers.clone();
    let left = Instant::now();
    drop(stream);
    let close = upstream.wait_for_close();
    let took = close.at - left;
    assert!(took < SOON, "{took:?}");
    assert_eq!(server.record(&headers)["client_gone"], true);
    assert_eq!(upstream.requests().len(), 1);
    server.assert_unharmed(&[]);
}

#[test]
fn a_client_that_leaves_a_talking_stream_ends_the_run() {
    let upstream = Upstream::start(|_, connection| {
        connection.open_events();
        while connection.event(&says("more ")) && connection.pause(Duration::from_millis(20)) {}
    });
    assert_leaving_is_noticed(&upstream);
}

#[test]
fn a_client_that_leaves_a_silent_stream_ends_the_run() {
    let begin = [steps::events_head(), steps::event(&says("Hello"))].concat();
    let upstream = Upstream::script(vec![Step::Write(begin), Step::AwaitClose]);
    assert_leaving_is_noticed(&upstream);
}

#[test]
fn a_client_that_leaves_before_the_first_word_ends_the_run() {
    let upstream = Upstream::script(vec![Step::Write(steps::events_head()), Step::AwaitClose]);
    assert_leaving_is_noticed(&upstream);
}

#[test]
fn a_whole_answer_without_an_end_is_given_up_and_its_run_ended() {
    let (upstream, _heard) = endless();
    let server = server(&upstream);
    let answer = server.chat(&ask("Hi")).send();
    Failure::broken("endless", Vec::new()).assert_told(&server, &answer);
    upstream.wait_for_close();
    assert_eq!(upstream.requests().len(), 1);
}
