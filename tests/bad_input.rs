//! Bad input: the client gets an error with the right status, the log has one line
//! for it, neither contains a secret, and the gateway serves the next request.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a missing value fails the test"
)]

mod harness;

use std::io::Write as _;
use std::net::Shutdown;
use std::time::Instant;

use harness::{Request, Response, Server, Stream, TOKEN, ask, config, error, streamed};
use serde_json::{Value, json};

/// The largest body, in bytes.
const BODY_LIMIT: usize = 20 * 1024 * 1024;

/// The depth of the nesting bombs.
const DEPTH: usize = 100_000;

fn server() -> Server {
    Server::start("rehearsal", &config(""))
}

/// Prepares a request with the right token and any body.
fn post(server: &Server, body: impl Into<Vec<u8>>) -> Request {
    let request = server.request("POST", "/v1/chat/completions");
    request.bearer(TOKEN).body(body)
}

/// Asserts that a response is an error without secrets, that the log has one line
/// for it, and that the server goes on serving. Returns the error object.
fn refused(server: &Server, status: u16, answer: &Response) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(!format!("{answer:?}").contains(TOKEN), "{answer:?}");
    let error = error(answer);
    let record = server.access_log(&answer.headers);
    assert_eq!(record["status"], status, "{record}");
    assert_eq!(record["error"], error["message"], "{record}");
    assert_serving(server);
    error
}

fn assert_serving(server: &Server) {
    let good = server.chat(&ask("/echo still here")).send();
    assert_eq!(good.status, 200, "{good:?}");
    server.assert_unharmed(&[TOKEN]);
}

/// Returns the text of a successful reply.
fn reply_text(answer: &Response) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    let completion = answer.json();
    let text = completion["choices"][0]["message"]["content"].as_str();
    text.unwrap().to_owned()
}

/// Nests a value `DEPTH` times.
fn nested(open: &str, inmost: &str, close: &str) -> String {
    [&open.repeat(DEPTH), inmost, &close.repeat(DEPTH)].concat()
}

#[test]
fn a_body_that_is_not_a_json_object_is_refused() {
    let server = server();
    for body in [
        "not json",
        "{",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]} {}",
        "{'messages':[]}",
        "{\"messages\":[],}",
        "[]",
        "[{\"role\":\"user\",\"content\":\"x\"}]",
        "null",
        "true",
        "7",
        "\"text\"",
    ] {
        let error = refused(&server, 400, &post(&server, body).send());
        assert_eq!(error["type"], "invalid_request_error", "{body}");
        assert_eq!(error["param"], Value::Null, "{body}");
    }
}

#[test]
fn a_request_without_a_usable_message_is_refused() {
    let server = server();
    for body in [
        "",
        "{}",
        "{\"model\":\"openclaw\"}",
        "{\"messages\":[]}",
        "{\"messages\":[{}]}",
        "{\"messages\":[1,null,\"x\"]}",
        "{\"messages\":[{\"role\":\"user\"}]}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"  \"}]}",
        "{\"messages\":[{\"role\":\"user\",\"content\":7}]}",
        "{\"messages\":[{\"role\":\"nobody\",\"content\":\"x\"}]}",
        "{\"messages\":[{\"role\":\"system\",\"content\":\"x\"}]}",
    ] {
        let error = refused(&server, 400, &post(&server, body).send());
        let param = error["param"].as_str().unwrap();
        assert!(param.starts_with("messages"), "{body}: {param}");
    }
}

