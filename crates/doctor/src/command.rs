//! The command: arguments and environment in, the report out.

use std::env;
use std::fs;
use std::rc::Rc;

use runtime_openclaw::backend::Backend;
use runtime_openclaw::endpoint::Scheme;
use runtime_openclaw::probe::probe;
use runtime_openclaw::settings::{AllSettings, Settings as RuntimeSettings};
use spin_sdk::wasip3;
use tidegate::config::{Config, Settings, WELL_KNOWN_VARIABLES};
use tidegate_config::variables::RUNTIME_TOKEN;

use crate::finding::{Finding, Report, State};
use crate::gateway::{self, Audience, Environment};
use crate::openclaw;
use crate::upstream::{self, Server};

/// The argument before the path of OpenClaw's document.
const OPENCLAW: &str = "--openclaw";

struct Command;

wasip3::cli::command::export!(Command with_types_in wasip3);

impl wasip3::exports::cli::run::Guest for Command {
    /// Prints the report. It is a failure if there are errors.
    async fn run() -> Result<(), ()> {
        let report = report().await;
        println!("{report}");
        match report.count(State::Error) {
            0 => Ok(()),
            _ => Err(()),
        }
    }
}

async fn report() -> Report {
    let mut findings = Vec::new();
    match tidegate_config::load(&WELL_KNOWN_VARIABLES, Config::read).await {
        Err(faults) => findings.push(Finding::error(
            format!("the configuration: {faults}"),
            "See docs/configuration.md.",
        )),
        Ok(Config::Off) => findings.push(Finding::error(
            "all endpoints are off",
            "Set gateway.http.endpoints.chatCompletions.enabled or gateway.http.endpoints.responses.enabled.",
        )),
        Ok(Config::On(settings)) => findings.extend(of_gateway(&settings).await),
    }
    Report(findings)
}

async fn of_gateway(settings: &Rc<Settings>) -> Vec<Finding> {
    let variables = WELL_KNOWN_VARIABLES;
    let environment = Environment {
        hides_file: tidegate_config::ignores_file().await,
        has_openclaw_variables: variables.iter().any(|name| env::var_os(name).is_some()),
    };
    let mut findings = gateway::check(settings, environment);
    findings.extend(of_upstreams(settings).await);
    match gateway::audience(settings) {
        Audience::Owner => {}
        Audience::Others => findings.extend(of_openclaw()),
    }
    findings
}

async fn of_upstreams(settings: &Settings) -> Vec<Finding> {
    let all = match tidegate_config::load(&[RUNTIME_TOKEN], AllSettings::read).await {
        Ok(all) => all,
        Err(faults) => {
            let subject = format!("the configuration: {faults}");
            return vec![Finding::error(subject, "See docs/configuration.md.")];
        }
    };
    let mut findings = Vec::new();
    let named = all
        .named
        .iter()
        .map(|(name, settings)| (Some(name), settings));
    for (name, runtime) in [(None, &all.default)].into_iter().chain(named) {
        let agents = agents_of(settings, name.map(String::as_str));
        for backend in &runtime.backends {
            let server = server(name, backend, runtime).await;
            findings.extend(upstream::check(&server, &agents));
        }
    }
    findings
}

async fn server(name: Option<&String>, backend: &Backend, settings: &RuntimeSettings) -> Server {
    let endpoint = &backend.endpoint;
    let is_local = ["127.0.0.1", "localhost", "[::1]"]
        .iter()
        .any(|host| endpoint.authority().starts_with(host));
    let is_open = matches!(endpoint.scheme(), Scheme::Http) && !is_local;
    Server {
        runtime: name.cloned(),
        address: endpoint.authority().to_owned(),
        sends_token_in_the_open: is_open && backend.token.is_some(),
        probe: probe(backend, settings).await,
    }
}

/// Returns the configured agents whose runs a runtime carries out.
fn agents_of(settings: &Settings, runtime: Option<&str>) -> Vec<String> {
    let known = settings.rules.agents.known().unwrap_or_default();
    let own = known.iter().filter(|agent| {
        let upstream = settings.rules.upstreams.of_agent(agent);
        upstream.as_ref().map(|upstream| upstream.as_str()) == runtime
    });
    own.map(ToString::to_string).collect()
}

fn of_openclaw() -> Vec<Finding> {
    let mut arguments = env::args().skip_while(|argument| argument != OPENCLAW);
    let Some(path) = arguments.nth(1) else {
        return openclaw::check(None);
    };
    match fs::read_to_string(&path) {
        Ok(text) => openclaw::check(Some(&text)),
        Err(error) => vec![Finding::error(
            format!("{path} cannot be read: {}", error.kind()),
            "Mount its folder with `--dir`.",
        )],
    }
}
