//! The settings of the gateway.

use std::rc::Rc;
use std::time::Duration;

use tidegate_config::{Document, Fault, Faults, Section};

use crate::access::{Auth, Throttle};
use crate::inbound::{Cors, Proxies};
use crate::reply::Reasoning;
use crate::run::RunRules;
use crate::run_log::LogRules;

use super::agents::read_agents;
use super::credentials::read_auth;
use super::endpoints::{Endpoints, read_image_urls};
use super::http::{read_cors, read_transport_security};
use super::keys::read_keys;
use super::limits::{read_limits, read_throttle};
use super::proxies::read_proxies;
use super::responses::{ResponseSettings, read_responses};
use super::runs::read_runs;
use super::runtimes::read_runtimes;
use super::session::read_session;
use super::stream::{StreamSettings, read_stream};

/// The configuration.
#[derive(Clone)]
pub enum Config {
    /// All endpoints are disabled, which is the default.
    Off,
    /// An endpoint is enabled.
    On(Rc<Settings>),
}

/// The settings of a gateway with an enabled endpoint.
#[derive(Clone)]
pub struct Settings {
    /// The enabled endpoints.
    pub endpoints: Endpoints,
    /// How clients authenticate.
    pub auth: Auth,
    /// The brute-force protection. `None` if there are no credentials.
    pub throttle: Option<Throttle>,
    /// The rules by which a request becomes a run.
    pub rules: RunRules,
    /// The timing of streamed replies.
    pub stream: StreamSettings,
    /// The maximum size of a request body, in bytes, `tidegate.limits.body`.
    pub body_limit: usize,
    /// The maximum number of concurrent runs of all callers, `tidegate.limits.concurrentRuns`.
    pub concurrent_runs: Option<u32>,
    /// The maximum time without an event of a run, `tidegate.limits.silence`.
    pub silence: Duration,
    /// The limits of responses.
    pub responses: ResponseSettings,
    /// The rules of logs of runs.
    pub runs: LogRules,
    /// Whether clients see the agent's reasoning.
    pub reasoning: Reasoning,
    /// The allowlist of origins.
    pub cors: Cors,
    /// The value of `Strict-Transport-Security`, if it is configured.
    pub transport_security: Option<String>,
    /// Where the addresses of clients come from.
    pub proxies: Proxies,
}

impl Config {
    /// Reads the configuration from a document. With all endpoints disabled, nothing else is
    /// read.
    ///
    /// # Errors
    /// All faults in the sections of the gateway.
    pub fn read(document: &Document<'_>) -> Result<Self, Faults> {
        let endpoints = document.read(|root| {
            let mut http = root.section("gateway").section("http");
            Endpoints::read(&mut http.section("endpoints"))
        })?;
        if endpoints == Endpoints::default() {
            return Ok(Self::Off);
        }
        let settings = document.read(read_settings)?;
        // A missing value is always a fault, but never a reason to disable anything.
        let settings = settings.ok_or_else(|| {
            let path = "gateway.auth".to_owned();
            let problem = "is incomplete".to_owned();
            Faults(vec![Fault { path, problem }])
        })?;
        Ok(Self::On(Rc::new(settings)))
    }
}

fn read_settings(root: &mut Section<'_>) -> Option<Settings> {
    let mut gateway = root.section("gateway");
    let mut http = gateway.section("http");
    let transport_security = read_transport_security(&mut http.section("securityHeaders"));
    let mut sections = http.section("endpoints");
    let endpoints = Endpoints::read(&mut sections);
    let image_urls = read_image_urls(&mut sections);
    let mut tidegate = root.section("tidegate");
    tidegate.allow("runtime");
    let proxies = read_proxies(&mut gateway, &mut tidegate);
    let agents = read_agents(&mut root.section("agents"), &mut tidegate);
    let upstreams = read_runtimes(&mut tidegate, &agents);
    let keys = read_keys(&mut tidegate, &agents, &upstreams);
    let mut auth = gateway.section("auth");
    let mut limit = auth.section("rateLimit");
    let throttle = read_throttle(&mut limit);
    let auth = read_auth(&mut auth, keys, &proxies);
    let (sessions, history) = read_session(&mut tidegate.section("session"));
    let stream = read_stream(&mut tidegate.section("stream"));
    let cors = read_cors(&mut tidegate.section("cors"));
    let limits = read_limits(&mut tidegate.section("limits"));
    let responses = read_responses(&mut tidegate.section("responses"));
    let runs = read_runs(&mut tidegate.section("runs"));
    let reasoning = match tidegate.flag("reasoning") {
        Some(true) => Reasoning::Shown,
        Some(false) | None => Reasoning::Hidden,
    };
    tidegate.deny_unknown_keys();
    Some(Settings {
        endpoints,
        responses,
        runs,
        throttle: matches!(auth, Some(Auth::Credentials { .. })).then_some(throttle),
        auth: auth?,
        rules: RunRules {
            agents,
            upstreams,
            sessions,
            history,
            image_urls,
            text_file_limit: limits.text_file,
        },
        body_limit: limits.body,
        concurrent_runs: limits.concurrent_runs,
        silence: limits.silence,
        stream,
        reasoning,
        cors,
        transport_security,
        proxies,
    })
}
