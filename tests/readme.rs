//! The README is true: its commands run, and print what it shows.

mod harness;

use std::process::Command;

use harness::Server;

const README: &str = include_str!("../README.md");

/// The configuration and the token with which `cargo xtask up` starts.
fn up() -> Server {
    let server = Server::builder("rehearsal").config(include_str!("../tidegate.json5"));
    server.env("OPENCLAW_GATEWAY_TOKEN", "tidegate-dev").start()
}

/// Returns the fenced blocks of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let opening = format!("```{language}\n");
    let blocks = README.split(&opening).skip(1);
    blocks
        .filter_map(|block| block.split("\n```").next())
        .collect()
}

/// Leaves out what is different each time.
fn timeless(line: &str) -> String {
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
fn the_curl_line_streams_what_is_shown_below_it() {
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
    let mut printed_lines = printed.lines().map(timeless);
    for line in shown.lines() {
        assert_eq!(printed_lines.next(), Some(timeless(line)), "{printed}");
    }
    assert!(printed.ends_with("data: [DONE]\n\n"), "{printed}");
}

#[test]
fn every_configuration_key_is_known() {
    let rows = README.lines().filter(|line| line.starts_with("| `"));
    let first_cells = rows.filter_map(|row| row.split('|').nth(1));
    let names = first_cells.flat_map(|cell| cell.split('`'));
    let keys: Vec<_> = names
        .filter_map(|name| name.strip_prefix("tidegate."))
        .collect();
    assert!(keys.len() > 7, "{keys:?}");
    // A value of a wrong type: a known key says what it wants instead.
    let nested = keys.iter().map(|key| {
        let depth = key.matches('.').count();
        let path = key.replace('.', ": { ");
        format!("{path}: 7{}", " }".repeat(depth))
    });
    for (key, nested) in keys.iter().zip(nested) {
        let config = format!(
            "{{ gateway: {{ auth: {{ mode: 'none' }}, http: {{ endpoints: {{ chatCompletions: {{ enabled: true }} }} }} }}, tidegate: {{ {nested} }} }}"
        );
        let runtime = if key.starts_with("runtime.") {
            "openclaw"
        } else {
            "rehearsal"
        };
        let server = Server::start(runtime, &config);
        let body = r#"{"messages":[{"role":"user","content":"/echo x"}]}"#;
        let answer = server
            .request("POST", "/v1/chat/completions")
            .body(body)
            .send();
        assert_eq!(answer.status, 500, "{key}");
        let fault = format!("tidegate.{key}: must be");
        server.wait_for_log(|log| log.contains(&fault));
    }
}
