//! The permissions of API keys, as in the table of `docs/access.md`, and the
//! separation of tenants.

#![expect(clippy::indexing_slicing, reason = "a missing value fails the test")]

mod harness;

use harness::{Response, Server, ask, chunks, error, streamed, text};
use serde_json::{Value, json};

const ACCESS: &str = include_str!("../docs/access.md");

/// API keys and their SHA-256 digests.
const WEB: &str = "tg_web-3f0c";
const WEB_DIGEST: &str = "fd0b8bfac69429908865025c27669d055e2df76897ebe37a50b0ccd686dafda4";
const APP: &str = "tg_app-77aa";
const APP_DIGEST: &str = "d7bf394a7b0b887ab20eac5d2d4b7554bba56e66026063bfd8a75c0b3ab9094a";
const OLD: &str = "tg_old-90ff";
const OLD_DIGEST: &str = "bd92295117d2f66e615fb6ecb4b91d142bf5b88f382718077cb3a6f65c170c5f";

const SECRETS: [&str; 4] = [WEB, APP, OLD, harness::TOKEN];

/// Starts a gateway with a key that has almost no permission, a key that has all,
/// and a key that has expired.
fn server() -> Server {
    let keys = format!(
        "keys: [
            {{ name: 'web', sha256: '{WEB_DIGEST}', agents: ['research'], instructions: false, tools: ['f'] }},
            {{ name: 'app', sha256: '{APP_DIGEST}', agents: ['*'], sessions: true, channel: true, model: true }},
            {{ name: 'old', sha256: '{OLD_DIGEST}', agents: ['*'], expires: '2020-01-01' }},
        ]"
    );
    Server::start("rehearsal", &harness::config(&keys))
}

fn send(server: &Server, key: &str, header: Option<(&str, &str)>, body: &Value) -> Response {
    let mut request = server.request("POST", "/v1/chat/completions").bearer(key);
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    request.json(body).send()
}

/// Returns a request to the agent that every key may use.
fn research() -> Value {
    let mut body = ask("/echo ok");
    body["model"] = json!("openclaw/research");
    body
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn the_gateway_enforces_every_row_of_the_access_table() {
    let server = server();
    let with = |member: &str, value: Value| {
        let mut body = research();
        body[member] = value;
        body
    };
    let tool = json!([{ "type": "function", "function": { "name": "g" } }]);
    let instructed =
        json!([{ "role": "system", "content": "s" }, { "role": "user", "content": "/echo ok" }]);
    let cases = [
        (
            "agents",
            WEB,
            404,
            None,
            with("model", json!("openclaw/main")),
        ),
        (
            "sessions",
            WEB,
            403,
            Some(("x-openclaw-session-key", "mine")),
            research(),
        ),
        (
            "channel",
            WEB,
            403,
            Some(("x-openclaw-message-channel", "slack")),
            research(),
        ),
        (
            "model",
            WEB,
            403,
            Some(("x-openclaw-model", "a/b")),
            research(),
        ),
        ("instructions", WEB, 403, None, with("messages", instructed)),
        ("tools", WEB, 403, None, with("tools", tool)),
        ("expires", OLD, 401, None, research()),
    ];
    for (right, key, status, header, body) in cases {
        let row = ACCESS
            .lines()
            .find(|line| line.starts_with(&format!("| `{right}` |")));
        let row = row.unwrap_or_else(|| panic!("the table lacks {right}"));
        assert!(row.contains(&status.to_string()), "{row}");
        let refused = send(&server, key, header, &body);
        assert_eq!(refused.status, status, "{right}: {refused:?}");
        error(&refused);
        for key in [APP, harness::TOKEN] {
            assert_eq!(send(&server, key, header, &body).status, 200, "{right}");
        }
    }
    assert_eq!(send(&server, WEB, None, &research()).status, 200);
    server.assert_unharmed(&SECRETS);
}

#[test]
fn a_forbidden_agent_looks_like_an_unknown_one() {
    let server = server();
    let refused = |model: &str| {
        let mut body = research();
        body["model"] = json!(model);
        let answer = send(&server, WEB, None, &body);
        (
            answer.status,
            answer
                .text()
                .replace(model.rsplit('/').next().unwrap(), "*"),
        )
    };
    assert_eq!(refused("openclaw/main"), refused("openclaw/nowhere"));
    let list = server
        .request("GET", "/v1/models")
        .bearer(WEB)
        .send()
        .json();
    let models = list["data"].as_array().unwrap();
    let ids: Vec<_> = models
        .iter()
        .filter_map(|model| model["id"].as_str())
        .collect();
    assert_eq!(ids, ["openclaw", "openclaw/default", "openclaw/research"]);
    let main = server
        .request("GET", "/v1/models/openclaw/main")
        .bearer(WEB)
        .send();
    assert_eq!(main.status, 404);
}

#[test]
fn a_key_cannot_reach_another_keys_session() {
    let server = server();
    let session = |key: &str, header: Option<(&str, &str)>, user: Option<&str>| {
        let mut body = streamed(research());
        body["messages"] = json!([{ "role": "user", "content": "where am I?" }]);
        if let Some(user) = user {
            body["user"] = json!(user);
        }
        let reply = text(&chunks(&send(&server, key, header, &body)));
        reply.split("session ").nth(1).unwrap().to_owned()
    };
    let named = |name: &'static str| Some(("x-openclaw-session-key", name));
    let sessions = [
        session(WEB, None, Some("alice")),
        session(APP, None, Some("alice")),
        session(harness::TOKEN, None, Some("alice")),
        session(APP, named("alice"), None),
        session(harness::TOKEN, named("alice"), None),
        session(APP, Some(("x-openwebui-chat-id", "alice")), None),
        session(WEB, Some(("x-openwebui-chat-id", "alice")), None),
    ];
    for (n, one) in sessions.iter().enumerate() {
        assert!(!sessions[..n].contains(one), "{one} is shared");
    }
    let whole_name = "agent:research:openai-user:36bbd35de21fe0bc296bc879ace53dbc062881b752ea987be39c53299b166646";
    for key in [APP, harness::TOKEN] {
        let refused = send(
            &server,
            key,
            Some(("x-openclaw-session-key", whole_name)),
            &research(),
        );
        assert_eq!(refused.status, 400);
    }
    server.assert_unharmed(&SECRETS);
}

#[test]
fn wrong_keys_are_refused() {
    let server = server();
    for guess in [
        "tg_web-3f0",
        "tg_web-3f0c0",
        "TG_WEB-3F0C",
        WEB_DIGEST,
        "tg_",
        "",
    ] {
        let refused = send(&server, guess, None, &research());
        assert_eq!(refused.status, 401, "{guess}");
        assert_eq!(error(&refused)["type"], "unauthorized");
    }
    server.assert_unharmed(&SECRETS);
}
