//! What an instance of the component keeps for all of its runs, and how their
//! requests find a server.
//!
//! Uses the host: the configuration, the network and standard error.

use std::cell::OnceCell;
use std::io::Write as _;
use std::rc::Rc;
use std::time::Duration;

use spin_sdk::wasip3::clocks::monotonic_clock;
use spin_sdk::wasip3::http::types::RequestOptions;

use crate::availability::{Attempt, Moment};
use crate::censor::Censor;
use crate::client::{self, Response};
use crate::pool::{Member, Pool, Reach};
use crate::rendezvous::Digest;
use crate::request::Request;
use crate::server::{Server, TOKEN_VARIABLE};
use crate::settings::Settings;
use crate::store;
use crate::transport::error_before_response;
use crate::types::RunError;

/// The settings, and what is known of the servers.
pub(crate) struct Instance {
    pub(crate) settings: Settings,
    pub(crate) censor: Censor,
    pool: Pool,
    /// The limits of time of each request.
    options: RequestOptions,
}

thread_local! {
    static INSTANCE: OnceCell<Rc<Instance>> = const { OnceCell::new() };
}

impl Instance {
    /// Returns the instance, whose settings are loaded once in its life. Faulty
    /// ones are read again by the next run, so that they can be mended under way.
    pub(crate) async fn load() -> Result<Rc<Self>, RunError> {
        if let Some(instance) = INSTANCE.with(|instance| instance.get().cloned()) {
            return Ok(instance);
        }
        let settings = tidegate_config::load(&[TOKEN_VARIABLE], Settings::read).await;
        let settings = settings.map_err(|faults| RunError::Misconfigured(faults.to_string()))?;
        // Another run may have been faster, with the same result.
        Ok(INSTANCE.with(|cell| Rc::clone(cell.get_or_init(|| Rc::new(Self::new(settings))))))
    }

    fn new(settings: Settings) -> Self {
        let instance = Self {
            censor: Censor::new(&settings.servers),
            pool: Pool::new(settings.servers.clone()),
            options: client::options(&settings),
            settings,
        };
        if instance.pool.has_choice() {
            store::learn(&instance.pool, clock());
        }
        instance
    }

    /// Sends a request to the server that the session belongs to, and to another
    /// one only where `reach` allows it and the request surely was not sent: no
    /// run begins twice.
    pub(crate) async fn send(
        &self,
        mut request: Request,
        session: &str,
        reach: Reach,
    ) -> Result<Response, RunError> {
        let limit = self.settings.connect_timeout;
        let mut now = clock();
        let mut route = self.pool.route(Digest::of(session), reach, now, limit);
        let mut unreachable = String::new();
        while let Some(Member {
            server,
            availability,
        }) = route.next(now)
        {
            let body = if route.may_go_on() {
                request.body.clone()
            } else {
                request.body.take()
            };
            request.authorize(server.token.as_ref());
            let attempt = availability.attempt(now, limit);
            if attempt == Attempt::Probe {
                self.share(now);
            }
            let response = client::send(&request, body, &server.endpoint, &self.options).await;
            match response.map_err(|code| error_before_response(&code, &self.censor)) {
                Err(RunError::Unreachable(why)) => unreachable = why,
                result => {
                    if availability.connected() {
                        self.share(clock());
                    }
                    return result;
                }
            }
            now = clock();
            if let Some(wait) = availability.refused(attempt, now)
                && self.pool.has_choice()
            {
                log(server, wait, &unreachable);
                self.share(now);
            }
        }
        Err(RunError::Unreachable(unreachable))
    }

    /// Tells other instances what is known of the servers.
    fn share(&self, now: Moment) {
        if self.pool.has_choice() {
            store::tell(&self.pool, now);
        }
    }
}

/// Returns the time of the host's clock, which only ever goes on.
fn clock() -> Moment {
    Duration::from_nanos(monotonic_clock::now())
}

/// Tells the operator, and nobody else, that a server is passed over. A log that
/// cannot be written stops no run.
fn log(server: &Server, wait: Duration, why: &str) {
    // Neither part can hold what JSON would escape: one has passed for a URL,
    // the other is one of our own sentences.
    let line = [
        "{\"passed_over\":\"",
        server.endpoint.authority(),
        "\",\"seconds\":",
        &wait.as_secs().to_string(),
        ",\"detail\":\"",
        why,
        "\"}\n",
    ];
    std::io::stderr().write_all(line.concat().as_bytes()).ok();
}