/// Returns members of a request, each with a value of a wrong type or out of range.
fn wrong_values() -> Vec<(&'static str, Value)> {
    let tools = [
        ("tools", json!({})),
        ("tools", json!([1])),
        ("tools", json!([{ "type": "custom" }])),
        ("tools", json!([{ "type": "function", "function": {} }])),
        ("tool_choice", json!(1)),
        ("tool_choice", json!("sometimes")),
        ("tool_choice", json!("required")),
    ];
    let plain = [
        ("model", json!(1)),
        ("model", Value::Null),
        ("stream", json!("true")),
        ("stream_options", json!(true)),
        ("messages", json!({})),
        ("messages", json!("Hello")),
        ("messages", Value::Null),
        ("user", json!(7)),
        ("user", json!({})),
        ("max_tokens", json!("10")),
        ("max_tokens", json!(0)),
        ("max_tokens", json!(1.5)),
        ("max_completion_tokens", json!([])),
        ("max_completion_tokens", json!(-1)),
        ("temperature", json!("hot")),
        ("temperature", json!(2.1)),
        ("top_p", json!(true)),
        ("top_p", json!(-0.1)),
        ("frequency_penalty", json!({})),
        ("presence_penalty", json!(3)),
        ("seed", json!("x")),
        ("seed", json!(0.5)),
        ("stop", json!(1)),
        ("stop", json!(["a", 1])),
        ("stop", json!(["a", "b", "c", "d", "e"])),
        ("response_format", json!("json")),
        ("response_format", json!({ "type": "xml" })),
    ];
    plain.into_iter().chain(tools).collect()
}

#[test]
fn a_wrong_type_is_refused_and_the_error_names_the_member() {
    let server = server();
    for (member, value) in wrong_values() {
        let mut body = ask("Hello");
        body[member] = value;
        // The error has its own status even if the client requests a stream.
        for body in [body.clone(), streamed(body)] {
            if member == "stream" && body["stream"] == json!(true) {
                continue;
            }
            let answer = server.chat(&body).send();
            let error = refused(&server, 400, &answer);
            assert_eq!(error["type"], "invalid_request_error", "{body}");
            assert_eq!(error["param"], member, "{body}");
        }
    }
    let mut body = streamed(ask("Hello"));
    body["stream_options"] = json!({ "include_usage": 1 });
    let error = refused(&server, 400, &server.chat(&body).send());
    assert_eq!(error["param"], "stream_options.include_usage");
}

#[test]
fn a_declared_length_over_the_limit_is_refused_unread() {
    let server = server();
    let size = BODY_LIMIT + 1;
    let request = post(&server, "").header("Content-Length", &size.to_string());
    // Only the head is sent: a server that reads the body first never responds.
    let answer = request.send();
    assert!(!answer.body.is_empty());
    refused(&server, 413, &answer);
}

#[test]
fn a_chunked_body_over_the_limit_is_refused() {
    let server = server();
    let head = post(&server, "").header("Transfer-Encoding", "chunked");
    let mut socket = server.connect();
    socket.write_all(&head.bytes()).unwrap();
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
    for _ in 0..BODY_LIMIT / 0x10000 {
        socket.write_all(&chunk).unwrap();
    }
    // This byte exceeds the limit, and the body does not end after it.
    socket.write_all(b"1\r\n{\r\n").unwrap();
    let answer = Stream::open(socket, "POST", Instant::now()).finish();
    refused(&server, 413, &answer);
}

#[test]
fn a_body_of_exactly_the_limit_is_accepted() {
    let server = server();
    let mut body = ask("/echo just so").to_string().into_bytes();
    body.resize(BODY_LIMIT, b' ');
    assert_eq!(reply_text(&post(&server, body).send()), "just so");
    assert_serving(&server);
}

#[test]
fn an_incomplete_body_is_refused() {
    let server = server();
    let whole = ask("Hello").to_string();
    let (half, _) = whole.split_at(whole.len() / 2);
    for (framing, value, body) in [
        ("Content-Length", whole.len().to_string(), half.to_owned()),
        (
            "Transfer-Encoding",
            "chunked".into(),
            format!("ff\r\n{half}"),
        ),
    ] {
        let request = post(&server, body).header(framing, &value);
        let mut socket = server.connect();
        socket.write_all(&request.bytes()).unwrap();
        socket.shutdown(Shutdown::Write).unwrap();
        let answer = Stream::open(socket, "POST", Instant::now()).finish();
        let error = refused(&server, 400, &answer);
        assert!(error["message"].as_str().unwrap().contains("incomplete"));
    }
}

