//! Brute force from forged client addresses: an attacker can neither escape a lockout
//! nor lock out another client.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use super::WEB;
use crate::harness::{Request, Server, TOKEN, ask, error};

/// The header in which these tests set the peer's address, as a host does.
const PEER: &str = "X-Test-Peer";

const FORWARDED: &str = "X-Forwarded-For";

/// The default number of failed attempts before a lockout.
const ATTEMPTS: usize = 10;

/// A gateway behind proxies in `10.0.0.0/8`, whose instances share a store.
struct Gateway {
    server: Server,
    folder: PathBuf,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

impl Gateway {
    fn start(name: &str, client: &str) -> Self {
        let name = format!("abuse-{}-{name}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        let config = format!(
            "{{ gateway: {{ auth: {{ token: '{TOKEN}' }}, trustedProxies: ['10.0.0.0/8'],
                 http: {{ endpoints: {{ chatCompletions: {{ enabled: true }} }} }} }},
               agents: {{ entries: {{ main: {{}} }} }},
               tidegate: {{ client: {{ peerHeader: '{PEER}', {client} }} }} }}"
        );
        let server = Server::builder("rehearsal-files")
            .config(&config)
            .argument("--max-instance-reuse-count=1")
            .argument(&format!("--dir={}::/store", folder.display()))
            .start();
        Self { server, folder }
    }

    fn post(&self, credential: &str, headers: &[(&str, &str)]) -> Request {
        let request = self.server.request("POST", "/v1/chat/completions");
        let request = request.bearer(credential).json(&ask("/echo ok"));
        let add = |request: Request, (name, value): &(&str, &str)| request.header(name, value);
        headers.iter().fold(request, add)
    }

    fn status(&self, credential: &str, headers: &[(&str, &str)]) -> u16 {
        self.post(credential, headers).send().status
    }

    /// Makes as many failed attempts as allowed. All headers identify the same client.
    fn use_up_attempts(&self, from: &[&[(&str, &str)]]) {
        for n in 0..ATTEMPTS {
            let guess = format!("guess-{n}");
            let headers = from[n % from.len()];
            assert_eq!(self.status(&guess, headers), 401, "{headers:?}");
        }
    }
}

#[test]
fn ten_failed_attempts_lock_out_an_address_even_with_the_right_credential() {
    let gateway = Gateway::start("ten", "");
    let attacker = [(PEER, "203.0.113.9:4711")];
    gateway.use_up_attempts(&[&attacker]);
    for credential in ["guess-11", TOKEN, WEB, ""] {
        let locked = gateway.post(credential, &attacker).send();
        assert_eq!(locked.status, 429, "{locked:?}");
        assert_eq!(error(&locked)["type"], "rate_limited");
        let after = locked.headers.get("retry-after").unwrap();
        assert!(
            (1..=300).contains(&after.parse::<u32>().unwrap()),
            "{after}"
        );
    }
    let models = gateway.server.request("GET", "/v1/models").bearer(TOKEN);
    assert_eq!(models.header(PEER, "203.0.113.9:1").send().status, 429);
    for other in [
        "203.0.113.8:4711",
        "203.0.113.90:4711",
        "[2001:db8::9]:4711",
    ] {
        assert_eq!(gateway.status(TOKEN, &[(PEER, other)]), 200, "{other}");
    }
}

#[test]
fn another_notation_of_an_address_is_the_same_address() {
    let gateway = Gateway::start("spelling", "");
    gateway.use_up_attempts(&[
        &[(PEER, "203.0.113.9:1")],
        &[(PEER, "203.0.113.9:65535")],
        &[(PEER, "203.0.113.9")],
        &[(PEER, " 203.0.113.9:2 ")],
        &[(PEER, "::ffff:203.0.113.9")],
        &[(PEER, "[::FFFF:203.0.113.9]:3")],
        &[(PEER, "[::ffff:cb00:7109]:3")],
    ]);
    assert_eq!(gateway.status(TOKEN, &[(PEER, "203.0.113.9:4")]), 429);
    // A client with one IPv6 address has its whole /64 network.
    gateway.use_up_attempts(&[
        &[(PEER, "[2001:db8:0:7::1]:1")],
        &[(PEER, "[2001:DB8::7:ffff:0:0:1]:1")],
        &[(PEER, "2001:db8:0:7:1:2:3:4")],
    ]);
    assert_eq!(
        gateway.status(TOKEN, &[(PEER, "[2001:db8:0:7:8::]:1")]),
        429
    );
    assert_eq!(gateway.status(TOKEN, &[(PEER, "[2001:db8:0:8::1]:1")]), 200);
}

