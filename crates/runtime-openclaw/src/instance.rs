//! The state of an instance, and the failover of its requests.
//!
//! It uses the host: the configuration, the network and standard error.

use std::cell::OnceCell;
use std::io::Write as _;
use std::mem;
use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;
use spin_sdk::wasip3::clocks::monotonic_clock;
use spin_sdk::wasip3::http::types::RequestOptions;
use tidegate_agent::Hold;
use tidegate_config::variables::RUNTIME_TOKEN;

use crate::availability::{Attempt, Moment};
use crate::client::{self, Response, Target};
use crate::pool::{Affinity, Member, Pool};
use crate::redactor::Redactor;
use crate::rendezvous::Digest;
use crate::request::Request;
use crate::settings::{AllSettings, Settings};
use crate::store;
use crate::transport::error_before_response;
use crate::types::RunError;

/// The settings and the state of the backends of an upstream.
pub(crate) struct Upstream {
    pub(crate) settings: Settings,
    pub(crate) redactor: Redactor,
    /// The name; empty for the default upstream.
    name: String,
    pool: Pool,
    /// The timeouts of each request.
    options: RequestOptions,
}

/// All upstreams of the instance. The first one is the default.
struct Instance(Vec<(String, Settings, OnceCell<Rc<Upstream>>)>);

thread_local! {
    static INSTANCE: OnceCell<Rc<Instance>> = const { OnceCell::new() };
}

impl Instance {
    /// Returns the instance, which loads its settings once. The next run reads faulty settings
    /// again, so that the operator can correct them while the instance runs.
    async fn load() -> Result<Rc<Self>, RunError> {
        if let Some(instance) = INSTANCE.with(|instance| instance.get().cloned()) {
            return Ok(instance);
        }
        let loaded = tidegate_config::load(&[RUNTIME_TOKEN], AllSettings::read).await;
        let settings = loaded.map_err(|faults| RunError::Misconfigured(faults.to_string()))?;
        // A concurrent run may have loaded the same settings first.
        Ok(INSTANCE.with(|cell| Rc::clone(cell.get_or_init(|| Rc::new(Self::new(settings))))))
    }

    fn new(settings: AllSettings) -> Self {
        let default = (String::new(), settings.default);
        let all = [default].into_iter().chain(settings.named);
        Self(
            all.map(|(name, settings)| (name, settings, OnceCell::new()))
                .collect(),
        )
    }
}

impl Upstream {
    /// Returns an upstream of the instance, by default the default one.
    ///
    /// # Errors
    /// Faulty settings, and an unknown name.
    pub(crate) async fn load(name: Option<&str>) -> Result<Rc<Self>, RunError> {
        let instance = Instance::load().await?;
        let found = match name {
            None => instance.0.first(),
            Some(name) => instance.0.iter().skip(1).find(|(known, ..)| known == name),
        };
        let Some((name, settings, upstream)) = found else {
            let missing = "tidegate.runtimes: the name of the run's runtime is missing";
            return Err(RunError::Misconfigured(missing.to_owned()));
        };
        let new = || Rc::new(Self::new(name.clone(), settings.clone()));
        Ok(Rc::clone(upstream.get_or_init(new)))
    }

    fn new(name: String, settings: Settings) -> Self {
        let upstream = Self {
            redactor: Redactor::new(&settings.backends),
            pool: Pool::new(settings.backends.clone()),
            options: client::options(&settings),
            settings,
            name,
        };
        if upstream.pool.has_choice() {
            store::learn(&upstream.pool, &upstream.name, clock());
        }
        upstream
    }

    /// Sends a request to the backend of its session. It goes to another backend only if
    /// `affinity` allows it and the request was certainly not sent: no run begins twice. `hold`
    /// is dropped with the last copy of the body.
    pub(crate) async fn send(
        &self,
        mut request: Request,
        mut hold: Hold,
        session: &str,
        affinity: Affinity,
    ) -> Result<Response, RunError> {
        let limit = self.settings.connect_timeout;
        let mut now = clock();
        let mut route = self.pool.route(Digest::of(session), affinity, now, limit);
        let mut unreachable = String::new();
        while let Some(member) = route.next(now) {
            let Member {
                backend,
                availability,
            } = member;
            let (body, hold) = if route.may_go_on() {
                (request.body.clone(), hold.clone())
            } else {
                (request.body.take(), mem::take(&mut hold))
            };
            request.authorize(backend.token.as_ref());
            let attempt = availability.attempt(now, limit);
            if attempt == Attempt::Probe {
                self.share(now);
            }
            let target = Target {
                endpoint: &backend.endpoint,
                options: &self.options,
                settings: &self.settings,
                has_next: route.may_go_on(),
            };
            let response = client::send(&request, body, hold, target).await;
            match response.map_err(|code| error_before_response(&code, &self.redactor)) {
                Err(RunError::Unreachable(why)) => unreachable = why,
                result => {
                    if availability.connected() {
                        self.share(clock());
                    }
                    return result;
                }
            }
            now = clock();
            self.refused(member, attempt, now, &unreachable);
        }
        Err(RunError::Unreachable(unreachable))
    }

    /// Skips a backend that refused an attempt.
    fn refused(&self, member: &Member, attempt: Attempt, now: Moment, detail: &str) {
        if let Some(backoff) = member.availability.refused(attempt, now)
            && self.pool.has_choice()
        {
            let skipped = Skipped {
                backend_skipped: member.backend.endpoint.authority(),
                runtime: &self.name,
                seconds: backoff.as_secs(),
                detail,
            };
            skipped.log();
            self.share(now);
        }
    }

    /// Shares the backoff state with other instances.
    fn share(&self, now: Moment) {
        if self.pool.has_choice() {
            store::share(&self.pool, &self.name, now);
        }
    }
}

/// Returns the time of the host's monotonic clock.
fn clock() -> Moment {
    Duration::from_nanos(monotonic_clock::now())
}

/// A line of the log: a backend is skipped.
#[derive(Serialize)]
struct Skipped<'b> {
    backend_skipped: &'b str,
    /// The name of the upstream; empty for the default one.
    #[serde(skip_serializing_if = "str::is_empty")]
    runtime: &'b str,
    seconds: u64,
    detail: &'b str,
}

impl Skipped<'_> {
    /// Writes the line. A failure to write does not affect the run.
    fn log(&self) {
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        std::io::stderr().write_all(&line).ok();
    }
}
