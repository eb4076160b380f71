//! A caller with a restricted key that tries to hurt another caller: to take its places and
//! permits, to use its runtime or rights, to end its streams, or to fill what both share.

use std::fs;
use std::io::Write as _;
use std::thread;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::RUNTIME_TOKEN;
use crate::harness::{
    self, Request, Server, Stream, TOKEN, Upstream, ask, chunks, last_message, says, steps,
    streamed, text,
};

const ATTACKER: &str = "tg_attacker-51c0";
const VICTIM: &str = "tg_victim-77ab";

/// The header in which the host of these tests passes on its peer.
const PEER: &str = "x-test-peer";

/// The text of a run that lasts until the test ends it by another request.
const LONG: &str = "long";

/// A gateway in which each request has its own instance, with two keys and two runtimes.
struct Street {
    server: Server,
    own: Upstream,
    victims: Upstream,
}

impl Street {
    fn start() -> Self {
        let [own, victims] = [(); 2].map(|()| upstream());
        let document = document(&own, &victims);
        let server = Server::builder("openclaw-files").config(&document);
        Self {
            server: server.store().start(),
            own,
            victims,
        }
    }

    fn post(&self, key: &str, body: &Value) -> Request {
        let request = self.server.request("POST", "/v1/chat/completions");
        request.bearer(key).header(PEER, "203.0.113.9:1").json(body)
    }

    fn status(&self, key: &str, body: &Value) -> u16 {
        self.post(key, body).send().status
    }

    fn open(&self, key: &str) -> Stream {
        let stream = self.post(key, &streamed(ask(LONG))).open();
        assert_eq!(stream.status, 200, "{stream:?}");
        stream
    }

    /// Opens a stream, which may be refused because others have not left yet.
    fn open_or_refused(&self, key: &str) -> Stream {
        let stream = self.post(key, &streamed(ask(LONG))).open();
        assert!(matches!(stream.status, 200 | 429), "{stream:?}");
        stream
    }

    /// Asserts that the victim is served as if it were alone.
    fn assert_victim_served(&self) {
        let answer = self.post(VICTIM, &streamed(ask("Hi"))).send();
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(text(&chunks(&answer)), "Hello");
    }

    fn assert_unharmed(&self) {
        self.server
            .assert_unharmed(&[TOKEN, ATTACKER, VICTIM, RUNTIME_TOKEN]);
    }
}

fn upstream() -> Upstream {
    Upstream::start(|request, connection| {
        connection.open_events();
        if last_message(request) == LONG {
            connection.event(&says("begun"));
            connection.pause(harness::WAIT_LIMIT);
            return;
        }
        connection.event(&says("Hello"));
        connection.event(&harness::finish("stop"));
        connection.event("[DONE]");
        connection.send(steps::LAST_CHUNK);
    })
}

fn document(own: &Upstream, victims: &Upstream) -> String {
    let key = |name: &str, secret: &str, rest: &str| {
        let digest = tidegate::access::to_hex(&Sha256::digest(secret).into());
        format!("{{ name: '{name}', sha256: '{digest}', agents: ['research'], {rest} }}")
    };
    let rate = "rate: { requestsPerMinute: 1000, runsPerDay: 1000, concurrentRuns: 3 }";
    let keys = [
        key("web", ATTACKER, rate),
        key("web:1", VICTIM, &format!("{rate}, runtime: 'victims'")),
    ];
    harness::config(&format!(
        "client: {{ peerHeader: '{PEER}' }}, limits: {{ concurrentRuns: 6, body: 1000000 }},
         runtime: {{ url: '{}', token: '{RUNTIME_TOKEN}' }},
         runtimes: {{ victims: {{ url: '{}' }} }}, keys: [{}]",
        own.url(),
        victims.url(),
        keys.join(", ")
    ))
}

#[test]
fn one_key_cannot_take_the_places_of_another() {
    let street = Street::start();
    let _runs = [(); 3].map(|()| street.open(ATTACKER));
    for _ in 0..20 {
        assert_eq!(street.status(ATTACKER, &ask("Hi")), 429);
    }
    street.assert_victim_served();
    let _victims = [(); 3].map(|()| street.open(VICTIM));
    street.assert_unharmed();
}

#[test]
fn one_key_cannot_use_up_the_permits_of_another() {
    let street = Street::start();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..30 {
                    let models = street.server.request("GET", "/v1/models");
                    models.bearer(ATTACKER).header(PEER, "203.0.113.9:1").send();
                }
            });
        }
    });
    street.assert_victim_served();
    street.assert_unharmed();
}

