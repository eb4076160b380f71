//! `POST /v1/embeddings`: the rehearsal's vectors, OpenClaw's behind a scripted upstream, and
//! a gateway for runtimes without embeddings.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a missing value fails the test"
)]

mod harness;

use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::{Request, Response, Server, TOKEN, Upstream, config, error, refusal, refusal_with};
use serde_json::{Value, json};

/// The token that the runtime sends to the upstream.
const OWN_TOKEN: &str = "runtime-token-9c2a";

/// An API key for the agent `research` with at most two runs a day, and its digest.
const WEB: &str = "tg_web-3f0c";
const WEB_DIGEST: &str = "fd0b8bfac69429908865025c27669d055e2df76897ebe37a50b0ccd686dafda4";

/// A URL that refuses connections: no program listens on this system port.
const UNREACHABLE: &str = "http://127.0.0.1:1";

const EMBEDDINGS: &str = "/v1/embeddings";

fn rehearsal() -> Server {
    Server::start("rehearsal", &config(""))
}

fn openclaw(urls: &[&str]) -> Server {
    let urls = json!(urls);
    let runtime = format!("runtime: {{ urls: {urls}, token: '{OWN_TOKEN}' }}");
    Server::start("openclaw", &config(&runtime))
}

fn post(server: &Server, body: &Value) -> Request {
    let request = server.request("POST", EMBEDDINGS);
    request.bearer(TOKEN).json(body)
}

fn body(input: Value) -> Value {
    json!({ "model": "openclaw", "input": input })
}

fn vectors(answer: &Response) -> Vec<Vec<f64>> {
    assert_eq!(answer.status, 200, "{answer:?}");
    let document = answer.json();
    let data = document["data"].as_array().unwrap().iter();
    let numbers = |vector: &Value| {
        let numbers = vector["embedding"].as_array().unwrap().iter();
        numbers.map(|number| number.as_f64().unwrap()).collect()
    };
    data.map(numbers).collect()
}

/// OpenClaw's answer with these vectors.
fn answer(vectors: &[&[f64]]) -> Value {
    let data = vectors.iter().enumerate();
    let data: Vec<_> = data
        .map(|(n, vector)| json!({ "object": "embedding", "index": n, "embedding": vector }))
        .collect();
    json!({ "object": "list", "data": data, "model": "openclaw",
        "usage": { "prompt_tokens": 0, "total_tokens": 0 } })
}

fn answering(answer: &Value) -> Upstream {
    Upstream::script(refusal(200, &answer.to_string()))
}

#[test]
fn the_document_has_a_vector_for_each_text() {
    let server = rehearsal();
    let answer = post(&server, &body(json!(["one", "two three"]))).send();
    assert_eq!(
        answer.headers.get("content-type"),
        Some("application/json; charset=utf-8")
    );
    let both = vectors(&answer);
    assert_eq!((both.len(), both[0].len(), both[1].len()), (2, 16, 16));
    let document = answer.json();
    let members: Vec<_> = document.as_object().unwrap().keys().collect();
    assert_eq!(members, ["data", "model", "object", "usage"]);
    assert_eq!(
        (&document["object"], &document["model"]),
        (&json!("list"), &json!("openclaw"))
    );
    assert_eq!(
        document["usage"],
        json!({ "prompt_tokens": 3, "total_tokens": 3 })
    );
    for (n, embedding) in document["data"].as_array().unwrap().iter().enumerate() {
        assert_eq!(embedding["object"], "embedding");
        assert_eq!(embedding["index"], n);
    }
    let alone = vectors(&post(&server, &body(json!("two three"))).send());
    assert_eq!(alone, both[1..]);
    assert_ne!(both[0], both[1]);
    let line = server.access_log(&answer.headers);
    assert_eq!(
        (&line["agent"], &line["caller"]),
        (&json!("main"), &json!("owner"))
    );
    assert_eq!(line["usage"]["prompt_tokens"], 3);
    assert_eq!(line["session"], Value::Null);
    server.assert_unharmed(&[TOKEN, "two three"]);
}

