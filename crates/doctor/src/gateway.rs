//! The gateway's own configuration.

use std::net::IpAddr;

use tidegate::access::{Auth, Exemption, Key};
use tidegate::config::Settings;
use tidegate::inbound::Headers;

use crate::finding::Finding;

/// What the environment adds to the document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Environment {
    /// Whether `TIDEGATE_CONFIG` hides a `tidegate.json5`.
    pub hides_file: bool,
    /// Whether OpenClaw's own variables for a token or password are set.
    pub has_openclaw_variables: bool,
}

/// The callers of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The operator alone.
    Owner,
    /// Others, too: holders of keys, users of a proxy, or everybody.
    Others,
}

/// Returns the callers of the gateway.
#[must_use]
pub fn audience(settings: &Settings) -> Audience {
    match &settings.auth {
        Auth::Credentials { keys, .. } if keys.is_empty() => Audience::Owner,
        Auth::Credentials { .. } | Auth::Proxy(_) | Auth::None => Audience::Others,
    }
}

/// Checks the settings.
#[must_use]
pub fn check(settings: &Settings, environment: Environment) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("the configuration has no faults")];
    findings.extend(check_auth(settings));
    if let Auth::Credentials { keys, .. } = &settings.auth {
        keys.iter().for_each(|key| findings.extend(check_key(key)));
    }
    findings.extend(check_secret(settings));
    findings.extend(check_network(settings));
    if environment.hides_file {
        findings.push(Finding::warning(
            "TIDEGATE_CONFIG is set, so /tidegate.json5 is ignored",
            "Remove one of them.",
        ));
    }
    if environment.has_openclaw_variables {
        findings.push(Finding::warning(
            "OPENCLAW_GATEWAY_TOKEN or OPENCLAW_GATEWAY_PASSWORD is set: it is the gateway's own credential, unless the document names another",
            "Unset it where Tidegate runs, or name it in the document.",
        ));
    }
    findings
}

fn check_secret(settings: &Settings) -> Option<Finding> {
    if settings.rules.sessions.secret.is_some() {
        return None;
    }
    let problem = if audience(settings) == Audience::Others {
        "tidegate.session.secret is not set: who knows a user's name can compute its session key"
    } else if settings.endpoints.responses {
        "tidegate.session.secret is not set: no client can continue a response with previous_response_id"
    } else {
        return None;
    };
    Some(Finding::warning(
        problem,
        "Set it to `openssl rand -hex 32`.",
    ))
}

fn check_auth(settings: &Settings) -> Option<Finding> {
    let mode_none =
        "gateway.auth.mode is \"none\": everybody who reaches the gateway has all rights";
    match (&settings.auth, &settings.throttle) {
        (Auth::None, _) => Some(Finding::warning(
            mode_none,
            "Set a token, or give out keys.",
        )),
        (_, Some(throttle)) if throttle.loopback == Exemption::Exempt => Some(Finding::warning(
            "gateway.auth.rateLimit.exemptLoopback: programs on this machine are never locked out",
            "Set it to false if a proxy on this machine forwards requests without addresses.",
        )),
        (Auth::Credentials { .. } | Auth::Proxy(_), _) => None,
    }
}

fn check_key(key: &Key) -> Vec<Finding> {
    let mut findings = Vec::new();
    let limits = [
        ("requestsPerMinute", key.rate.requests_per_minute),
        ("runsPerDay", key.rate.runs_per_day),
        ("concurrentRuns", key.rate.concurrent_runs),
    ];
    let missing = limits.iter().filter(|(_, limit)| limit.is_none());
    let missing: Vec<_> = missing.map(|(name, _)| *name).collect();
    let name = &key.name;
    if missing.is_empty() {
        findings.push(Finding::ok(format!("the key {name} has limits")));
    } else {
        findings.push(Finding::warning(
            format!("the key {name} has no limit of {}", missing.join(", ")),
            "Set tidegate.keys[].rate.",
        ));
    }
    if key.upstream.is_none() {
        findings.push(Finding::warning(
            format!("the key {name} shares a runtime with other callers"),
            "Give a tenant who is not trusted a runtime of its own, tidegate.keys[].runtime.",
        ));
    }
    findings
}

