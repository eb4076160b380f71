//! Chat completions, end to end: over real connections, through the gateway composed
//! with the rehearsal runtime.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a missing value fails the test"
)]

mod harness;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use harness::{
    Event, Request, Response, Server, Stream, TOKEN, ask, chunks, config, error, finishes,
    streamed, text,
};
use serde_json::{Value, json};

fn server() -> Server {
    Server::start("rehearsal", &config(""))
}

/// Returns the run that the runtime received.
fn received(server: &Server, mut body: Value, headers: &[(&str, &str)]) -> Value {
    body["messages"] = json!([{ "role": "user", "content": "/request" }]);
    let request = server.chat(&body);
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(name, value)
    });
    let answer = request.send();
    assert_eq!(answer.status, 200, "{body} {headers:?}: {answer:?}");
    serde_json::from_str(reply_text(&answer.json())).unwrap()
}

/// Returns the session key of a run.
fn session(server: &Server, body: Value, headers: &[(&str, &str)]) -> String {
    let session = received(server, body, headers)["session"].clone();
    session.as_str().unwrap().to_owned()
}

/// Returns the text of a whole reply.
fn reply_text(completion: &Value) -> &str {
    completion["choices"][0]["message"]["content"]
        .as_str()
        .unwrap()
}

/// Reads the events of an open stream to its end.
fn events(stream: &mut Stream) -> Vec<Event> {
    std::iter::from_fn(|| stream.event()).collect()
}

fn is_text(event: &Event) -> bool {
    event.text.contains("\"content\":")
}

fn members(value: &Value) -> Vec<&str> {
    let members = value.as_object().unwrap();
    members.keys().map(String::as_str).collect()
}

/// Returns whether a text consists of `length` lower-case hexadecimal digits.
fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && is_hex(&text.replace('-', ""), 32)
}

#[test]
fn a_streamed_reply_arrives_word_by_word() {
    let server = server();
    let mut stream = server.chat(&streamed(ask("Hello"))).open();
    let words: Vec<_> = events(&mut stream).into_iter().filter(is_text).collect();
    // The rehearsal pauses for 50 ms between words. A slow machine may read two words
    // in one piece.
    assert_eq!(words.len(), 8, "{words:?}");
    let moments: BTreeSet<_> = words.iter().map(|word| word.at).collect();
    assert!(moments.len() >= 5, "{words:?}");
    let took = *moments.last().unwrap() - *moments.first().unwrap();
    assert!(took >= Duration::from_millis(300), "{took:?}");
}

#[test]
fn the_first_words_are_sent_with_the_head() {
    let server = server();
    for _ in 0..10 {
        let mut stream = server.chat(&streamed(ask("Hello"))).open();
        let (head, role, word) = (stream.at, stream.event().unwrap(), stream.event().unwrap());
        assert!(role.text.contains("\"role\":"), "{role:?}");
        assert!(is_text(&word), "{word:?}");
        assert_eq!((role.at, word.at), (head, head));
    }
}

#[test]
fn a_stream_has_one_role_then_text_then_one_finish_then_done() {
    let server = server();
    let answer = server.chat(&streamed(ask("/say one two three"))).send();
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.headers.get("content-type"),
        Some("text/event-stream; charset=utf-8")
    );
    assert_eq!(
        answer.headers.get("cache-control"),
        Some("no-cache, no-transform")
    );
    let chunks = chunks(&answer);
    let deltas: Vec<_> = chunks.iter().map(|chunk| &chunk["choices"][0]).collect();
    let choice = |delta: Value, finish: Value| json!({ "index": 0, "delta": delta, "finish_reason": finish });
    let expected = [
        choice(json!({ "role": "assistant" }), Value::Null),
        choice(json!({ "content": "one " }), Value::Null),
        choice(json!({ "content": "two " }), Value::Null),
        choice(json!({ "content": "three" }), Value::Null),
        choice(json!({}), json!("stop")),
    ];
    assert_eq!(deltas, expected.iter().collect::<Vec<_>>());
    for chunk in &chunks {
        assert_eq!(
            members(chunk),
            ["choices", "created", "id", "model", "object"],
            "{chunk}"
        );
        assert_eq!(chunk["object"], "chat.completion.chunk");
        for member in ["id", "created", "model"] {
            assert_eq!(chunk[member], chunks[0][member], "{member}");
        }
    }
}

