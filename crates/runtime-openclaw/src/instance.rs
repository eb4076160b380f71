//! The state of an instance, and the failover of its requests.
//!
//! It uses the host: the configuration, the network and standard error.

use std::cell::OnceCell;
use std::io::Write as _;
use std::mem;
use std::rc::Rc;
use std::time::Duration;

use spin_sdk::wasip3::clocks::monotonic_clock;
use spin_sdk::wasip3::http::types::RequestOptions;
use tidegate_agent::Hold;
use tidegate_config::variables::RUNTIME_TOKEN;

use crate::availability::{Attempt, Moment};
use crate::backend::Backend;
use crate::client::{self, Response};
use crate::pool::{Affinity, Member, Pool};
use crate::redactor::Redactor;
use crate::rendezvous::Digest;
use crate::request::Request;
use crate::settings::Settings;
use crate::store;
use crate::transport::error_before_response;
use crate::types::RunError;

/// The settings and the state of the backends.
pub(crate) struct Instance {
    pub(crate) settings: Settings,
    pub(crate) redactor: Redactor,
    pool: Pool,
    /// The timeouts of each request.
    options: RequestOptions,
}

thread_local! {
    static INSTANCE: OnceCell<Rc<Instance>> = const { OnceCell::new() };
}

impl Instance {
    /// Returns the instance, which loads its settings once. The next run reads faulty settings
    /// again, so that the operator can correct them while the instance runs.
    pub(crate) async fn load() -> Result<Rc<Self>, RunError> {
        if let Some(instance) = INSTANCE.with(|instance| instance.get().cloned()) {
            return Ok(instance);
        }
        let loaded = tidegate_config::load(&[RUNTIME_TOKEN], Settings::read).await;
        let settings = loaded.map_err(|faults| RunError::Misconfigured(faults.to_string()))?;
        // A concurrent run may have loaded the same settings first.
        Ok(INSTANCE.with(|cell| Rc::clone(cell.get_or_init(|| Rc::new(Self::new(settings))))))
    }

    fn new(settings: Settings) -> Self {
        let instance = Self {
            redactor: Redactor::new(&settings.backends),
            pool: Pool::new(settings.backends.clone()),
            options: client::options(&settings),
            settings,
        };
        if instance.pool.has_choice() {
            store::learn(&instance.pool, clock());
        }
        instance
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
        while let Some(Member {
            backend,
            availability,
        }) = route.next(now)
        {
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
            let response =
                client::send(&request, body, hold, &backend.endpoint, &self.options).await;
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
            if let Some(backoff) = availability.refused(attempt, now)
                && self.pool.has_choice()
            {
                log_skipped(backend, backoff, &unreachable);
                self.share(now);
            }
        }
        Err(RunError::Unreachable(unreachable))
    }

    /// Shares the backoff state with other instances.
    fn share(&self, now: Moment) {
        if self.pool.has_choice() {
            store::share(&self.pool, now);
        }
    }
}

/// Returns the time of the host's monotonic clock.
fn clock() -> Moment {
    Duration::from_nanos(monotonic_clock::now())
}

/// Logs that a backend is skipped. A failure to write does not affect the run.
fn log_skipped(backend: &Backend, backoff: Duration, detail: &str) {
    // The parts need no JSON escapes: one is part of a valid URL, the other a constant.
    let line = [
        "{\"backend_skipped\":\"",
        backend.endpoint.authority(),
        "\",\"seconds\":",
        &backoff.as_secs().to_string(),
        ",\"detail\":\"",
        detail,
        "\"}\n",
    ];
    std::io::stderr().write_all(line.concat().as_bytes()).ok();
}