#[test]
fn missing_bodies_do_not_block_other_requests() {
    let server = server();
    let request = post(&server, "{").header("Content-Length", "100");
    let mut sockets: Vec<_> = (0..8).map(|_| server.connect()).collect();
    for socket in &mut sockets {
        socket.write_all(&request.bytes()).unwrap();
    }
    assert_serving(&server);
}

#[test]
fn a_nesting_bomb_does_no_harm_in_any_member() {
    let server = server();
    let arrays = nested("[", "", "]");
    let objects = nested("{\"a\":", "1", "}");
    let in_message =
        |member: &str| format!("{{\"messages\":[{{\"role\":\"user\",\"{member}\":{arrays}}}]}}");
    let beside = |member: &str| {
        format!("{{\"messages\":[{{\"role\":\"user\",\"content\":\"x\"}}],{member}}}")
    };
    let tool = |schema: &str| {
        let function = format!("{{\"name\":\"f\",\"parameters\":{schema}}}");
        beside(&format!(
            "\"tools\":[{{\"type\":\"function\",\"function\":{function}}}]"
        ))
    };
    let call = format!(
        "{{\"messages\":[{{\"role\":\"user\",\"content\":\"x\"}},{{\"role\":\"assistant\",\
         \"tool_calls\":[{{\"id\":\"c\",\"function\":{{\"name\":\"f\",\"arguments\":{objects}}}}}]}}]}}"
    );
    for (place, status, body) in [
        ("root of arrays", 400, arrays.clone()),
        ("root of objects", 400, objects.clone()),
        ("unclosed arrays", 400, "[".repeat(DEPTH)),
        ("unclosed objects", 400, "{\"a\":".repeat(DEPTH)),
        ("20 MiB of brackets", 400, "[".repeat(BODY_LIMIT)),
        ("messages", 400, format!("{{\"messages\":{arrays}}}")),
        ("a message", 400, in_message("content")),
        ("a role", 400, in_message("role")),
        ("parameters", 400, tool(&objects)),
        ("a tool", 400, beside(&format!("\"tools\":{arrays}"))),
        ("stop", 400, beside(&format!("\"stop\":{arrays}"))),
        ("user", 400, beside(&format!("\"user\":{objects}"))),
        (
            "an ignored member",
            200,
            beside(&format!("\"metadata\":{objects}")),
        ),
        (
            "an ignored list",
            200,
            beside(&format!("\"logit_bias\":{arrays}")),
        ),
        ("a call's arguments", 200, call),
    ] {
        let answer = post(&server, body).send();
        assert_eq!(answer.status, status, "{place}: {answer:?}");
        if status != 200 {
            refused(&server, status, &answer);
        }
    }
    assert_serving(&server);
}

#[test]
fn missing_and_wrong_tokens_get_the_same_error() {
    let server = server();
    let body = ask("Hello");
    let request = || server.request("POST", "/v1/chat/completions").json(&body);
    let (half, _) = TOKEN.split_at(TOKEN.len() / 2);
    let mut texts = Vec::new();
    for request in [
        request(),
        request().bearer("wrong"),
        request().bearer(half),
        request().bearer(&TOKEN.to_uppercase()),
        request().bearer(&format!("{TOKEN}x")),
        request().header("Authorization", TOKEN),
        request().header("Authorization", "Bearer "),
        request().header("Authorization", ""),
        request().header("Authorization", &format!("Basic {TOKEN}")),
        request().header("X-Api-Key", TOKEN),
        request().bearer(&"x".repeat(64 * 1024)),
    ] {
        let answer = request.send();
        let error = refused(&server, 401, &answer);
        assert_eq!(answer.headers.get("www-authenticate"), Some("Bearer"));
        assert_eq!(error["code"], "invalid_api_key");
        texts.push(answer.body);
    }
    texts.dedup();
    assert_eq!(texts.len(), 1);
    assert!(!server.log().contains("wrong"));
}