#[test]
fn usage_comes_last_and_only_if_requested() {
    let server = server();
    let with_usage = |include: Value| {
        let mut body = streamed(ask("/usage 10 5 4 2"));
        body["stream_options"] = json!({ "include_usage": include });
        chunks(&server.chat(&body).send())
    };
    let chunks = with_usage(json!(true));
    let (last, before) = chunks.split_last().unwrap();
    let usage = json!({
        "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
        "prompt_tokens_details": { "cached_tokens": 4 },
        "completion_tokens_details": { "reasoning_tokens": 2 },
    });
    assert_eq!(last["usage"], usage);
    assert_eq!(last["choices"], json!([]));
    assert_eq!(last["id"], before[0]["id"]);
    assert_eq!(finishes(before), ["stop"]);
    assert!(before.iter().all(|chunk| chunk.get("usage").is_none()));
    let never = with_usage(json!(false));
    assert!(never.iter().all(|chunk| chunk.get("usage").is_none()));
}

#[test]
fn a_whole_reply_is_a_chat_completion() {
    let server = server();
    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let answer = server.chat(&ask("/say Good day to you")).send();
    let after = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        answer.headers.get("content-type"),
        Some("application/json; charset=utf-8")
    );
    let length = answer.body.len().to_string();
    assert_eq!(answer.headers.get("content-length"), Some(length.as_str()));
    let completion = answer.json();
    let id = completion["id"].as_str().unwrap();
    assert!(is_uuid(id.strip_prefix("chatcmpl_").unwrap()), "{id}");
    let created = completion["created"].as_u64().unwrap();
    assert!((before.as_secs()..=after.as_secs()).contains(&created));
    let expected = json!({
        "id": id,
        "object": "chat.completion",
        "created": created,
        "model": "openclaw",
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": "Good day to you", "refusal": null },
            "logprobs": null,
            "finish_reason": "stop",
        }],
        // The rehearsal counts words.
        "usage": { "prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9 },
    });
    assert_eq!(completion, expected);
}

#[test]
fn the_model_selects_the_agent_and_is_returned_unchanged() {
    let server = server();
    for (model, agent) in [
        ("openclaw", "main"),
        ("openclaw/default", "main"),
        ("openclaw/main", "main"),
        ("openclaw/research", "research"),
        ("openclaw:research", "research"),
        ("agent:research", "research"),
        (" OpenClaw/Research ", "research"),
        ("", "main"),
    ] {
        let body = json!({ "model": model });
        assert_eq!(received(&server, body, &[])["agent"], agent, "{model:?}");
        let mut body = ask("/echo yes");
        body["model"] = json!(model);
        let whole = server.chat(&body).send().json();
        assert_eq!(whole["model"], model);
        let chunks = chunks(&server.chat(&streamed(body)).send());
        assert!(chunks.iter().all(|chunk| chunk["model"] == model));
    }
    assert_eq!(received(&server, json!({}), &[])["agent"], "main");
    let header = [("x-openclaw-agent-id", "research")];
    assert_eq!(received(&server, json!({}), &header)["agent"], "research");
}

#[test]
fn an_unknown_model_is_refused() {
    let server = server();
    for (model, code) in [
        ("gpt-5", Value::Null),
        ("openclaw/", Value::Null),
        ("other/main", Value::Null),
        ("openclaw/nobody", json!("model_not_found")),
    ] {
        let mut body = ask("Hello");
        body["model"] = json!(model);
        let answer = server.chat(&body).send();
        assert_eq!(answer.status, 400, "{model}: {answer:?}");
        let error = error(&answer);
        assert_eq!((&error["param"], &error["code"]), (&json!("model"), &code));
    }
}

#[test]
fn a_user_has_one_session_with_each_agent() {
    let server = server();
    let of =
        |user: &str, model: &str| session(&server, json!({ "user": user, "model": model }), &[]);
    let alice = of("alice@example.com", "openclaw");
    assert_eq!(of("alice@example.com", "openclaw/main"), alice);
    let hash = alice.strip_prefix("agent:main:openai-user:").unwrap();
    assert!(is_hex(hash, 64), "{alice}");
    assert!(!alice.contains("alice"));
    for (user, model) in [
        ("bob@example.com", "openclaw"),
        ("Alice@example.com", "openclaw"),
        ("alice@example.com", "openclaw/research"),
    ] {
        let other = of(user, model);
        assert!(!other.ends_with(hash), "{user} {model}: {other}");
    }
}