#[test]
fn base64_has_the_numbers_in_32_bits() {
    let server = rehearsal();
    let mut request = body(json!(["one", "two"]));
    request["dimensions"] = json!(8);
    let plain = vectors(&post(&server, &request).send());
    request["encoding_format"] = json!("base64");
    let packed = post(&server, &request).send().json();
    for (n, plain) in plain.iter().enumerate() {
        let text = packed["data"][n]["embedding"].as_str().unwrap();
        let bytes = STANDARD.decode(text).unwrap();
        let numbers = bytes.chunks_exact(4);
        let numbers: Vec<_> = numbers
            .map(|number| f32::from_le_bytes(number.try_into().unwrap()))
            .collect();
        let plain: Vec<_> = plain.iter().map(|number| *number as f32).collect();
        assert_eq!(numbers, plain);
        assert_eq!(numbers.len(), 8);
    }
}

#[test]
fn the_largest_request_is_answered() {
    let server = rehearsal();
    let texts: Vec<_> = (0..128).map(|n| format!("{n:0512}")).collect();
    let mut request = body(json!(texts));
    request["dimensions"] = json!(2048);
    let answer = post(&server, &request).send();
    assert_eq!(vectors(&answer).len(), 128);
    server.assert_unharmed(&[]);
}

#[test]
fn a_request_is_checked_in_the_order_of_a_run() {
    let server = rehearsal();
    let anonymous = server.request("POST", EMBEDDINGS).json(&body(json!("a")));
    assert_eq!(anonymous.send().status, 401);
    let read = server.request("GET", EMBEDDINGS).bearer(TOKEN).send();
    assert_eq!(
        (read.status, read.headers.get("allow")),
        (405, Some("POST"))
    );
    for (request, param) in [
        (json!({ "input": "a" }), "model"),
        (json!({ "model": "gpt-4o", "input": "a" }), "model"),
        (json!({ "model": "openclaw/nope", "input": "a" }), "model"),
        (json!({ "model": "openclaw" }), "input"),
        (body(json!([1, 2])), "input"),
        (body(json!(["a", ""])), "input"),
        (body(json!(vec!["a"; 129])), "input"),
        (
            json!({ "model": "openclaw", "input": "a", "dimensions": 0 }),
            "dimensions",
        ),
        (
            json!({ "model": "openclaw", "input": "a", "encoding_format": "int8" }),
            "encoding_format",
        ),
    ] {
        let answer = post(&server, &request).send();
        assert_eq!(answer.status, 400, "{request}: {answer:?}");
        assert_eq!(error(&answer)["param"], param, "{request}");
    }
    server.assert_unharmed(&[TOKEN]);
}

#[test]
fn a_body_has_at_most_5_mib() {
    let server = rehearsal();
    let limit = 5 * 1024 * 1024;
    let mut text = body(json!("a")).to_string();
    text.push_str(&" ".repeat(limit - text.len()));
    let request = || server.request("POST", EMBEDDINGS).bearer(TOKEN);
    assert_eq!(request().body(text).send().status, 200);
    // The gateway answers before the body arrives.
    let declared = (limit + 1).to_string();
    let refused = request().header("Content-Length", &declared).send();
    assert_eq!(refused.status, 413, "{refused:?}");
}

#[test]
fn an_api_key_has_its_agents_its_headers_and_its_runs() {
    let key = format!(
        "keys: [{{ name: 'web', sha256: '{WEB_DIGEST}', agents: ['research'],
                   rate: {{ runsPerDay: 2 }} }}]"
    );
    let server = Server::builder("rehearsal-files")
        .config(&config(&key))
        .store();
    let server = server.start();
    let ask = |model: &str| {
        let request = json!({ "model": model, "input": "a" });
        server
            .request("POST", EMBEDDINGS)
            .bearer(WEB)
            .json(&request)
    };
    let hidden = ask("openclaw/main").send();
    assert_eq!(
        (hidden.status, error(&hidden)["param"].as_str()),
        (404, Some("model"))
    );
    let refused = ask("openclaw")
        .header("x-openclaw-model", "openai/small")
        .send();
    assert_eq!(refused.status, 403, "{refused:?}");
    for status in [200, 200, 429] {
        let answer = ask("openclaw").send();
        assert_eq!(answer.status, status, "{answer:?}");
    }
}

