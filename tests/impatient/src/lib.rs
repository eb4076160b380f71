//! A middleware that cancels its call of the next component after the number of
//! milliseconds in the header `X-Patience`, or with 0 as soon as the call has begun. The
//! client then gets 504.

#![cfg(target_family = "wasm")]

use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{Either, select};
use spin_sdk::http::{IntoResponse as _, StatusCode, next};
use spin_sdk::time::sleep;
use spin_sdk::wasip3;
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response};

struct Impatient;

wasip3::http::service::export!(Impatient with_types_in wasip3);

type Outcome = Result<Response, ErrorCode>;

impl wasip3::exports::http::handler::Guest for Impatient {
    async fn handle(request: Request) -> Outcome {
        let response = match patience(&request) {
            None => Some(pass(request).await),
            Some(Duration::ZERO) => pass(request).now_or_never(),
            Some(patience) => match select(pin!(pass(request)), pin!(sleep(patience))).await {
                Either::Left((response, _)) => Some(response),
                Either::Right(((), _)) => None,
            },
        };
        response.unwrap_or_else(|| StatusCode::GATEWAY_TIMEOUT.into_response())
    }
}

fn patience(request: &Request) -> Option<Duration> {
    let [value] = &request.get_headers().get("x-patience")[..] else {
        return None;
    };
    let milliseconds = std::str::from_utf8(value).ok()?.parse().ok()?;
    Some(Duration::from_millis(milliseconds))
}

async fn pass(request: Request) -> Outcome {
    let mut response = next(request).await?;
    let untouched = response.body_mut().take_unstarted();
    untouched.ok_or(ErrorCode::InternalError(None))
}
