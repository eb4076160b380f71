//! The effects that the checks of a request need.

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::Duration;

use spin_sdk::time::sleep;
use spin_sdk::wasip3::http::types::Request;
use tidegate_config::Faults;

use crate::access::{PlaceLimit, UnixMillis};
use crate::access_log;
use crate::agents::Upstream;
use crate::config::{Config, Settings, WELL_KNOWN_VARIABLES};
use crate::gateway::Effects;
use crate::inbound::{Budget, Holding, Upload};
use crate::rejection::{BodyFault, Rejection};
use crate::run::ValidEmbeddings;
use crate::runtime::{Agent, EmbeddingsOutcome, RunError};

use super::incoming;
use super::places::Place;
use super::runtime;
use super::store::{self, Store};

/// The effects of one request.
pub(crate) struct HostEffects {
    request: Option<Request>,
}

impl HostEffects {
    pub(crate) fn new(request: Request) -> Self {
        let request = Some(request);
        Self { request }
    }
}

impl Effects for HostEffects {
    type Store = Store;
    type Place = Place;

    /// Reads the configuration once per instance. A faulty configuration and one with a
    /// disabled endpoint are read again by the next request, so that the operator can
    /// change them while the instance runs.
    async fn config(&self) -> Result<Config, Faults> {
        thread_local! {
            static SETTINGS: OnceCell<Rc<Settings>> = const { OnceCell::new() };
        }
        if let Some(settings) = SETTINGS.with(|cell| cell.get().cloned()) {
            return Ok(Config::On(settings));
        }
        let config = tidegate_config::load(&WELL_KNOWN_VARIABLES, Config::read).await?;
        if let Config::On(settings) = &config {
            let guards = settings.inactive_guards(store::open().is_some());
            guards.into_iter().for_each(access_log::notice);
            let stored = settings.stored_conversations(store::open().is_some());
            stored.iter().for_each(|notice| access_log::notice(notice));
            warn_of_ignored_file().await;
            SETTINGS.with(|cell| cell.get_or_init(|| Rc::clone(settings)).clone());
        }
        Ok(config)
    }

    fn store(&self) -> Option<Rc<Store>> {
        store::open()
    }

    fn sweep(&self, now: UnixMillis) {
        store::sweep(now);
    }

    fn authority(&self) -> Option<String> {
        self.request.as_ref()?.get_authority()
    }

    fn budget(&self, body_limit: usize) -> Budget {
        thread_local! {
            static BUDGET: OnceCell<Budget> = const { OnceCell::new() };
        }
        BUDGET.with(|cell| cell.get_or_init(|| Budget::new(body_limit)).clone())
    }

    fn place(&self, limits: &[PlaceLimit]) -> Result<Place, Rejection> {
        Place::take(limits)
    }

    async fn body(
        &mut self,
        upload: Upload,
        place: &mut Place,
    ) -> Result<(Vec<u8>, Holding), Rejection> {
        let request = self.request.take();
        let request = request.ok_or(Rejection::Body(BodyFault::Incomplete))?;
        place.while_held(incoming::body(request, upload)).await
    }

    async fn delay(&self, duration: Duration) {
        if !duration.is_zero() {
            sleep(duration).await;
        }
    }

    async fn agents(
        &self,
        upstream: Option<&Upstream>,
        place: &mut Place,
    ) -> Result<Vec<Agent>, RunError> {
        let upstream = upstream.map(|upstream| upstream.as_str().to_owned());
        place.while_held(runtime::agents(upstream)).await
    }

    async fn embed(
        &self,
        valid: ValidEmbeddings,
        place: &mut Place,
    ) -> Result<EmbeddingsOutcome, RunError> {
        place.while_held(runtime::embed(valid)).await
    }
}

/// Writes a notice, once per instance, if a mounted document is ignored. It may be newer.
async fn warn_of_ignored_file() {
    if tidegate_config::ignores_file().await {
        access_log::notice("TIDEGATE_CONFIG is set, so /tidegate.json5 is ignored");
    }
}
