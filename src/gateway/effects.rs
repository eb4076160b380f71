//! What the checks of a request need from outside of the component.

use std::rc::Rc;
use std::time::Duration;

use tidegate_config::Faults;

use crate::access::{PlaceLimit, Store, UnixMillis};
use crate::agents::Upstream;
use crate::config::Config;
use crate::inbound::{Budget, Holding, Upload};
use crate::rejection::Rejection;
use crate::run::ValidEmbeddings;
use crate::runtime::{Agent, EmbeddingsOutcome, RunError};

/// Everything that the checks need from outside of the component.
pub trait Effects {
    /// The host's store.
    type Store: Store;

    /// The place of a run, of a list of agents or of embeddings, within the limits of concurrent runs. Dropping it returns it.
    type Place;

    /// Reads the configuration.
    fn config(&self) -> impl Future<Output = Result<Config, Faults>>;

    /// Opens the host's store. Returns `None` without a store.
    fn store(&self) -> Option<Rc<Self::Store>>;

    /// Deletes what has expired in the store, after the response.
    fn sweep(&self, now: UnixMillis);

    /// Returns the host and port that the request was sent to.
    fn authority(&self) -> Option<String>;

    /// Returns the memory budget of the instance for bodies of at most `body_limit` bytes.
    fn budget(&self, body_limit: usize) -> Budget;

    /// Takes a place within each of these limits.
    fn place(&self, limits: &[PlaceLimit]) -> Result<Self::Place, Rejection>;

    /// Reads the body of the request, whose run has a place. It can be read once.
    fn body(
        &mut self,
        upload: Upload,
        place: &mut Self::Place,
    ) -> impl Future<Output = Result<(Vec<u8>, Holding), Rejection>>;

    /// Waits.
    fn delay(&self, duration: Duration) -> impl Future<Output = ()>;

    /// Lists the agents of a runtime, by default the default one. The list has a place.
    fn agents(
        &self,
        upstream: Option<&Upstream>,
        place: &mut Self::Place,
    ) -> impl Future<Output = Result<Vec<Agent>, RunError>>;

    /// Computes embeddings with the runtime. They have a place.
    fn embed(
        &self,
        valid: ValidEmbeddings,
        place: &mut Self::Place,
    ) -> impl Future<Output = Result<EmbeddingsOutcome, RunError>>;
}
