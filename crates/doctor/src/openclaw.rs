//! The settings of OpenClaw that go with callers who are not its operator.
//!
//! The page `docs/exposing.md` explains each of them.

use tidegate_config::{Document, Section};

use crate::finding::Finding;

const PAGE: &str = "See docs/exposing.md.";

/// The tools that no agent of others should have.
const RISKY: [&str; 4] = ["gateway", "cron", "sessions_spawn", "sessions_send"];

/// Checks the text of `openclaw.json`, if it is known.
#[must_use]
pub fn check(text: Option<&str>) -> Vec<Finding> {
    let Some(text) = text else {
        let why = "OpenClaw's settings: the file is not given";
        return vec![Finding::not_checked(why, "Add --openclaw openclaw.json.")];
    };
    let read = Document::parse(text).and_then(|document| document.read(read));
    match read {
        Ok(findings) => findings,
        Err(faults) => vec![Finding::not_checked(
            format!("OpenClaw's settings: {faults}"),
            "Correct the file, or check the settings yourself.",
        )],
    }
}

fn read(root: &mut Section<'_>) -> Vec<Finding> {
    if root.section("$include").is_present() || root.borrowed_text("$include").is_some() {
        let why = "OpenClaw's settings: the file includes others";
        return vec![Finding::not_checked(why, PAGE)];
    }
    let mut findings = check_address(&mut root.section("gateway"));
    let mut tools = root.section("tools");
    let denied = Denied(tools.texts("deny").unwrap_or_default());
    findings.extend(check_sessions(&mut tools, &denied));
    findings.extend(check_machine(&mut tools, &denied));
    findings.extend(RISKY.map(|tool| {
        let is_denied = denied.any(&[tool]) || (tool.starts_with("sessions_") && denied.sessions());
        let name = format!("tools.deny, {tool}");
        expected(
            is_denied,
            &name,
            "an agent has this tool",
            "Add it to tools.deny.",
        )
    }));
    findings
}

/// The tools that no agent has.
struct Denied(Vec<String>);

impl Denied {
    fn any(&self, names: &[&str]) -> bool {
        let mut denied = self.0.iter();
        denied.any(|tool| names.contains(&tool.as_str()))
    }

    fn sessions(&self) -> bool {
        self.any(&["group:sessions"])
    }
}

/// Checks who reaches OpenClaw without the gateway.
fn check_address(gateway: &mut Section<'_>) -> Vec<Finding> {
    const CLOSE: &str = "Close its port to all clients but Tidegate.";
    let bind = match gateway.text("bind").as_deref() {
        Some("loopback") => Finding::ok("gateway.bind is set"),
        Some("auto" | "lan" | "tailnet" | "custom") => Finding::warning(
            "gateway.bind: other machines may reach OpenClaw's own address",
            CLOSE,
        ),
        // A container listens on all addresses by default.
        None => Finding::not_checked("gateway.bind: not set", CLOSE),
        Some(_) => Finding::not_checked("gateway.bind: an unknown value", PAGE),
    };
    let tunnel = match gateway.section("tailscale").text("mode").as_deref() {
        None | Some("off") => Finding::ok("gateway.tailscale.mode is off"),
        Some("serve" | "funnel") => Finding::warning(
            "gateway.tailscale.mode: other machines reach OpenClaw's own address",
            "Set it to \"off\".",
        ),
        Some(_) => Finding::not_checked("gateway.tailscale.mode: an unknown value", PAGE),
    };
    vec![bind, tunnel]
}

/// Checks what an agent reaches in other sessions.
fn check_sessions(tools: &mut Section<'_>, denied: &Denied) -> Vec<Finding> {
    const ADVICE: &str = "Set it to \"self\".";
    let visibility = tools.section("sessions").text("visibility");
    let visibility = match visibility.as_deref() {
        Some("self") => Finding::ok("tools.sessions.visibility is set"),
        _ if denied.sessions() => Finding::ok("tools of sessions are denied"),
        Some("agent" | "tree") => Finding::warning(
            "tools.sessions.visibility: an agent reads sessions of other callers",
            ADVICE,
        ),
        Some("all") | None => Finding::warning(
            "tools.sessions.visibility: an agent reads all sessions, also of other callers",
            ADVICE,
        ),
        Some(_) => Finding::not_checked("tools.sessions.visibility: an unknown value", PAGE),
    };
    let is_apart = tools.section("agentToAgent").flag("enabled") == Some(false);
    let agents = expected(
        is_apart || denied.sessions(),
        "tools.agentToAgent.enabled",
        "an agent reaches the sessions of other agents",
        "Set it to false.",
    );
    vec![visibility, agents]
}

