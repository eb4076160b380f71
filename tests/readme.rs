//! The commands of the README print the output that it shows.

mod harness;

use std::process::Command;

use harness::Server;

const README: &str = include_str!("../README.md");

/// Starts a server with the configuration and the token of `cargo xtask up`.
fn up() -> Server {
    let server = Server::builder("rehearsal").config(include_str!("../tidegate.json5"));
    server.env("OPENCLAW_GATEWAY_TOKEN", "tidegate-dev").start()
}

/// Returns the fenced code blocks of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let opening = format!("```{language}\n");
    let blocks = README.split(&opening).skip(1);
    blocks
        .filter_map(|block| block.split("\n```").next())
        .collect()
}

/// Removes the ids and times of a line.
fn without_ids(line: &str) -> String {
    let without = |line: &str, from: &str, to: &str| match line.split_once(from) {
        Some((before, rest)) => match rest.split_once(to) {
            Some((_, after)) => format!("{before}{after}"),
            None => line.to_owned(),
        },
        None => line.to_owned(),
    };
    without(&without(line, "\"id\":\"", "\","), "\"created\":", ",")
}

#[test]
fn the_curl_command_prints_the_output_shown_below_it() {
    let server = up();
    let line = blocks("sh")
        .into_iter()
        .find(|block| block.starts_with("curl "));
    let line = line
        .expect("a curl line")
        .replace("127.0.0.1:3000", &server.address().to_string());
    let curl = Command::new("sh")
        .args(["-c", &line])
        .output()
        .expect("curl runs");
    let printed = String::from_utf8_lossy(&curl.stdout);
    let shown = blocks("text").swap_remove(0);
    let mut printed_lines = printed.lines().map(without_ids);
    for line in shown.lines() {
        assert_eq!(printed_lines.next(), Some(without_ids(line)), "{printed}");
    }
    assert!(printed.ends_with("data: [DONE]\n\n"), "{printed}");
}