#[test]
fn a_failure_is_an_error_that_a_client_may_retry() {
    let server = rehearsal();
    for (text, status, retry_after) in [
        ("/fail busy 3", 429, Some("3")),
        ("/fail busy", 429, None),
        ("/fail unavailable", 502, None),
        ("/fail timed-out", 504, None),
        ("/fail failed", 502, None),
        ("/fail unknown-agent", 400, None),
    ] {
        let answer = post(&server, &body(json!(["a", text]))).send();
        assert_eq!(answer.status, status, "{text}: {answer:?}");
        error(&answer);
        assert_eq!(answer.headers.get("retry-after"), retry_after, "{text}");
        assert_eq!(answer.headers.get("x-should-retry"), None, "{text}");
    }
    server.assert_unharmed(&[]);
}

#[test]
fn openclaw_gets_one_request_and_its_numbers_reach_the_client() {
    let upstream = answering(&answer(&[&[0.125, -0.25], &[0.1, 1e-7]]));
    let server = openclaw(&[&upstream.url()]);
    let mut request = body(json!(["one", "two"]));
    request["model"] = json!("OpenClaw/Research");
    request["dimensions"] = json!(2);
    request["encoding_format"] = json!("float");
    let answer = post(&server, &request)
        .header("x-openclaw-model", "openai/small")
        .send();
    assert_eq!(
        answer.text(),
        r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.125,-0.25]},{"object":"embedding","index":1,"embedding":[0.1,1e-7]}],"model":"OpenClaw/Research","usage":{"prompt_tokens":0,"total_tokens":0}}"#
    );
    let requests = upstream.requests();
    let [sent] = requests.as_slice() else {
        panic!("{requests:?}");
    };
    assert_eq!(
        (sent.method.as_str(), sent.path.as_str()),
        ("POST", EMBEDDINGS)
    );
    let expected = json!({ "model": "openclaw/research", "input": ["one", "two"],
        "encoding_format": "float", "dimensions": 2 });
    assert_eq!(sent.json(), expected);
    for (name, value) in [
        ("authorization", format!("Bearer {OWN_TOKEN}")),
        ("x-openclaw-agent-id", "research".to_owned()),
        ("x-openclaw-model", "openai/small".to_owned()),
        ("content-type", "application/json".to_owned()),
        ("accept", "application/json".to_owned()),
    ] {
        assert_eq!(sent.headers.all(name), [value], "{name}");
    }
    assert_eq!(sent.headers.get("x-openclaw-session-key"), None);
    assert!(!format!("{sent:?}").contains(TOKEN), "{sent:?}");
    server.assert_unharmed(&[TOKEN, OWN_TOKEN]);
}

#[test]
fn wrong_vectors_are_never_sent() {
    let one: &[f64] = &[1.0];
    for (document, dimensions) in [
        (answer(&[one]), None),
        (answer(&[one, one, one]), None),
        (answer(&[one, &[1.0, 2.0]]), None),
        (answer(&[one, one]), Some(2)),
        (answer(&[one, &[1e300]]), None),
        (answer(&[&[], &[]]), None),
        (json!({ "data": "no" }), None),
    ] {
        let upstream = answering(&document);
        let server = openclaw(&[&upstream.url()]);
        let mut request = body(json!(["one", "two"]));
        if let Some(dimensions) = dimensions {
            request["dimensions"] = json!(dimensions);
        }
        let answer = post(&server, &request).send();
        assert_eq!(answer.status, 502, "{document}: {answer:?}");
        let line = server.access_log(&answer.headers);
        assert!(line["detail"].is_string(), "{line}");
        assert_eq!(upstream.requests().len(), 1);
    }
}

#[test]
fn an_openclaw_without_the_endpoint_is_a_404() {
    let not_found =
        "HTTP/1.1 404 Scripted\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nNot Found";
    let upstream = Upstream::script(vec![harness::Step::Write(not_found.into())]);
    let server = openclaw(&[&upstream.url()]);
    let answer = post(&server, &body(json!("a"))).send();
    assert_eq!(answer.status, 404, "{answer:?}");
    let error = error(&answer);
    assert_eq!(error["code"], "unknown_url");
    assert_eq!(error["message"], "The agent runtime has no embeddings.");
}

