//! The guards of a configuration that cannot hold on a host.

use crate::access::{Auth, Rate};
use crate::run_log::LogMode;

use super::settings::Settings;

const NO_STORE: [&str; 3] = [
    "failed attempts are not limited, because the host has no key-value store",
    "rate limits of API keys do not apply, because the host has no key-value store",
    "concurrent runs are limited for each instance alone, because the host has no key-value store",
];

const NO_ADDRESSES: &str = "failed attempts of all clients are delayed together, because the host does not pass on their addresses";

impl Settings {
    /// Returns what the operator must know of the conversations in the store, if there are any.
    #[must_use]
    pub fn stored_conversations(&self, has_store: bool) -> Option<String> {
        let is_on = match self.runs.mode {
            LogMode::Off => false,
            LogMode::Requested => has_store && self.rules.sessions.secret.is_some(),
        };
        let hours = self.runs.keep.as_secs().div_ceil(3600);
        is_on.then(|| {
            format!(
                "responses that ask for it are stored, encrypted, for {hours} hours; `tidegate.runs.log: \"off\"` prevents that"
            )
        })
    }

    /// Returns the guards that do not hold, or hold in part, for the operator.
    #[must_use]
    pub fn inactive_guards(&self, has_store: bool) -> Vec<&'static str> {
        let has_throttle = self.throttle.is_some();
        if has_store {
            let has_addresses =
                self.proxies.peer_header.is_some() || !self.proxies.trusted.is_empty();
            let is_inactive = has_throttle && !has_addresses;
            return is_inactive.then_some(NO_ADDRESSES).into_iter().collect();
        }
        let any_key = |has: fn(&Rate) -> bool| match &self.auth {
            Auth::Credentials { keys, .. } => keys.iter().any(|key| has(&key.rate)),
            Auth::Proxy(_) | Auth::None => false,
        };
        let counts = |rate: &Rate| rate.requests_per_minute.or(rate.runs_per_day).is_some();
        let configured = [
            has_throttle,
            any_key(counts),
            self.concurrent_runs.is_some() || any_key(|rate| rate.concurrent_runs.is_some()),
        ];
        let guards = configured.into_iter().zip(NO_STORE);
        guards
            .filter_map(|(is_configured, guard)| is_configured.then_some(guard))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use tidegate_config::{Document, Variables};

    use super::*;
    use crate::config::Config;

    fn settings(auth: &str, tidegate: &str) -> Rc<Settings> {
        let text = format!(
            "{{ gateway: {{ auth: {{ {auth} }},
                 http: {{ endpoints: {{ chatCompletions: {{ enabled: true }} }} }} }},
               tidegate: {{ {tidegate} }} }}"
        );
        let document = Document::parse(&text).unwrap();
        match Config::read(&document.with(Variables::default())) {
            Ok(Config::On(settings)) => settings,
            Ok(Config::Off) => panic!("the endpoint is off"),
            Err(faults) => panic!("{faults}"),
        }
    }

    #[test]
    fn the_operator_learns_that_responses_are_stored() {
        let secret = "session: { secret: 'a secret of 16 bytes' }";
        for (tidegate, has_store, is_stored) in [
            (secret, true, true),
            (secret, false, false),
            ("", true, false),
            (&format!("{secret}, runs: {{ log: 'off' }}"), true, false),
        ] {
            let notice = settings("mode: 'none'", tidegate).stored_conversations(has_store);
            assert_eq!(notice.is_some(), is_stored, "{tidegate} {has_store}");
        }
    }

    #[test]
    fn every_configured_guard_that_does_not_hold_is_named() {
        let key = |rate| {
            format!(
                "keys: [{{ name: 'a', sha256: '{:064}', agents: ['*'], rate: {{ {rate} }} }}]",
                7
            )
        };
        let [failures, rates, places] = NO_STORE;
        let peer = "client: { peerHeader: 'peer' }";
        for (auth, tidegate, without, with) in [
            ("mode: 'none'", "", vec![], vec![]),
            ("token: 'x'", "", vec![failures], vec![NO_ADDRESSES]),
            ("token: 'x'", peer, vec![failures], vec![]),
            (
                "token: 'x'",
                &key("runsPerDay: 1"),
                vec![failures, rates],
                vec![NO_ADDRESSES],
            ),
            (
                "token: 'x'",
                &key("requestsPerMinute: 1, concurrentRuns: 1"),
                vec![failures, rates, places],
                vec![NO_ADDRESSES],
            ),
            (
                "mode: 'none'",
                "limits: { concurrentRuns: 7 }",
                vec![places],
                vec![],
            ),
        ] {
            let settings = settings(auth, tidegate);
            assert_eq!(
                settings.inactive_guards(false),
                without,
                "{auth} {tidegate}"
            );
            assert_eq!(settings.inactive_guards(true), with, "{auth} {tidegate}");
        }
    }
}
