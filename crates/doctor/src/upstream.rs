//! The servers behind the gateway: reachable, token accepted, endpoint on, agents there.

use std::fmt;

use runtime_openclaw::probe::Probe;

use crate::finding::Finding;

/// A server, by the name of its runtime and its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The name in `tidegate.runtimes`, or `None` for `tidegate.runtime`.
    pub runtime: Option<String>,
    /// Host and port.
    pub address: String,
    /// Whether a token goes to the server without encryption.
    pub sends_token_in_the_open: bool,
    /// What it answered.
    pub probe: Probe,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.runtime {
            Some(name) => write!(f, "tidegate.runtimes.{name}, {}", self.address),
            None => write!(f, "tidegate.runtime, {}", self.address),
        }
    }
}

/// Checks a server. `agents` are the configured ones whose runs it carries out; empty if
/// none are configured.
#[must_use]
pub fn check(server: &Server, agents: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if server.sends_token_in_the_open {
        findings.push(Finding::warning(
            format!("{server}: the token is sent over http to another machine"),
            "Use https, or a private network.",
        ));
    }
    match &server.probe {
        Probe::Unreachable(why) => findings.push(Finding::error(
            format!("{server}: {why}"),
            "Start the server, and compare its port with the URL.",
        )),
        Probe::Denied => findings.push(Finding::error(
            format!("{server}: the token is rejected"),
            "Set `token`, or TIDEGATE_RUNTIME_TOKEN, to OpenClaw's token.",
        )),
        Probe::NoEndpoint => findings.push(Finding::error(
            format!("{server}: the endpoint is off"),
            "Set gateway.http.endpoints.chatCompletions.enabled in openclaw.json.",
        )),
        Probe::Unexpected(status) => findings.push(Finding::error(
            format!("{server}: it answered with status {status}"),
            "Check that the URL is OpenClaw's.",
        )),
        Probe::Ready(offered) => {
            findings.push(Finding::ok(format!(
                "{server}: reachable, and the token is accepted"
            )));
            findings.extend(check_agents(server, offered, agents));
        }
    }
    findings
}

fn check_agents(server: &Server, offered: &[String], agents: &[String]) -> Vec<Finding> {
    let missing = agents.iter().filter(|agent| !offered.contains(agent));
    let missing: Vec<_> = missing
        .map(|agent| {
            Finding::error(
                format!("{server}: there is no agent {agent}"),
                "Add it in openclaw.json, or remove it from the configuration.",
            )
        })
        .collect();
    match (missing.is_empty(), agents.len()) {
        (true, 0) => Vec::new(),
        (true, count) => vec![Finding::ok(format!(
            "{server}: all {count} agents are there"
        ))],
        (false, _) => missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::State;

    fn server(probe: Probe) -> Server {
        Server {
            runtime: None,
            address: "10.0.0.1:18789".to_owned(),
            sends_token_in_the_open: false,
            probe,
        }
    }

    #[test]
    fn every_answer_but_ready_is_an_error_with_advice() {
        for probe in [
            Probe::Unreachable("the backend refuses the connection".to_owned()),
            Probe::Denied,
            Probe::NoEndpoint,
            Probe::Unexpected(500),
        ] {
            let findings = check(&server(probe), &[]);
            assert!(
                matches!(findings.as_slice(), [one] if one.state == State::Error),
                "{findings:?}"
            );
            assert!(findings.iter().all(|finding| finding.advice.is_some()));
        }
    }

    #[test]
    fn a_missing_agent_is_an_error() {
        let agents = ["main", "lab"].map(str::to_owned);
        let offers =
            |names: &[&str]| Probe::Ready(names.iter().map(|name| (*name).to_owned()).collect());
        let all = check(&server(offers(&["main", "lab", "more"])), &agents);
        assert!(
            all.iter().all(|finding| finding.state == State::Ok),
            "{all:?}"
        );
        let some = check(&server(offers(&["main"])), &agents);
        assert!(
            some.iter()
                .any(|finding| finding.subject.ends_with("no agent lab")),
            "{some:?}"
        );
    }

    #[test]
    fn a_token_in_the_open_is_a_warning() {
        let open = Server {
            sends_token_in_the_open: true,
            runtime: Some("acme".to_owned()),
            ..server(Probe::Ready(Vec::new()))
        };
        let findings = check(&open, &[]);
        assert_eq!(
            findings.first().map(|finding| finding.state),
            Some(State::Warning)
        );
        assert!(
            findings
                .iter()
                .all(|finding| finding.subject.contains("runtimes.acme"))
        );
    }
}
