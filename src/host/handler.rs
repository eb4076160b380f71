//! The exported handler: a request in, a response out.

use std::time::SystemTime;

use futures_util::FutureExt as _;
use http::StatusCode;
use spin_sdk::wasip3;
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response};
use spin_sdk::wasip3::spawn;
use tidegate_agent::task::{KeepAwake, yield_to_host};

use crate::access::UnixMillis;
use crate::exchange::Arrival;
use crate::gateway::{self, Answer};
use crate::run::RequestIds;

use super::effects::HostEffects;
use super::incoming;
use super::outgoing::Outgoing;
use super::random::random_ids;
use super::{delivery, respond, stored};

struct Handler;

wasip3::http::service::export!(Handler with_types_in wasip3);

impl wasip3::exports::http::handler::Guest for Handler {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let keep_awake = KeepAwake::join();
        // A caller that cancels this call drops the response first and `sending` second:
        // the host traps if a body is dropped while the response can still be read.
        let Outgoing {
            mut sending,
            response,
        } = respond_to(request).await;
        // The host writes the response's head when this function returns. Then it runs
        // all ready tasks of this instance before it reads the body. Without TCP_NODELAY
        // (Spin), a body that arrives later waits 40 ms until the client acknowledges
        // the head. Therefore the first bytes are offered now, and all other ready tasks
        // run now, above all a run that ends.
        let sent = sending.as_mut().now_or_never();
        yield_to_host().await;
        spawn(async move {
            if sent.is_none() {
                sending.await;
            }
            keep_awake.leave();
        });
        Ok(response)
    }
}

async fn respond_to(request: Request) -> Outgoing {
    let head = incoming::head(&request);
    let [request_id, run, session] = random_ids();
    let ids = RequestIds { run, session };
    let now = UnixMillis::of(SystemTime::now());
    let arrival = Arrival::new(request_id, now, &head.headers);
    let mut effects = HostEffects::new(request);
    let (exchange, answer) = gateway::answer(&head, &mut effects, arrival, ids).await;
    match answer {
        Ok(Answer::Document(body)) => respond::json(StatusCode::OK, body, exchange),
        Ok(Answer::Embeddings(body, memory)) => {
            respond::json(StatusCode::OK, body, exchange).holding(memory)
        }
        Ok(Answer::Preflight) => respond::preflight(&head.headers, exchange),
        Ok(Answer::Stored(request, settings)) => {
            stored::respond(*request, &settings, exchange).await
        }
        Ok(Answer::Run(run, settings)) => delivery::deliver(*run, &settings, exchange).await,
        Err(error) => respond::error(error.into(), exchange),
    }
}