/// Checks what an agent reaches on OpenClaw's machine.
fn check_machine(tools: &mut Section<'_>, denied: &Denied) -> Vec<Finding> {
    let exec = tools.section("exec").text("security");
    let elevated = tools.section("elevated").flag("enabled");
    let workspace = tools.section("fs").flag("workspaceOnly");
    vec![
        expected(
            exec.as_deref() == Some("deny") || denied.any(&["exec", "group:runtime"]),
            "tools.exec.security",
            "an agent executes commands on OpenClaw's machine",
            "Set it to \"deny\", or use a sandbox.",
        ),
        expected(
            elevated == Some(false),
            "tools.elevated.enabled",
            "commands may leave a sandbox",
            "Set it to false.",
        ),
        expected(
            workspace == Some(true) || denied.any(&["group:fs"]),
            "tools.fs.workspaceOnly",
            "an agent reads files outside of its workspace",
            "Set it to true.",
        ),
    ]
}

fn expected(is_so: bool, name: &str, otherwise: &str, advice: &str) -> Finding {
    if is_so {
        Finding::ok(format!("{name} is set"))
    } else {
        Finding::warning(format!("{name}: {otherwise}"), advice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Report, State};

    /// Returns the settings of the page.
    fn of_the_page() -> &'static str {
        let page = include_str!("../../../docs/exposing.md");
        let (_, rest) = page.split_once("```json5 openclaw.json\n").unwrap();
        rest.split_once("```").unwrap().0
    }

    fn count(text: Option<&str>, state: State) -> usize {
        Report(check(text)).count(state)
    }

    #[test]
    fn the_settings_of_the_page_are_good() {
        let findings = check(Some(of_the_page()));
        assert!(
            findings.iter().all(|finding| finding.state == State::Ok),
            "{findings:?}"
        );
        assert_eq!(findings.len(), 7 + RISKY.len());
    }

    #[test]
    fn the_defaults_of_openclaw_are_warnings() {
        assert_eq!(count(Some("{}"), State::Warning), 5 + RISKY.len());
    }

    #[test]
    fn each_setting_counts() {
        for (good, bad) in [
            ("bind: \"loopback\"", "bind: \"lan\""),
            (
                "bind: \"loopback\"",
                "bind: \"loopback\", tailscale: { mode: \"funnel\" }",
            ),
            ("visibility: \"self\"", "visibility: \"all\""),
            (
                "agentToAgent: { enabled: false }",
                "agentToAgent: { enabled: true }",
            ),
            ("security: \"deny\"", "security: \"full\""),
            ("elevated: { enabled: false }", "elevated: {}"),
            ("workspaceOnly: true", "workspaceOnly: false"),
            ("\"gateway\"", "\"other\""),
            ("\"cron\"", "\"other\""),
        ] {
            let text = of_the_page().replacen(good, bad, 1);
            assert_ne!(text, of_the_page(), "{good}");
            assert_eq!(count(Some(&text), State::Warning), 1, "{good}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_never_good() {
        for text in [
            None,
            Some("{"),
            Some("{ $include: './other.json5' }"),
            Some("{ tools: 7 }"),
            Some("{ tools: { deny: 'gateway' } }"),
        ] {
            assert_eq!(count(text, State::Ok), 0, "{text:?}");
            assert_eq!(count(text, State::NotChecked), 1, "{text:?}");
        }
        let odd = "{ gateway: { bind: 'here', tailscale: { mode: 'some' } },
            tools: { sessions: { visibility: 'some' } } }";
        assert_eq!(count(Some(odd), State::NotChecked), 3);
        assert_eq!(count(Some("{}"), State::NotChecked), 1, "gateway.bind");
    }
}