#[test]
fn a_request_is_authenticated_before_its_body_is_read() {
    let server = server();
    let request = server.request("POST", "/v1/chat/completions");
    let size = (BODY_LIMIT + 1).to_string();
    let answer = request.header("Content-Length", &size).send();
    refused(&server, 401, &answer);
    let answer = server
        .request("POST", "/v1/chat/completions")
        .body("no json")
        .send();
    refused(&server, 401, &answer);
}

#[test]
fn the_bearer_scheme_is_case_insensitive() {
    let server = server();
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let request = server.request("POST", "/v1/chat/completions");
        let request = request.header("Authorization", &format!("{scheme} {TOKEN}"));
        let answer = request.json(&ask("/echo in")).send();
        assert_eq!(reply_text(&answer), "in", "{scheme}");
    }
}

#[test]
fn a_body_that_is_not_utf8_is_refused_and_lone_surrogates_are_replaced() {
    let server = server();
    let request = |text: &[u8]| {
        let open = br#"{"messages":[{"role":"user","content":"/echo "#.as_slice();
        post(&server, [open, text, br#""}]}"#].concat()).send()
    };
    for (text, expected) in [
        (b"a\xffb".as_slice(), ""),
        (b"a\xe2\x82b", ""),
        (br"a\ud800b", "a\u{fffd}b"),
        (br"a\udc00b", "a\u{fffd}b"),
        (br"\ud83d\ude42", "🙂"),
        (b"a\x00b", ""),
    ] {
        let answer = request(text);
        if expected.is_empty() {
            // JSON allows neither other encodings nor bare control characters.
            refused(&server, 400, &answer);
        } else {
            assert_eq!(reply_text(&answer), expected);
        }
    }
    assert_serving(&server);
}

#[test]
fn a_long_or_malformed_header_is_refused_and_the_error_names_it() {
    let server = server();
    for (name, value) in [
        ("x-openclaw-session-key", "k".repeat(4097)),
        ("x-openclaw-session-key", "k".repeat(64 * 1024)),
        ("x-openclaw-model", "m".repeat(257)),
        ("x-openclaw-model", "/".to_owned()),
        ("x-openclaw-model", "é".to_owned()),
        ("x-openclaw-message-channel", "c".repeat(257)),
    ] {
        let answer = server.chat(&ask("Hello")).header(name, &value).send();
        let error = refused(&server, 400, &answer);
        assert_eq!(error["param"], name, "{value:.20}");
    }
}

#[test]
fn an_oversized_head_does_no_harm() {
    let server = server();
    // The host rejects these requests itself, without calling the component.
    let many = (0..500).fold(server.chat(&ask("Hello")), |request, n| {
        request.header(&format!("X-Many-{n}"), "x")
    });
    let answer = server.raw(many.bytes());
    assert!(answer.starts_with(b"HTTP/1.1 431 "), "{answer:?}");
    let huge = "x".repeat(1024 * 1024);
    let request = server.chat(&ask("Hello")).header("X-Huge", &huge);
    // The host may close the connection before the whole request is sent.
    drop(server.connect().write_all(&request.bytes()));
    assert_serving(&server);
}

#[test]
fn bytes_that_are_not_http_do_no_harm() {
    let server = server();
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice(),
        b"GET\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: -1\r\nHost: a\r\n\r\n",
        b"POST /v1/chat/completions HTTP/9.9\r\n\r\n",
    ] {
        let mut socket = server.connect();
        drop(socket.write_all(bytes));
        drop(socket.shutdown(Shutdown::Write));
        drop(socket);
    }
    assert_serving(&server);
}