#[test]
fn a_session_key_survives_a_restart_and_changes_with_the_secret() {
    let with = |tidegate: &str| {
        let server = Server::start("rehearsal", &config(tidegate));
        session(&server, json!({ "user": "alice" }), &[])
    };
    assert_eq!(with(""), with(""));
    let secret = "session: { secret: 'the first secret' }";
    assert_eq!(with(secret), with(secret));
    assert_ne!(with(secret), with(""));
    assert_ne!(
        with(secret),
        with("session: { secret: 'the other secret' }")
    );
}

#[test]
fn without_a_user_every_request_has_a_new_session() {
    let server = server();
    let sessions: BTreeSet<_> = (0..5).map(|_| session(&server, json!({}), &[])).collect();
    assert_eq!(sessions.len(), 5, "{sessions:?}");
    for session in &sessions {
        let id = session.strip_prefix("agent:main:openai:").unwrap();
        assert!(is_uuid(id), "{session}");
    }
}

#[test]
fn a_header_names_the_session_within_the_requests_agent() {
    let server = server();
    let named = |key: &str| {
        session(
            &server,
            json!({ "user": "alice" }),
            &[("x-openclaw-session-key", key)],
        )
    };
    assert_eq!(named("My-Thread"), "agent:main:my-thread");
    assert_eq!(named("agent:main:thread"), "agent:main:thread");
    for key in ["agent:research:thread", "cron:daily", "subagent:x"] {
        let request = server.chat(&ask("Hello"));
        let answer = request.header("x-openclaw-session-key", key).send();
        assert_eq!(answer.status, 400, "{key}: {answer:?}");
        assert_eq!(error(&answer)["param"], "x-openclaw-session-key");
    }
}

#[test]
fn text_reaches_the_runtime_unchanged() {
    let server = server();
    let words = "quotes \" back\\slash\n\ttab, 日本語 🙂 \u{2028} </script> data: [DONE]";
    let body = ask(&format!("/echo {words}"));
    assert_eq!(reply_text(&server.chat(&body).send().json()), words);
    let chunks = chunks(&server.chat(&streamed(body)).send());
    assert_eq!(text(&chunks), words);
}

#[test]
fn unicode_text_is_the_same_in_both_forms() {
    let server = server();
    let body = ask("/unicode");
    let whole = server.chat(&body).send().json();
    let streamed = server.chat(&streamed(body)).send();
    assert_eq!(text(&chunks(&streamed)), reply_text(&whole));
}

#[test]
fn every_reply_has_its_finish_reason() {
    let server = server();
    for (script, reason) in [
        ("/say all of it", "stop"),
        ("/empty", "stop"),
        ("/length", "length"),
        ("/filter", "content_filter"),
        ("/tool look {\"at\":\"this\"}", "tool_calls"),
    ] {
        let whole = server.chat(&ask(script)).send().json();
        assert_eq!(whole["choices"][0]["finish_reason"], reason, "{script}");
        let chunks = chunks(&server.chat(&streamed(ask(script))).send());
        assert_eq!(finishes(&chunks), [reason], "{script}");
    }
}

#[test]
fn a_broken_run_never_looks_complete() {
    let server = server();
    for script in [
        "/break 3",
        "/say some words\n/vanish",
        "/say some words\n/fail timed-out",
    ] {
        let answer = server.chat(&streamed(ask(script))).send();
        assert_eq!(answer.status, 200, "{script}");
        let chunks = chunks(&answer);
        assert_ne!(text(&chunks), "", "{script}");
        assert_eq!(finishes(&chunks), [""; 0], "{script}");
        let (last, before) = chunks.split_last().unwrap();
        assert_eq!(members(last), ["error"], "{script}");
        assert!(before.iter().all(|chunk| chunk.get("error").is_none()));
        assert!(server.access_log(&answer.headers)["error"].is_string());
        let whole = server.chat(&ask(script)).send();
        assert!(matches!(whole.status, 502 | 504), "{script}: {whole:?}");
        assert_eq!(whole.headers.get("x-should-retry"), Some("false"));
        error(&whole);
    }
}

