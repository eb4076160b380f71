//! Attacks: requests that try to gain access, data or resources. The tests check both
//! the response and the request that arrives at a scripted upstream behind
//! runtime-openclaw.
//!
//! ```text
//! smuggling    heads that two parsers could read differently
//! framing      bodies whose end two parsers could read differently
//! credentials  credentials in valid and invalid spellings
//! tenants      access to sessions of other tenants
//! addresses    brute force from forged client addresses
//! users        impersonation of a trusted proxy's users
//! agents       access to agents that a key may not use
//! roles        instructions from keys that may not send them
//! sizes        oversized names, values and heads
//! origins      cross-origin requests from web pages
//! forwarding   the headers and members that reach the upstream
//! secrets      secrets in responses, log and requests to the upstream
//! raw          requests as bytes
//! neighbours   a key against the places, permits, rights and streams of another
//! leaky        an upstream whose responses quote its requests
//! ```

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a missing value fails the test"
)]

#[path = "../harness/mod.rs"]
mod harness;

mod addresses;
mod agents;
mod credentials;
mod forwarding;
mod framing;
mod leaky;
mod neighbours;
mod origins;
mod raw;
mod roles;
mod secrets;
mod sizes;
mod smuggling;
mod tenants;
mod users;

use harness::{RecordedRequest, Request, Response, Server, TOKEN, Upstream, ask, error, steps};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The token that the runtime sends to the upstream.
const RUNTIME_TOKEN: &str = "runtime-token-51d0";

/// A key that may use the agent `research` and may not name sessions.
const WEB: &str = "tg_web-8a1f";
/// Keys whose names begin with the name of the first key.
const WEB2: &str = "tg_web2-b07c";
const WEB_APP: &str = "tg_web-app-11de";
/// A key that may use `research` and name sessions.
const NAMER: &str = "tg_namer-e2c4";
/// A key with every permission.
const APP: &str = "tg_app-c55b";
/// A key that may send neither instructions nor tools.
const MUTE: &str = "tg_mute-40aa";
/// A key that has expired.
const OLD: &str = "tg_old-6d93";

/// A gateway with several tenants, and an upstream that replies `Hello` to every
/// request.
struct Stage {
    server: Server,
    upstream: Upstream,
}

impl Stage {
    fn start() -> Self {
        Self::start_with("")
    }

    /// Starts gateway and upstream with further members of `tidegate`.
    fn start_with(members: &str) -> Self {
        let upstream = hello_upstream();
        let config = format!("{}, {members}", tenants_and(&upstream));
        let server = Server::start("openclaw", &harness::config(&config));
        Self { server, upstream }
    }

    /// Prepares a chat completion with a key.
    fn post(&self, key: &str) -> Request {
        self.server
            .request("POST", "/v1/chat/completions")
            .bearer(key)
    }

    /// Returns the number of runs that reached the upstream.
    fn runs(&self) -> usize {
        self.upstream.requests().len()
    }

    /// Sends a request. Asserts that it succeeds as one run, and returns the request to
    /// the upstream.
    fn served(&self, request: Request) -> RecordedRequest {
        let before = self.runs();
        let answer = request.send();
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(self.runs(), before + 1);
        self.upstream.requests().pop().unwrap()
    }

    /// Sends a request. Asserts that it is refused without a run, and returns the error
    /// object.
    fn refused(&self, status: u16, request: Request) -> Value {
        let before = self.runs();
        let answer = request.send();
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(self.runs(), before, "{answer:?}");
        error(&answer)
    }

    fn assert_unharmed(&self) {
        let secrets = [
            TOKEN,
            RUNTIME_TOKEN,
            WEB,
            WEB2,
            WEB_APP,
            NAMER,
            APP,
            MUTE,
            OLD,
        ];
        self.server.assert_unharmed(&secrets);
    }
}

/// Starts an upstream that replies `Hello` to every request.
fn hello_upstream() -> Upstream {
    Upstream::start(|_, connection| {
        connection.open_events();
        connection.event(r#"{"choices":[{"index":0,"delta":{"content":"Hello"}}]}"#);
        connection.event(r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#);
        connection.event("[DONE]");
        connection.send(steps::LAST_CHUNK);
    })
}

/// Returns the members of `tidegate` for the keys and the runtime.
fn tenants_and(upstream: &Upstream) -> String {
    let key = |name, secret, rights| {
        let digest = Sha256::digest(secret);
        let digest = tidegate::access::to_hex(&digest.into());
        format!("{{ name: '{name}', sha256: '{digest}', {rights} }}")
    };
    let all = "agents: ['*'], sessions: true, channel: true, model: true";
    let keys = [
        key("web", WEB, "agents: ['research']"),
        key("web2", WEB2, "agents: ['research']"),
        key("web:app", WEB_APP, "agents: ['research']"),
        key("namer", NAMER, "agents: ['research'], sessions: true"),
        key("app", APP, all),
        key(
            "mute",
            MUTE,
            "agents: ['*'], instructions: false, tools: []",
        ),
        key("old", OLD, &format!("{all}, expires: '2020-01-01'")),
    ];
    let url = upstream.url();
    let keys = keys.join(",\n");
    format!("keys: [{keys}], runtime: {{ url: '{url}', token: '{RUNTIME_TOKEN}' }}")
}

/// Returns a request to the agent that every key may use.
fn research() -> Value {
    let mut body = ask("Hi");
    body["model"] = json!("openclaw/research");
    body
}

/// Returns the session key of a request to the upstream.
fn session(arrived: &RecordedRequest) -> &str {
    arrived.headers.get("x-openclaw-session-key").unwrap()
}

/// Returns the text of an error.
fn message(answer: &Response) -> String {
    error(answer)["message"].as_str().unwrap().to_owned()
}
