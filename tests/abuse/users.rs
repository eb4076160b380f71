//! Users of a trusted proxy: no client can impersonate the proxy, and different user
//! names have separate sessions.

use serde_json::json;

use crate::harness::{Response, Server, ask, chunks, streamed, text};

/// The header in which these tests set the peer's address, as a host does.
const PEER: &str = "X-Test-Peer";

const PROXY: (&str, &str) = (PEER, "10.0.0.7:1");

const CLIENT: (&str, &str) = ("X-Forwarded-For", "203.0.113.9");

fn server() -> Server {
    Server::start(
        "rehearsal",
        &format!(
            "{{ gateway: {{ trustedProxies: ['10.0.0.0/8', '127.0.0.1'],
                 auth: {{ mode: 'trusted-proxy', token: 'unused-token-1f',
                          trustedProxy: {{ userHeader: 'X-User', requiredHeaders: ['X-Proof'] }} }},
                 http: {{ endpoints: {{ chatCompletions: {{ enabled: true }} }} }} }},
               agents: {{ entries: {{ main: {{}} }} }},
               tidegate: {{ client: {{ peerHeader: '{PEER}' }} }} }}"
        ),
    )
}

fn send(server: &Server, user: Option<&str>, headers: &[(&str, &str)]) -> Response {
    let mut request = server.request("POST", "/v1/chat/completions");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let mut body = streamed(ask("where am I?"));
    if let Some(user) = user {
        body["user"] = json!(user);
    }
    request.json(&body).send()
}

fn session(answer: &Response) -> String {
    let reply = text(&chunks(answer));
    reply.split("session ").nth(1).unwrap().to_owned()
}

#[test]
fn a_client_cannot_impersonate_the_proxy() {
    let server = server();
    let proof = ("X-Proof", "yes");
    let ana = ("X-User", "ana");
    assert_eq!(
        send(&server, None, &[PROXY, CLIENT, proof, ana]).status,
        200
    );
    for (headers, status) in [
        (&[ana, proof][..], 401),
        (&[CLIENT, ana, proof], 403),
        (&[(PEER, "203.0.113.9:1"), ana, proof], 401),
        (&[(PEER, "203.0.113.9:1"), CLIENT, ana, proof], 403),
        (&[PROXY, (PEER, "203.0.113.9:1"), CLIENT, ana, proof], 403),
        (&[(PEER, "10.0.0.7, 203.0.113.9"), CLIENT, ana, proof], 403),
        (&[(PEER, "127.0.0.1:1"), CLIENT, ana, proof], 401),
        (&[(PEER, "[::ffff:127.0.0.1]:1"), CLIENT, ana, proof], 401),
        (&[PROXY, ana, proof], 401),
        (&[PROXY, CLIENT, ana], 401),
        (&[PROXY, CLIENT, ana, ("X-Proof", " ")], 401),
        (&[PROXY, CLIENT, proof, ("X-User", "")], 401),
        (&[PROXY, CLIENT, proof, ("X_User", "ana")], 401),
        (&[PROXY, CLIENT, proof, ana, ("x-user", "ana")], 401),
        (
            &[
                PROXY,
                CLIENT,
                proof,
                ("Authorization", "Bearer unused-token-1f"),
            ],
            401,
        ),
    ] {
        let answer = send(&server, None, headers);
        assert_eq!(answer.status, status, "{headers:?}: {answer:?}");
    }
}

#[test]
fn every_user_name_has_separate_sessions() {
    let server = server();
    let long = "n".repeat(256);
    let names = [
        "ana", "Ana", "an", "ana,bob", "ana:x", "user:ana", "key:ana", "owner", "anyone", &long,
    ];
    let mut sessions: Vec<String> = Vec::new();
    for name in names {
        let sent = [PROXY, CLIENT, ("X-Proof", "yes"), ("X-User", name)];
        let named = [&sent[..], &[("X-OpenClaw-Session-Key", "trip")]].concat();
        for answer in [
            send(&server, Some("ana"), &sent),
            send(&server, Some("x:ana"), &sent),
            send(&server, None, &named),
        ] {
            let session = session(&answer);
            assert!(!sessions.contains(&session), "{name}: {session}");
            sessions.push(session);
        }
        let again = session(&send(&server, Some("ana"), &sent));
        assert!(sessions.contains(&again), "{name}");
    }
    let too_long = format!("{long}n");
    let sent = [PROXY, CLIENT, ("X-Proof", "yes"), ("X-User", &*too_long)];
    assert_eq!(send(&server, None, &sent).status, 401);
    let log = server.wait_for_log(|log| log.matches("\"status\":401").count() > 0);
    for name in ["ana", "Ana", &long] {
        assert!(!log.contains(&format!("user:{name}\"")), "{log}");
    }
}
