//! Embeddings: from an authenticated request to the document.

use crate::access::{Caller, permit_run, place_limits};
use crate::config::Settings;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::inbound::{Headers, Upload};
use crate::reply::EmbeddingsReply;
use crate::run::ValidEmbeddings;

use super::{Answer, Effects};

/// The maximum size of a body, in bytes, as with OpenClaw. `tidegate.limits.body` can only
/// lower it.
const BODY_LIMIT: usize = 5 * 1024 * 1024;

/// Answers a request for embeddings. It has the limits of a run: a place while it lasts, a
/// part of the memory budget, and it counts as one of the key's runs.
pub(super) async fn answer<E: Effects>(
    headers: &Headers,
    caller: &Caller,
    settings: &Settings,
    effects: &mut E,
    exchange: &mut Exchange,
) -> Result<Answer<E::Place>, Error> {
    let mut place = effects.place(&place_limits(caller, settings.concurrent_runs))?;
    let (budget, name) = (effects.budget(settings.body_limit), caller.name());
    let limit = settings.body_limit.min(BODY_LIMIT);
    let upload = Upload::begin(headers, limit, budget.begin(&name))?;
    let (body, request_memory) = effects.body(upload, &mut place).await?;
    let valid = ValidEmbeddings::read(body, headers, caller, &settings.rules)?;
    let reply = EmbeddingsReply::begin(&valid, budget.begin(&name))?;
    permit_run(caller, || effects.store(), exchange.arrived)?;
    exchange.log.embeddings(&valid);
    let outcome = effects.embed(valid, &mut place).await;
    drop((request_memory, place));
    let outcome = outcome.map_err(Error::Embeddings)?;
    let tokens = outcome.input_tokens;
    let (document, memory) = reply.end(outcome)?;
    exchange.log.input_tokens(tokens);
    Ok(Answer::Embeddings(document, memory))
}
