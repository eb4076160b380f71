//! `cargo xtask serve` as a process: it becomes the host, and the list of processes
//! shows no secret.

#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "a missing value fails the test")]

mod harness;

use std::fs;

use harness::{Server, config};

/// More bytes than Linux allows in an environment variable.
const LONG: usize = 200 * 1024;

/// Returns the command line of a server's process.
fn arguments(server: &Server) -> String {
    let file = format!("/proc/{}/cmdline", server.process());
    let bytes = fs::read(file).expect("its arguments");
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}

#[test]
fn serve_becomes_the_host_and_its_arguments_contain_no_secret() {
    let document = config(
        "runtime: { token: '${UPSTREAM_SECRET}' }, session: { secret: 'pepper-and-salt-1b7d' }",
    );
    let server = Server::builder("rehearsal").config(&document);
    let server = server.env("UPSTREAM_SECRET", "upstream-9c3e").start();
    let arguments = arguments(&server);
    assert!(arguments.contains("--addr=127.0.0.1:0"), "{arguments}");
    assert!(arguments.contains("--env=UPSTREAM_SECRET "), "{arguments}");
    for secret in [harness::TOKEN, "upstream-9c3e", "pepper-and-salt-1b7d"] {
        assert!(!arguments.contains(secret), "{secret}: {arguments}");
    }
    let children = format!("/proc/{0}/task/{0}/children", server.process());
    assert_eq!(fs::read_to_string(children).unwrap(), "");
}

#[test]
fn a_configuration_may_be_longer_than_a_variable() {
    let document = format!("{} // {}", config(""), "x".repeat(LONG));
    let server = Server::start("rehearsal", &document);
    server.assert_unharmed(&[harness::TOKEN]);
}