fn check_network(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    let anywhere = [[203, 0, 113, 1], [198, 51, 100, 1], [10, 0, 0, 1]].map(IpAddr::from);
    let trusts = |address| {
        settings
            .proxies
            .trusted
            .iter()
            .any(|network| network.contains(address))
    };
    if anywhere.into_iter().all(trusts) {
        findings.push(Finding::warning(
            "gateway.trustedProxies contains every address, so every client can claim any",
            "List the addresses of the proxies.",
        ));
    }
    let foreign = Headers::from([("origin", "https://origin.invalid")]);
    if settings.cors.grant(&foreign).is_some() {
        findings.push(Finding::warning(
            "tidegate.cors.origins allows every web page",
            "List the origins of your pages.",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use tidegate::config::Config;
    use tidegate_config::{Document, Variables};

    use super::*;
    use crate::finding::State;

    fn settings(auth: &str, tidegate: &str) -> Rc<Settings> {
        let text = format!(
            "{{ gateway: {{ auth: {{ {auth} }},
                 http: {{ endpoints: {{ chatCompletions: {{ enabled: true }} }} }} }},
               tidegate: {{ {tidegate} }} }}"
        );
        let document = Document::parse(&text).unwrap();
        match Config::read(&document.with(Variables::default())).unwrap() {
            Config::On(settings) => settings,
            Config::Off => panic!("the endpoint is off"),
        }
    }

    fn warnings(settings: &Settings, environment: Environment) -> Vec<String> {
        let findings = check(settings, environment).into_iter();
        let warnings = findings.filter(|finding| finding.state == State::Warning);
        warnings.map(|finding| finding.subject).collect()
    }

    const STRICT: &str = "token: 't', rateLimit: { exemptLoopback: false }";

    fn key(rest: &str) -> String {
        let digest = "0".repeat(64);
        format!("keys: [{{ name: 'web', sha256: '{digest}', agents: ['*'], {rest} }}]")
    }

    #[test]
    fn a_gateway_of_its_owner_alone_needs_little() {
        let settings = settings(STRICT, "");
        assert_eq!(audience(&settings), Audience::Owner);
        assert_eq!(warnings(&settings, Environment::default()), [""; 0]);
    }

    #[test]
    fn responses_need_a_secret_to_be_continued() {
        for (secret, expected) in [("", 1), ("session: { secret: '0123456789abcdef' }", 0)] {
            let mut settings = settings(STRICT, secret);
            Rc::make_mut(&mut settings).endpoints.responses = true;
            let found = warnings(&settings, Environment::default());
            assert_eq!(found.len(), expected, "{found:?}");
            assert!(
                found
                    .iter()
                    .all(|found| found.contains("previous_response_id"))
            );
        }
    }

    #[test]
    fn a_guarded_key_is_good() {
        let rate =
            "rate: { requestsPerMinute: 1, runsPerDay: 1, concurrentRuns: 1 }, runtime: 'one'";
        let members = format!(
            "runtimes: {{ one: {{}} }}, session: {{ secret: '0123456789abcdef' }}, {}",
            key(rate)
        );
        let settings = settings(STRICT, &members);
        assert_eq!(audience(&settings), Audience::Others);
        assert_eq!(warnings(&settings, Environment::default()), [""; 0]);
    }

    #[test]
    fn each_risk_has_a_warning() {
        let all = Environment {
            hides_file: true,
            has_openclaw_variables: true,
        };
        for (auth, tidegate, environment, expected) in [
            (
                "token: 't'",
                String::new(),
                Environment::default(),
                "exemptLoopback",
            ),
            (
                "mode: 'none'",
                String::new(),
                Environment::default(),
                "mode is \"none\"",
            ),
            (
                STRICT,
                key(""),
                Environment::default(),
                "no limit of requestsPerMinute, runsPerDay, concurrentRuns",
            ),
            (STRICT, key(""), Environment::default(), "shares a runtime"),
            (STRICT, key(""), Environment::default(), "session.secret"),
            (
                STRICT,
                "cors: { origins: ['*'] }".to_owned(),
                Environment::default(),
                "every web page",
            ),
            (STRICT, String::new(), all, "/tidegate.json5 is ignored"),
            (STRICT, String::new(), all, "OPENCLAW_GATEWAY_TOKEN"),
        ] {
            let found = warnings(&settings(auth, &tidegate), environment);
            assert!(
                found.iter().any(|warning| warning.contains(expected)),
                "{expected}: {found:?}"
            );
        }
    }
}