#[test]
fn concurrent_failed_attempts_lock_out_their_address() {
    let gateway = Gateway::start("at-once", "");
    let attacker = [(PEER, "203.0.113.9:1")];
    thread::scope(|scope| {
        for n in 0..3 * ATTEMPTS {
            let gateway = &gateway;
            scope.spawn(move || gateway.status(&format!("guess-{n}"), &attacker));
        }
    });
    assert_eq!(gateway.status(TOKEN, &attacker), 429);
}

#[test]
fn an_untrusted_peer_cannot_forge_a_client_address() {
    let gateway = Gateway::start("no-proxy", "");
    let peer = (PEER, "203.0.113.9:1");
    for forged in [
        (FORWARDED, "198.51.100.1"),
        ("x-forwarded-for", "10.0.0.1"),
        ("X-Forwarded-Proto", "https"),
        ("X-Real-IP", "198.51.100.1"),
        ("Forwarded", "for=198.51.100.1"),
    ] {
        for credential in ["guess", TOKEN] {
            for _ in 0..ATTEMPTS {
                assert_eq!(
                    gateway.status(credential, &[peer, forged]),
                    403,
                    "{forged:?}"
                );
            }
        }
    }
    // These are failed attempts of neither the peer nor the forged address.
    assert_eq!(gateway.status(TOKEN, &[peer]), 200);
    assert_eq!(gateway.status(TOKEN, &[(PEER, "198.51.100.1:1")]), 200);
}

#[test]
fn behind_a_proxy_only_the_address_that_it_added_counts() {
    let gateway = Gateway::start("behind", "");
    let proxy = (PEER, "10.0.0.7:1");
    // The proxy appends an address. Every address before it comes from the client and
    // may be forged.
    gateway.use_up_attempts(&[
        &[proxy, (FORWARDED, "203.0.113.9")],
        &[proxy, (FORWARDED, "198.51.100.1, 203.0.113.9")],
        &[proxy, (FORWARDED, "198.51.100.2,203.0.113.9, 10.0.0.8")],
        &[proxy, (FORWARDED, "unknown, 203.0.113.9:80")],
        &[
            proxy,
            (FORWARDED, "198.51.100.3"),
            (FORWARDED, "203.0.113.9"),
        ],
        &[proxy, (FORWARDED, "127.0.0.1, 203.0.113.9")],
        &[
            proxy,
            (FORWARDED, "203.0.113.9"),
            ("X-Real-IP", "198.51.100.1"),
        ],
    ]);
    let client = [proxy, (FORWARDED, "198.51.100.1, 203.0.113.9")];
    assert_eq!(gateway.status(TOKEN, &client), 429);
    assert_eq!(
        gateway.status(TOKEN, &[proxy, (FORWARDED, "198.51.100.1")]),
        200
    );
    // A client can lock out neither another client nor the proxy.
    assert_eq!(gateway.status(TOKEN, &[(PEER, "198.51.100.1:1")]), 200);
    assert_eq!(gateway.status(TOKEN, &[proxy]), 200);
    for invalid in [
        "",
        "unknown",
        "203.0.113",
        "203.0.113.9, x",
        "127.0.0.1",
        "::1",
    ] {
        let refused = gateway.status(TOKEN, &[proxy, (FORWARDED, invalid)]);
        assert_eq!(refused, 403, "{invalid}");
    }
}

#[test]
fn a_client_cannot_preset_the_headers_of_host_and_proxy() {
    let gateway = Gateway::start("twice", "addressHeader: 'X-Edge-Client'");
    // A host that adds a header instead of replacing it leaves two.
    for twice in [
        [(PEER, "10.0.0.7:1"), (PEER, "203.0.113.9:1")],
        [(PEER, "203.0.113.9:1"), (PEER, "203.0.113.9:1")],
        [(PEER, ""), (PEER, "203.0.113.9:1")],
    ] {
        for credential in ["guess", TOKEN] {
            assert_eq!(gateway.status(credential, &twice), 403, "{twice:?}");
        }
    }
    let proxy = (PEER, "10.0.0.7:1");
    let edge = |address| ("X-Edge-Client", address);
    assert_eq!(gateway.status(TOKEN, &[proxy, edge("203.0.113.9")]), 200);
    for twice in [
        [proxy, edge("198.51.100.1"), edge("203.0.113.9")],
        [proxy, edge("203.0.113.9"), edge("")],
    ] {
        assert_eq!(gateway.status(TOKEN, &twice), 403, "{twice:?}");
    }
    // From an untrusted peer, the header is ignored.
    let peer = (PEER, "192.0.2.1:1");
    gateway.use_up_attempts(&[&[peer, edge("198.51.100.1")], &[peer, edge("198.51.100.2")]]);
    assert_eq!(gateway.status(TOKEN, &[peer, edge("198.51.100.3")]), 429);
}