#[test]
fn a_run_that_fails_at_once_has_the_right_status_in_both_forms() {
    let server = server();
    for (failure, status, may_retry) in [
        ("invalid", 400, true),
        ("not-found", 404, true),
        ("too-large", 413, true),
        ("unprocessable", 422, true),
        ("unknown-agent", 400, true),
        ("busy 3", 429, true),
        ("busy", 429, false),
        ("unavailable 3", 503, true),
        ("unavailable", 502, false),
        ("unreachable", 502, true),
        ("denied", 502, true),
        ("misconfigured", 500, true),
        ("timed-out", 504, false),
        ("tool-choice-unmet", 502, false),
        ("failed", 502, false),
    ] {
        let body = ask(&format!("/fail {failure}"));
        for body in [streamed(body.clone()), body] {
            let answer = server.chat(&body).send();
            assert_eq!(answer.status, status, "{failure}: {answer:?}");
            error(&answer);
            let after = failure.ends_with('3').then_some("3");
            assert_eq!(answer.headers.get("retry-after"), after, "{failure}");
            let never = (!may_retry).then_some("false");
            assert_eq!(answer.headers.get("x-should-retry"), never, "{failure}");
        }
    }
}

#[test]
fn models_are_the_agents() {
    let server = server();
    let list = server.request("GET", "/v1/models").bearer(TOKEN).send();
    assert_eq!(list.status, 200);
    let list = list.json();
    assert_eq!(list["object"], "list");
    let models = list["data"].as_array().unwrap();
    let ids: Vec<_> = models
        .iter()
        .map(|model| model["id"].as_str().unwrap())
        .collect();
    let expected = [
        "openclaw",
        "openclaw/default",
        "openclaw/main",
        "openclaw/research",
    ];
    assert_eq!(ids, expected);
    for model in models {
        let id = model["id"].as_str().unwrap();
        assert_eq!(model["object"], "model");
        assert!(model["created"].is_u64() && model["owned_by"].is_string());
        for id in [id.to_owned(), id.replace('/', "%2F")] {
            let path = format!("/v1/models/{id}");
            let found = server.request("GET", &path).bearer(TOKEN).send();
            assert_eq!(found.json(), *model, "{path}");
        }
    }
    let path = "/v1/models/openclaw%2Fnobody";
    let unknown = server.request("GET", path).bearer(TOKEN).send();
    assert_eq!(unknown.status, 404);
    assert_eq!(error(&unknown)["code"], "model_not_found");
    let anonymous = server.request("GET", "/v1/models").send();
    assert_eq!(anonymous.status, 401);
}

#[test]
fn health_and_readiness_need_no_credential() {
    let server = server();
    let live = json!({ "ok": true, "status": "live" });
    let ready = json!({ "ready": true });
    for (path, state) in [
        ("/healthz", &live),
        ("/health", &live),
        ("/readyz", &ready),
        ("/ready", &ready),
    ] {
        let answer = server.request("GET", path).send();
        assert_eq!((answer.status, &answer.json()), (200, state), "{path}");
        let head = server.request("HEAD", path).send();
        assert_eq!((head.status, head.body), (200, Vec::new()), "{path}");
    }
}

#[test]
fn unknown_paths_get_404_and_wrong_methods_405() {
    let server = server();
    for (method, path, status, allow) in [
        ("GET", "/", 404, None),
        ("GET", "/v1/responses", 405, Some("POST")),
        ("GET", "/v1/embeddings", 405, Some("POST")),
        ("POST", "/v1/chat/completions/", 404, None),
        ("GET", "/v1/chat/completions", 405, Some("POST")),
        ("PUT", "/v1/chat/completions", 405, Some("POST")),
        ("DELETE", "/v1/models", 405, Some("GET, HEAD")),
        ("POST", "/v1/models/openclaw", 405, Some("GET, HEAD")),
        ("POST", "/healthz", 405, Some("GET, HEAD")),
        ("POST", "/readyz", 405, Some("GET, HEAD")),
    ] {
        // OpenAI's SDKs send this header.
        let request = server.request(method, path).bearer(TOKEN);
        let answer = request.header("Accept", "application/json").send();
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        assert_eq!(answer.headers.get("allow"), allow, "{method} {path}");
        assert_eq!(error(&answer)["type"], "invalid_request_error");
    }
}