#[test]
fn openclaws_errors_reach_the_client_without_secrets() {
    let refused = |status: u16, message: &str| {
        let body = json!({ "error": { "message": message, "type": "invalid_request_error" } });
        let upstream = Upstream::script(refusal(status, &body.to_string()));
        let server = openclaw(&[&upstream.url()]);
        let answer = post(&server, &body_of("a")).send();
        let message = error(&answer)["message"].as_str().unwrap().to_owned();
        let log = server.access_log(&answer.headers);
        assert!(!log.to_string().contains(OWN_TOKEN), "{log}");
        (answer.status, message)
    };
    let allowed = "Unsupported embedding model reference.";
    assert_eq!(refused(400, allowed), (400, allowed.to_owned()));
    let (status, message) = refused(400, &format!("no {OWN_TOKEN}"));
    assert_eq!((status, message.as_str()), (400, "no [removed]"));
    let unable = "The agent runtime was not able to compute the embeddings.";
    assert_eq!(refused(500, "internal error"), (502, unable.to_owned()));
    assert_eq!(refused(401, "no").0, 502);
}

fn body_of(text: &str) -> Value {
    body(json!(text))
}

#[test]
fn a_response_over_its_limit_is_an_error() {
    let long = vec![0.123_456_789; 20_000];
    let upstream = answering(&answer(&[&long]));
    let server = openclaw(&[&upstream.url()]);
    let answer = post(&server, &body(json!("a"))).send();
    assert_eq!(answer.status, 502, "{answer:?}");
    server.assert_unharmed(&[]);
}

#[test]
fn another_backend_answers_if_one_cannot_be_reached() {
    let upstream = answering(&answer(&[&[0.5]]));
    let server = openclaw(&[UNREACHABLE, &upstream.url()]);
    for n in 0..8 {
        let answer = post(&server, &body(json!(n.to_string()))).send();
        assert_eq!(vectors(&answer), [[0.5]]);
    }
    assert_eq!(upstream.requests().len(), 8);
}

#[test]
fn a_backend_that_may_have_begun_is_not_followed_by_another() {
    let broken = [(); 2].map(|()| Upstream::script(refusal_with(500, "X-A: b")));
    let server = openclaw(&[&broken[0].url(), &broken[1].url()]);
    let answer = post(&server, &body(json!("a"))).send();
    assert_eq!(answer.status, 502, "{answer:?}");
    let requests = broken.iter().map(|upstream| upstream.requests().len());
    assert_eq!(requests.sum::<usize>(), 1);
}

#[test]
fn a_gateway_for_any_runtime_says_that_it_has_none() {
    let server = Server::builder("rehearsal").config(&config(""));
    let server = server.gateway("gateway").start();
    let answer = post(&server, &body(json!("a"))).send();
    assert_eq!(answer.status, 404, "{answer:?}");
    assert_eq!(
        error(&answer)["message"],
        "The agent runtime has no embeddings."
    );
    assert_eq!(post(&server, &body(json!(""))).send().status, 400);
    server.assert_unharmed(&[TOKEN]);
}

/// An instance serves several of them at once, and a failed allocation would end them all.
#[test]
fn many_large_requests_fit_the_memory_or_are_refused() {
    let vector = vec![0.012_345_678_901_234_567; 1536];
    let upstream = answering(&answer(&vec![vector.as_slice(); 128]));
    let runtime = format!("runtime: {{ url: '{}' }}", upstream.url());
    let server = Server::builder("openclaw").config(&config(&runtime));
    // What the budget of `src/inbound/budget.rs` and the components need.
    let server = server.argument("-Wmax-memory-size=134217728").start();
    let texts: Vec<_> = (0..128).map(|n| format!("{n:0512}")).collect();
    let request = body(json!(texts));
    let statuses: Vec<_> = thread::scope(|scope| {
        let sent: Vec<_> = (0..32)
            .map(|_| scope.spawn(|| post(&server, &request).send().status))
            .collect();
        sent.into_iter().map(|sent| sent.join().unwrap()).collect()
    });
    assert!(statuses.contains(&200), "{statuses:?}");
    let expected = statuses.iter().all(|status| [200, 503].contains(status));
    assert!(expected, "{statuses:?}");
    server.assert_unharmed(&[]);
}
