//! Limits of concurrent runs, of a key and of the gateway, over all instances.

mod harness;

use std::io::{Read as _, Write as _};
use std::time::Instant;

use harness::{
    Request, Server, Stream, TOKEN, Upstream, WAIT_LIMIT, ask, error, finish, says, streamed,
};

/// An API key and its SHA-256.
const WEB: &str = "tg_web-3f0c";
const WEB_DIGEST: &str = "fd0b8bfac69429908865025c27669d055e2df76897ebe37a50b0ccd686dafda4";

/// The texts of requests: a run that lasts until its client leaves, and one that ends.
const LONG: &str = "long";
const SHORT: &str = "short";

/// The key may have two runs, and the gateway three.
fn config(upstream: &Upstream) -> String {
    format!(
        "{{ gateway: {{ auth: {{ token: '{TOKEN}' }},
             http: {{ endpoints: {{ chatCompletions: {{ enabled: true }} }} }} }},
           agents: {{ entries: {{ main: {{}} }} }},
           tidegate: {{ runtime: {{ url: '{}' }}, limits: {{ concurrentRuns: 3 }},
             keys: [{{ name: 'web', sha256: '{WEB_DIGEST}', agents: ['main'],
                       rate: {{ concurrentRuns: 2 }} }}] }} }}",
        upstream.url()
    )
}

fn upstream() -> Upstream {
    Upstream::start(|request, connection| {
        connection.open_events();
        connection.event(&says("begun"));
        if harness::last_message(request) == LONG && connection.pause(WAIT_LIMIT) {
            return;
        }
        connection.event(&finish("stop"));
        connection.event("[DONE]");
        connection.end();
    })
}

fn post(server: &Server, key: &str, text: &str) -> Request {
    let request = server.request("POST", "/v1/chat/completions").bearer(key);
    request.json(&streamed(ask(text)))
}

/// Prepares a request without streaming.
fn whole(server: &Server, key: &str) -> Request {
    let request = server.request("POST", "/v1/chat/completions").bearer(key);
    request.json(&ask(SHORT))
}

fn open(server: &Server, key: &str) -> Stream {
    let stream = post(server, key, LONG).open();
    assert_eq!(stream.status, 200, "{stream:?}");
    stream
}

fn short(server: &Server, key: &str) -> u16 {
    post(server, key, SHORT).send().status
}

/// Waits until a short run is answered.
fn wait_for_place(server: &Server, key: &str) {
    let begun = Instant::now();
    while short(server, key) != 200 {
        assert!(begun.elapsed() < WAIT_LIMIT, "no place becomes free");
    }
}

/// Starts a gateway in which each request has its own instance.
fn server(upstream: &Upstream) -> Server {
    let config = config(upstream);
    Server::builder("openclaw-files")
        .config(&config)
        .store()
        .start()
}

#[test]
fn a_run_beyond_the_limit_of_its_key_is_refused_with_the_reason() {
    let upstream = upstream();
    let server = server(&upstream);
    let first = open(&server, WEB);
    let _second = open(&server, WEB);
    for request in [post(&server, WEB, SHORT), whole(&server, WEB)] {
        let refused = request.send();
        assert_eq!(refused.status, 429, "{refused:?}");
        assert_eq!(refused.headers.get("retry-after"), Some("1"));
        let error = error(&refused);
        assert_eq!(error["code"], "rate_limit_exceeded");
        let message = error["message"].as_str().unwrap_or_default();
        assert!(message.contains("2 concurrent runs"), "{message}");
    }
    // Other requests of the key, and other callers, go on.
    let models = server.request("GET", "/v1/models").bearer(WEB).send();
    assert_eq!(models.status, 200);
    assert_eq!(short(&server, TOKEN), 200);
    // A client that leaves ends its run.
    drop(first);
    wait_for_place(&server, WEB);
    server.assert_unharmed(&[TOKEN, WEB]);
}

#[test]
fn a_run_beyond_the_limit_of_the_gateway_is_refused_for_every_caller() {
    let upstream = upstream();
    let server = server(&upstream);
    let _runs = [
        open(&server, WEB),
        open(&server, TOKEN),
        open(&server, TOKEN),
    ];
    for key in [WEB, TOKEN] {
        let refused = post(&server, key, SHORT).send();
        assert_eq!(refused.status, 429, "{refused:?}");
        let message = error(&refused)["message"].to_string();
        assert!(message.contains("The gateway is limited to 3"), "{message}");
    }
    server.assert_unharmed(&[TOKEN, WEB]);
}

#[test]
fn every_end_of_a_request_frees_its_place() {
    let upstream = upstream();
    let server = server(&upstream);
    for _ in 0..5 {
        assert_eq!(short(&server, WEB), 200);
        let whole = whole(&server, WEB).send();
        assert_eq!(whole.status, 200, "{whole:?}");
        let broken = server.request("POST", "/v1/chat/completions").bearer(WEB);
        assert_eq!(broken.body("{").send().status, 400);
    }
    server.assert_unharmed(&[TOKEN, WEB]);
}

#[test]
fn an_upload_has_a_place_before_its_body_is_read() {
    let upstream = upstream();
    let server = server(&upstream);
    let request = post(&server, WEB, SHORT).header("Expect", "100-continue");
    let request = request.bytes();
    let uploads = [(); 2].map(|()| {
        let mut socket = server.connect();
        let (begin, _) = request.split_at(request.len() - 1);
        socket.write_all(begin).unwrap();
        // The host sends it when the gateway reads the body.
        let mut begins = [0; 12];
        socket.read_exact(&mut begins).unwrap();
        assert_eq!(&begins, b"HTTP/1.1 100");
        socket
    });
    assert_eq!(short(&server, WEB), 429);
    drop(uploads);
    wait_for_place(&server, WEB);
    server.assert_unharmed(&[TOKEN, WEB]);
}