#[test]
fn a_connection_is_reused_after_either_form() {
    let server = server();
    let mut socket = server.connect();
    let mut exchange = |request: Request| {
        let request = request.header("Connection", "keep-alive");
        socket.write_all(&request.bytes()).unwrap();
        let answer = Stream::open(socket.try_clone().unwrap(), "POST", Instant::now()).finish();
        assert!(answer.whole, "{answer:?}");
        answer
    };
    for _ in 0..2 {
        let whole = exchange(server.chat(&ask("/echo whole")));
        assert_eq!(reply_text(&whole.json()), "whole");
        let streamed = exchange(server.chat(&streamed(ask("/echo streamed"))));
        assert_eq!(text(&chunks(&streamed)), "streamed");
        let refused = exchange(server.chat(&json!([])));
        assert_eq!(refused.status, 400);
    }
}

#[test]
fn a_silent_stream_sends_heartbeats() {
    let server = Server::start("rehearsal", &config("stream: { heartbeat: '1s' }"));
    let mut stream = server
        .chat(&streamed(ask("/silence 3s\n/echo at last")))
        .open();
    let events = events(&mut stream);
    let silent = events.iter().take_while(|event| !is_text(event));
    let comments: Vec<_> = silent.filter(|event| event.data().is_none()).collect();
    // The first heartbeat is sent with the head, after one second.
    assert!((2..=4).contains(&comments.len()), "{events:?}");
    assert!(comments.iter().all(|comment| comment.text.starts_with(':')));
    for pair in comments.windows(2) {
        let pause = pair[1].at - pair[0].at;
        assert!(pause >= Duration::from_millis(900), "{events:?}");
    }
    assert!(comments[0].at < Duration::from_secs(2), "{events:?}");
    assert_eq!(events.last().unwrap().data().as_deref(), Some("[DONE]"));
}

#[test]
fn concurrent_streams_do_not_mix() {
    let server = server();
    let (server, ids) = (&server, 0..20);
    thread::scope(|scope| {
        let answers = ids.map(|id| {
            scope.spawn(move || {
                let words = format!("word-{id} ").repeat(10);
                let body = streamed(ask(&format!("/say {words}")));
                (words, server.chat(&body).send())
            })
        });
        let answers: Vec<_> = answers.collect();
        let answers = answers.into_iter().map(|answer| answer.join().unwrap());
        let names = answers.map(|(words, answer)| {
            let chunks = chunks(&answer);
            assert_eq!(text(&chunks), words);
            assert_eq!(finishes(&chunks), ["stop"]);
            chunks[0]["id"].to_string()
        });
        assert_eq!(names.collect::<BTreeSet<_>>().len(), 20);
    });
}

#[test]
fn every_response_has_a_unique_request_id() {
    let server = server();
    let models = server.request("GET", "/v1/models");
    let answers = [
        server.chat(&ask("/echo a")).send(),
        server.chat(&ask("/echo a")).send(),
        server.chat(&streamed(ask("/echo a"))).send(),
        server.chat(&ask("/fail failed")).send(),
        server.chat(&json!([])).send(),
        models.clone().send(),
        models.bearer(TOKEN).send(),
        server.request("GET", "/healthz").send(),
        server.request("GET", "/nowhere").send(),
        server.request("PUT", "/v1/models").send(),
    ];
    let ids: BTreeSet<_> = answers.iter().map(id).collect();
    assert_eq!(ids.len(), answers.len(), "{ids:?}");
    for answer in &answers {
        let record = server.access_log(&answer.headers);
        assert_eq!(record["request"], id(answer));
        assert_eq!(record["status"], answer.status, "{record}");
    }
}

fn id(answer: &Response) -> &str {
    let ids = answer.headers.all("x-request-id");
    let [id] = ids.as_slice() else {
        panic!("one id: {answer:?}");
    };
    assert!(is_hex(id.strip_prefix("req_").unwrap(), 32), "{id}");
    id
}
