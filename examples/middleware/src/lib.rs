//! A middleware: a maintenance switch before the gateway.
//!
//! While the variable `MAINTENANCE` holds a number of seconds, every request
//! but `/healthz` is answered by 503 and asked to come again after that time.
//! Otherwise requests and answers pass as they are: streams stay streams, and a
//! client that leaves is noticed behind this component.

use spin_sdk::http::{HeaderMap, HeaderValue, IntoResponse as _, StatusCode, next};
use spin_sdk::wasip3;
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response};

/// OpenAI's error object, which SDKs show to their users.
const CLOSED: &str = r#"{"error":{"message":"Closed for maintenance. Try again later.","type":"api_error","param":null,"code":"maintenance"}}"#;

struct Maintenance;

wasip3::http::service::export!(Maintenance with_types_in wasip3);

impl wasip3::exports::http::handler::Guest for Maintenance {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let asks_for_health = request.get_path_with_query().as_deref() == Some("/healthz");
        match closed_for() {
            Some(seconds) if !asks_for_health => closed(seconds),
            Some(_) | None => pass(request).await,
        }
    }
}

fn closed_for() -> Option<u32> {
    std::env::var("MAINTENANCE").ok()?.trim().parse().ok()
}

/// Hands the request to whatever is behind this component.
async fn pass(request: Request) -> Result<Response, ErrorCode> {
    let mut response = next(request).await?;
    let untouched = response.body_mut().take_unstarted();
    untouched.ok_or(ErrorCode::InternalError(None))
}

fn closed(seconds: u32) -> Result<Response, ErrorCode> {
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    let headers = [("content-type", json), ("retry-after", seconds.into())];
    let mut fields = HeaderMap::new();
    for (name, value) in headers {
        fields.insert(name, value);
    }
    (StatusCode::SERVICE_UNAVAILABLE, fields, CLOSED.to_owned()).into_response()
}
