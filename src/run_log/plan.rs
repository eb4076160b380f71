//! The log that a run is going to have.

use std::time::Duration;

use uuid::Uuid;

use crate::access::Caller;
use crate::rejection::{Rejection, StoredFault};
use crate::run::{SessionSecret, ValidRun};

use super::cipher::Cipher;
use super::keys::LogKeys;
use super::rules::{LogMode, LogRules};

/// The log that a run is going to have.
#[derive(Clone)]
pub struct LogPlan {
    /// The keys in the store.
    pub keys: LogKeys,
    /// Encrypts the values.
    pub cipher: Cipher,
    /// The id of the reply.
    pub id: String,
    /// Whether the run goes on without its client.
    pub background: bool,
    /// How long after the begin of the run the log is deleted.
    pub lifetime: Duration,
    /// The maximum size, in bytes.
    pub limit: usize,
    /// The maximum time of the run without a client.
    pub longest: Duration,
}

impl LogPlan {
    /// Plans the log of a run, if it is to have one. `has_store` is asked for
    /// whether there is a store.
    ///
    /// # Errors
    /// A run in the background that is not to be stored, or cannot be.
    pub fn of(
        run: &ValidRun,
        id: Uuid,
        caller: &Caller,
        rules: &LogRules,
        secret: Option<&SessionSecret>,
        has_store: impl FnOnce() -> bool,
    ) -> Result<Option<Self>, Rejection> {
        let Some(form) = run.response() else {
            return Ok(None);
        };
        match (form.background, form.store) {
            (true, Some(false)) => {
                let problem = "A response in the background is stored. Omit `store`.";
                return Err(Rejection::invalid("store", problem));
            }
            (false, Some(false) | None) => return Ok(None),
            (true, Some(true) | None) | (false, Some(true)) => {}
        }
        let is_on = match rules.mode {
            LogMode::Off => false,
            LogMode::Requested => true,
        };
        match secret.filter(|_| is_on && has_store()) {
            Some(secret) => Ok(Some(Self {
                keys: LogKeys::of_run(caller, id, secret),
                cipher: Cipher::new(secret),
                id: form.id.clone(),
                background: form.background,
                lifetime: rules.longest + rules.keep,
                limit: rules.limit,
                longest: rules.longest,
            })),
            None if form.background => Err(StoredFault::NoBackground.into()),
            None => Ok(None),
        }
    }
}
