//! Abuse: what somebody sends who wants what is not theirs, and what becomes
//! of it. Whatever the gateway lets through is looked at where it arrives, at a
//! scripted upstream behind runtime-openclaw.
//!
//! ```text
//! smuggling  heads that two readers could read differently
//! framing    bodies whose end they could
//! bearers    credentials in odd spellings
//! tenants    the sessions of others
//! addresses  guesses from addresses that are not one's own
//! users      people whom a proxy names
//! agents     the agents of others
//! roles      instructions from those who may not give them
//! sizes      too much of everything
//! pages      web pages that use the browsers of others
//! passage    what reaches the upstream, header by header
//! secrets    what must not be found in any byte that is written
//! raw        requests as bytes
//! traitor    an upstream that gives away what it was sent
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

/// The token by which the runtime component calls the upstream.
const RUNTIME_TOKEN: &str = "runtime-token-51d0";

/// The key of a tenant that may use the agent `research` and name nothing.
const WEB: &str = "tg_web-8a1f";
/// Keys of tenants whose names begin like the first one's.
const WEB2: &str = "tg_web2-b07c";
const WEB_APP: &str = "tg_web-app-11de";
/// The key of a tenant that may use `research` and name sessions.
const NAMER: &str = "tg_namer-e2c4";
/// The key of a tenant that may do all that a key may.
const APP: &str = "tg_app-c55b";
/// The key of a tenant that may neither instruct nor offer tools.
const MUTE: &str = "tg_mute-40aa";
/// A key that has expired.
const OLD: &str = "tg_old-6d93";

/// A gateway for many tenants, and the upstream behind it, which says `Hello`
/// to everyone.
struct Stage {
    server: Server,
    upstream: Upstream,
}

impl Stage {
    fn set() -> Self {
        Self::set_with("")
    }

    /// Sets the stage with further members of `tidegate`.
    fn set_with(members: &str) -> Self {
        let upstream = hello_upstream();
        let config = format!("{}, {members}", tenants_and(&upstream));
        let server = Server::start("openclaw", &harness::config(&config));
        Self { server, upstream }
    }

    /// Prepares a chat completion by the holder of a key.
    fn post(&self, key: &str) -> Request {
        self.server
            .request("POST", "/v1/chat/completions")
            .bearer(key)
    }

    /// Returns how many runs there were.
    fn runs(&self) -> usize {
        self.upstream.requests().len()
    }

    /// Sends what must be served, and returns the one request that it became.
    fn served(&self, request: Request) -> RecordedRequest {
        let before = self.runs();
        let answer = request.send();
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(self.runs(), before + 1);
        self.upstream.requests().pop().unwrap()
    }

    /// Sends what must be refused without a run, and returns the error object.
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

/// An upstream that says `Hello` to everyone.
fn hello_upstream() -> Upstream {
    Upstream::start(|_, connection| {
        connection.open_events();
        connection.event(r#"{"choices":[{"index":0,"delta":{"content":"Hello"}}]}"#);
        connection.event(r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#);
        connection.event("[DONE]");
        connection.send(steps::LAST_CHUNK);
    })
}

/// Returns the members of `tidegate` that name the tenants and the runtime.
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

/// Returns a request to the agent that every key here may use.
fn research() -> Value {
    let mut body = ask("Hi");
    body["model"] = json!("openclaw/research");
    body
}

/// Returns the session that a request reached.
fn session(arrived: &RecordedRequest) -> &str {
    arrived.headers.get("x-openclaw-session-key").unwrap()
}

/// Returns the text of an error.
fn message(answer: &Response) -> String {
    error(answer)["message"].as_str().unwrap().to_owned()
}
