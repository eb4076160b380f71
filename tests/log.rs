//! The access log, as documented in `docs/log.md`.

mod harness;

use std::collections::BTreeSet;

use harness::{Server, ask, streamed};
use serde_json::{Value, json};

const PAGE: &str = include_str!("../docs/log.md");

fn fields(record: &Value) -> BTreeSet<&str> {
    let members = record.as_object().map(serde_json::Map::keys);
    members.into_iter().flatten().map(String::as_str).collect()
}

fn documented() -> BTreeSet<&'static str> {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split('`').next()).collect()
}

#[test]
fn the_access_log_has_the_documented_fields() {
    let server = Server::start("rehearsal", &harness::config(""));
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let mut seen = BTreeSet::new();
    for mut body in [ask("/echo hello"), streamed(ask("/echo hello"))] {
        body["user"] = json!("alice");
        let request = server.chat(&body);
        let traceparent = format!("00-{trace}-00f067aa0ba902b7-01");
        let answer = request.header("traceparent", &traceparent).send();
        let record = server.access_log(&answer.headers);
        assert_eq!(record["caller"], "owner");
        assert_eq!(record["agent"], "main");
        assert_eq!(record["trace"], trace);
        assert_eq!(record["status"], 200);
        assert_eq!(record["finish"], "stop");
        assert!(record["usage"]["total_tokens"].is_u64(), "{record}");
        assert!(record["session"].is_string(), "{record}");
        let first = record["first_event_ms"].as_u64();
        assert!(first.is_some() && first <= record["duration_ms"].as_u64());
        assert!(!record.to_string().contains("alice"), "{record}");
        seen.extend(fields(&record).into_iter().map(str::to_owned));
    }
    let failed = server.chat(&ask("/fail unreachable")).send();
    let record = server.access_log(&failed.headers);
    assert_eq!(record["status"], failed.status);
    assert!(record["error"].is_string(), "{record}");
    seen.extend(fields(&record).into_iter().map(str::to_owned));
    for field in seen {
        assert!(
            documented().contains(field.as_str()),
            "{field} is not documented"
        );
    }
}

#[test]
fn the_access_log_times_the_first_event_and_the_end() {
    let server = Server::start("rehearsal", &harness::config(""));
    let answer = server.chat(&streamed(ask("/tokens 3 40ms"))).send();
    let record = server.access_log(&answer.headers);
    let time = |name: &str| record[name].as_u64().unwrap_or_default();
    assert!(
        time("duration_ms") >= time("first_event_ms") + 80,
        "{record}"
    );
}
