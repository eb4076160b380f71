//! Callers without a credential: a trusted proxy's users, and anyone in mode `none`.

#![expect(clippy::indexing_slicing, reason = "a missing value fails the test")]

mod harness;

use harness::{Response, Server, ask, chunks, error, streamed, text};
use serde_json::json;

/// The header in which these tests set the peer's address, as a host does.
const PEER: &str = "x-test-peer";

const PROXY: (&str, &str) = (PEER, "10.0.0.7:4711");

const ANA: (&str, &str) = ("x-user", "ana@example.com");

const CLIENT: (&str, &str) = ("x-forwarded-for", "203.0.113.9");

fn server(auth: &str) -> Server {
    Server::start(
        "rehearsal",
        &format!(
            "{{ gateway: {{ auth: {auth}, trustedProxies: ['10.0.0.0/8'],
                 http: {{ endpoints: {{ chatCompletions: {{ enabled: true }} }} }} }},
               agents: {{ entries: {{ main: {{}} }} }},
               tidegate: {{ client: {{ peerHeader: '{PEER}' }},
                            cors: {{ origins: ['https://app.example.com'] }} }} }}"
        ),
    )
}

fn behind_proxy() -> Server {
    server("{ mode: 'trusted-proxy', trustedProxy: { userHeader: 'x-user' } }")
}

fn send(server: &Server, headers: &[(&str, &str)]) -> Response {
    let mut request = server.request("POST", "/v1/chat/completions");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let mut body = streamed(ask("where am I?"));
    body["user"] = json!("same");
    request.json(&body).send()
}

fn session(answer: &Response) -> String {
    let reply = text(&chunks(answer));
    let session = reply.split("session ").nth(1);
    session.unwrap_or_default().to_owned()
}

#[test]
fn a_proxys_user_has_separate_sessions() {
    let server = behind_proxy();
    let session_of = |user| session(&send(&server, &[PROXY, CLIENT, ("x-user", user)]));
    let ana = session_of("ana@example.com");
    assert!(ana.starts_with("agent:main:"), "{ana}");
    assert_eq!(session_of("ana@example.com"), ana);
    assert_ne!(session_of("bob@example.com"), ana);
    let named = ("x-openclaw-session-key", "shared");
    let named_by = |user| session(&send(&server, &[PROXY, CLIENT, ("x-user", user), named]));
    assert_ne!(named_by("ana@example.com"), named_by("bob@example.com"));
    let log = server.wait_for_log(|log| log.matches("user:").count() >= 5);
    assert!(!log.contains("ana@") && !log.contains("bob@"), "{log}");
}

#[test]
fn only_the_proxy_can_name_a_user() {
    let server = behind_proxy();
    assert_eq!(send(&server, &[PROXY, CLIENT, ANA]).status, 200);
    for (headers, status) in [
        (&[PROXY, CLIENT][..], 401),
        (&[PROXY, ANA], 401),
        (&[PROXY, CLIENT, ("authorization", "Bearer x")], 401),
        (&[PROXY, CLIENT, ANA, ("x-user", "bob")], 401),
        (&[(PEER, "192.0.2.1:80"), ANA], 401),
        (&[(PEER, "192.0.2.1:80"), CLIENT, ANA], 403),
        (&[CLIENT, ANA], 403),
        (&[PROXY, ("x-forwarded-for", "127.0.0.1"), ANA], 403),
        (&[PROXY, ("forwarded", "for=203.0.113.9"), ANA], 403),
        (
            &[PROXY, CLIENT, ANA, ("origin", "https://evil.example")],
            401,
        ),
    ] {
        let refused = send(&server, headers);
        assert_eq!(refused.status, status, "{headers:?}");
        error(&refused);
    }
    let page = ("origin", "https://app.example.com");
    assert_eq!(send(&server, &[PROXY, CLIENT, ANA, page]).status, 200);
}

#[test]
fn a_request_has_only_the_scopes_that_it_names() {
    let server = server("{ mode: 'none' }");
    let models = |scopes| {
        let request = server.request("GET", "/v1/models");
        request.header("x-openclaw-scopes", scopes).send().status
    };
    let run = |scopes| send(&server, &[("x-openclaw-scopes", scopes)]).status;
    for (scopes, may_list, may_run) in [
        ("", 403, 403),
        ("operator.pairing", 403, 403),
        ("operator.read", 200, 403),
        ("operator.write", 200, 200),
        ("operator.read, operator.admin", 200, 200),
    ] {
        assert_eq!(
            (models(scopes), run(scopes)),
            (may_list, may_run),
            "{scopes}"
        );
    }
    let model = ("x-openclaw-model", "other/model");
    assert_eq!(send(&server, &[model]).status, 200);
    let narrowed = send(&server, &[model, ("x-openclaw-scopes", "operator.write")]);
    assert_eq!(
        (narrowed.status, &error(&narrowed)["type"]),
        (403, &json!("forbidden"))
    );
}

#[test]
fn a_foreign_page_cannot_use_a_gateway_without_authentication() {
    let server = server("{ mode: 'none' }");
    let own = format!("http://{}", server.address());
    let same = [("origin", own.as_str()), ("sec-fetch-site", "same-origin")];
    assert_eq!(send(&server, &same).status, 200);
    for (origin, status) in [
        ("https://app.example.com", 200),
        ("https://evil.example", 401),
        ("null", 401),
    ] {
        assert_eq!(
            send(&server, &[("origin", origin)]).status,
            status,
            "{origin}"
        );
    }
}
