//! The first record of a log.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::UnixMillis;
use crate::reply::ReplyHead;

/// The first record of a log.
#[derive(Debug, Serialize, Deserialize)]
pub struct LogHead {
    /// The id of the reply.
    pub id: String,
    /// The head of the reply.
    pub reply: ReplyHead,
    /// The instance that carries out the run.
    pub instance: Uuid,
    /// Whether the client can get the response again. Otherwise, the log is for retries alone.
    pub is_kept: bool,
    /// Whether the run goes on without its client.
    pub background: bool,
    /// When the log is deleted.
    pub expiry: UnixMillis,
}
