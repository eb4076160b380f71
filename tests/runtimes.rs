//! Several runtimes: which one carries out a run, and that a run never leaves it.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a missing value fails the test"
)]

mod harness;

use harness::{RecordedRequest, Request, Server, TOKEN, Upstream, ask, error, hello_upstream};
use serde_json::json;

/// API keys and their SHA-256 digests.
const WEB: &str = "tg_web-3f0c";
const WEB_DIGEST: &str = "fd0b8bfac69429908865025c27669d055e2df76897ebe37a50b0ccd686dafda4";
const APP: &str = "tg_app-c55b";

/// A port on which no program listens.
const UNREACHABLE: &str = "http://127.0.0.1:1";

fn digest(key: &str) -> String {
    use sha2::{Digest as _, Sha256};
    let digest: [u8; 32] = Sha256::digest(key).into();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The key `web` has the runtime `acme`, and the agent `lab` has the runtime `science`.
fn config(default: &str, acme: &str, science: &str, agents: &str) -> String {
    format!(
        "{{ gateway: {{ auth: {{ token: '{TOKEN}' }},
             http: {{ endpoints: {{ chatCompletions: {{ enabled: true }} }} }} }},
           agents: {{ entries: {{ {agents} }} }},
           tidegate: {{
             runtime: {{ url: '{default}', token: 'default-token-1' }},
             runtimes: {{ acme: {{ url: '{acme}', token: 'acme-token-2' }},
                          science: {{ url: '{science}', agents: ['lab'] }} }},
             keys: [
               {{ name: 'web', sha256: '{WEB_DIGEST}', agents: ['*'], runtime: 'acme' }},
               {{ name: 'app', sha256: '{}', agents: ['*'] }},
             ] }} }}",
        digest(APP)
    )
}

const AGENTS: &str = "main: {}, lab: {}";

/// A gateway with three runtimes.
struct Stage {
    server: Server,
    default: Upstream,
    acme: Upstream,
    science: Upstream,
}

impl Stage {
    fn start() -> Self {
        let [default, acme, science] = [(); 3].map(|()| hello_upstream());
        let config = config(&default.url(), &acme.url(), &science.url(), AGENTS);
        Self {
            server: Server::start("openclaw", &config),
            default,
            acme,
            science,
        }
    }

    fn post(&self, key: &str, agent: &str) -> Request {
        let mut body = ask("Hi");
        body["model"] = json!(format!("openclaw/{agent}"));
        let request = self.server.request("POST", "/v1/chat/completions");
        request.bearer(key).json(&body)
    }

    /// Returns the numbers of requests at the default runtime, `acme` and `science`.
    fn counts(&self) -> [usize; 3] {
        [&self.default, &self.acme, &self.science].map(|upstream| upstream.requests().len())
    }
}

fn last(upstream: &Upstream) -> RecordedRequest {
    upstream.requests().pop().expect("a request")
}

#[test]
fn the_runtime_of_a_key_precedes_that_of_the_agent_and_the_default() {
    let stage = Stage::start();
    let mut expected = [0; 3];
    for (key, agent, at) in [
        (TOKEN, "main", 0),
        (TOKEN, "lab", 2),
        (APP, "main", 0),
        (APP, "lab", 2),
        (WEB, "main", 1),
        (WEB, "lab", 1),
    ] {
        let answer = stage.post(key, agent).send();
        assert_eq!(answer.status, 200, "{answer:?}");
        expected[at] += 1;
        assert_eq!(stage.counts(), expected, "{key} {agent}");
        let line = stage.server.access_log(&answer.headers);
        let runtime = [None, Some("acme"), Some("science")][at];
        assert_eq!(line["runtime"].as_str(), runtime);
    }
    stage.server.assert_unharmed(&[TOKEN, WEB, "acme-token-2"]);
}

#[test]
fn a_runtime_gets_its_own_token_and_no_other() {
    let stage = Stage::start();
    for (key, agent) in [(TOKEN, "main"), (WEB, "main"), (TOKEN, "lab")] {
        assert_eq!(stage.post(key, agent).send().status, 200);
    }
    let token = |upstream| {
        let request = last(upstream);
        request.headers.get("authorization").map(str::to_owned)
    };
    assert_eq!(
        token(&stage.default).as_deref(),
        Some("Bearer default-token-1")
    );
    assert_eq!(token(&stage.acme).as_deref(), Some("Bearer acme-token-2"));
    assert_eq!(token(&stage.science), None);
}

#[test]
fn only_the_owners_runs_have_all_scopes() {
    let stage = Stage::start();
    for (key, agent, upstream, scopes) in [
        (TOKEN, "main", &stage.default, None),
        (APP, "main", &stage.default, Some("operator.write")),
        (WEB, "main", &stage.acme, Some("operator.write")),
    ] {
        assert_eq!(stage.post(key, agent).send().status, 200);
        let request = last(upstream);
        assert_eq!(request.headers.get("x-openclaw-scopes"), scopes, "{key}");
    }
}

#[test]
fn a_run_never_leaves_its_runtime() {
    let [default, science] = [(); 2].map(|()| hello_upstream());
    let document = config(&default.url(), UNREACHABLE, &science.url(), AGENTS);
    let document = document.replace("token: 'acme-token-2'", "failover: 'all'");
    let server = Server::start("openclaw", &document);
    for _ in 0..3 {
        let request = server.request("POST", "/v1/chat/completions").bearer(WEB);
        let answer = request.json(&ask("Hi")).send();
        assert_eq!(answer.status, 502, "{answer:?}");
        assert!(!error(&answer)["message"].to_string().contains("127.0.0.1"));
    }
    assert!(default.requests().is_empty() && science.requests().is_empty());
}

#[test]
fn without_configured_agents_a_caller_sees_those_of_its_runtime() {
    let listing = |agent: &str| {
        let document = json!({ "object": "list", "data": [{ "id": format!("openclaw/{agent}") }] });
        let document = document.to_string();
        Upstream::start(move |_, connection| {
            connection.answer(200, "application/json", &document);
        })
    };
    let (default, acme) = (listing("one"), listing("two"));
    let document = config(&default.url(), &acme.url(), UNREACHABLE, "");
    let server = Server::start("openclaw", &document);
    for (key, own, other) in [
        (TOKEN, "one", "two"),
        (WEB, "two", "one"),
        (APP, "one", "two"),
    ] {
        let models = server.request("GET", "/v1/models").bearer(key).send();
        assert_eq!(models.status, 200, "{models:?}");
        assert!(models.text().contains(&format!("openclaw/{own}")), "{key}");
        assert!(
            !models.text().contains(&format!("openclaw/{other}")),
            "{key}"
        );
    }
}

#[test]
fn the_runtime_learns_the_upstream_and_the_authority() {
    let document = config(UNREACHABLE, UNREACHABLE, UNREACHABLE, AGENTS);
    let server = Server::start("rehearsal", &document);
    for (key, upstream, authority) in [
        (TOKEN, None, "owner"),
        (APP, None, "restricted"),
        (WEB, Some("acme"), "restricted"),
    ] {
        let request = server.request("POST", "/v1/chat/completions").bearer(key);
        let answer = request.json(&ask("/request")).send().json();
        let text = answer["choices"][0]["message"]["content"].as_str();
        let dump: serde_json::Value =
            serde_json::from_str(text.unwrap_or_default()).unwrap_or_default();
        assert_eq!(dump["upstream"].as_str(), upstream, "{dump}");
        assert_eq!(dump["authority"], authority, "{dump}");
    }
}