#[test]
fn one_key_cannot_lock_out_another_at_its_address_without_being_there() {
    let street = Street::start();
    for _ in 0..30 {
        let request = street
            .server
            .request("GET", "/v1/models")
            .bearer("tg_wrong");
        let request = request.header(PEER, "198.51.100.7:1");
        let forged = request.header("X-Forwarded-For", "203.0.113.9");
        assert!(matches!(forged.send().status, 401 | 403 | 429));
    }
    street.assert_victim_served();
    street.assert_unharmed();
}

#[test]
fn no_request_chooses_another_runtime() {
    let street = Street::start();
    for name in ["runtime", "upstream", "backend"] {
        let mut body = ask("Hi");
        body[name] = json!("victims");
        body["metadata"] = json!({ name: "victims" });
        let request = street.post(ATTACKER, &body);
        let request = request.header(&format!("x-tidegate-{name}"), "victims");
        let request = request.header(&format!("x-openclaw-{name}"), "victims");
        assert!(request.send().status < 500);
    }
    for model in ["victims", "openclaw/victims", "victims/research"] {
        let mut body = ask("Hi");
        body["model"] = json!(model);
        assert!(
            (400..500).contains(&street.status(ATTACKER, &body)),
            "{model}"
        );
    }
    assert!(street.victims.requests().is_empty());
    street.assert_unharmed();
}

#[test]
fn no_request_widens_the_scopes_of_its_run() {
    let street = Street::start();
    for scopes in ["operator.admin", "operator.write, operator.admin", "*"] {
        let request = street.post(ATTACKER, &ask("Hi"));
        assert_eq!(
            request.header("X-OpenClaw-Scopes", scopes).send().status,
            200
        );
        let arrived = street.own.requests().pop().unwrap();
        let sent = arrived.headers.0.iter();
        let sent = sent.filter(|(name, _)| name.eq_ignore_ascii_case("x-openclaw-scopes"));
        let sent: Vec<_> = sent.map(|(_, value)| value.as_str()).collect();
        assert_eq!(sent, ["operator.write"], "{scopes}");
    }
    street.assert_unharmed();
}

#[test]
fn one_key_learns_nothing_of_the_gateway_from_its_health() {
    let street = Street::start();
    let health = street.server.request("GET", "/readyz").bearer(ATTACKER);
    let health = health.header(PEER, "203.0.113.9:1").send();
    assert_eq!(health.text(), r#"{"ready":true}"#);
    street.assert_unharmed();
}

#[test]
fn many_names_of_users_do_not_fill_the_store() {
    let street = Street::start();
    let count = || fs::read_dir(street.server.store()).unwrap().count();
    let send = |n: usize| {
        let mut body = ask("Hi");
        body["user"] = json!(format!("user {n}"));
        let request = street.post(ATTACKER, &body);
        let request = request.header("X-Conversation-Id", &format!("chat {n}"));
        assert_eq!(request.send().status, 200);
    };
    (0..5).for_each(send);
    let before = count();
    (5..60).for_each(send);
    // The runs have counters of places in two slots of half a minute, and the requests of two
    // minutes.
    assert!(count() < before + 30, "{before} {}", count());
    street.assert_unharmed();
}

#[test]
fn clients_that_leave_in_the_middle_keep_no_places() {
    let street = Street::start();
    let whole = street.post(ATTACKER, &ask("Hi")).bytes();
    for length in (0..whole.len()).step_by(7) {
        let mut socket = street.server.connect();
        socket.write_all(&whole[..length]).unwrap();
    }
    for _ in 0..20 {
        drop(street.open_or_refused(ATTACKER));
    }
    street.assert_victim_served();
    let begun = std::time::Instant::now();
    while street.status(ATTACKER, &ask("Hi")) != 200 {
        assert!(
            begun.elapsed() < harness::WAIT_LIMIT,
            "no place becomes free"
        );
    }
    street.assert_unharmed();
}

#[test]
fn large_and_broken_bodies_of_one_key_leave_streams_of_another_whole() {
    let street = Street::start();
    let mut victims = street.open(VICTIM);
    assert!(victims.data().is_some());
    let deep = format!("{{\"messages\":{}", "[".repeat(900_000));
    let wide = format!("{{\"messages\":[{}0]}}", "0,".repeat(400_000));
    let text = format!(
        "{{\"messages\":[{{\"content\":\"{}\"}}]}}",
        "\\u0000".repeat(150_000)
    );
    for body in [
        deep,
        wide,
        text,
        "x".repeat(2_000_000),
        "\u{feff}{".to_owned(),
    ] {
        let request = street.server.request("POST", "/v1/chat/completions");
        let request = request.bearer(ATTACKER).header(PEER, "203.0.113.9:1");
        let status = request.body(body).send().status;
        assert!((400..500).contains(&status), "{status}");
    }
    street.assert_victim_served();
    drop(victims);
    street.assert_unharmed();
}
