//! A middleware: a maintenance switch in front of the gateway.
//!
//! If the variable `MAINTENANCE` is a number of seconds, every request except `/healthz`
//! gets 503 with that `Retry-After`. Otherwise requests and responses are forwarded
//! unchanged: streams keep streaming, and the gateway detects disconnected clients.

use spin_sdk::http::{HeaderMap, HeaderValue, IntoResponse as _, StatusCode, next};
use spin_sdk::wasip3;
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response};

/// OpenAI's error object, which SDKs understand.
const CLOSED: &str = r#"{"error":{"message":"Closed for maintenance. Try again later.","type":"api_error","param":null,"code":"maintenance"}}"#;

struct Maintenance;

wasip3::http::service::export!(Maintenance with_types_in wasip3);

impl wasip3::exports::http::handler::Guest for Maintenance {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let is_health_check = request.get_path_with_query().as_deref() == Some("/healthz");
        match closed_for() {
            Some(seconds) if !is_health_check => closed(seconds),
            Some(_) | None => forward(request).await,
        }
    }
}

fn closed_for() -> Option<u32> {
    std::env::var("MAINTENANCE").ok()?.trim().parse().ok()
}

/// Forwards the request to the next component.
async fn forward(request: Request) -> Result<Response, ErrorCode> {
    let mut response = next(request).await?;
    let unchanged = response.body_mut().take_unstarted();
    unchanged.ok_or(ErrorCode::InternalError(None))
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
