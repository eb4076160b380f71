//! The body of `POST /v1/embeddings`.
//!
//! Source: OpenAI's API reference, "Create embeddings".

use serde::Serialize;

use crate::models::Models;
use crate::types::{EmbeddingsRequest, RunError};

#[derive(Serialize)]
struct Body<'r> {
    model: &'r str,
    input: &'r [String],
    /// Servers support this format more reliably than `base64`, which some ignore.
    encoding_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u32>,
}

/// Encodes the body.
///
/// # Errors
/// A defect of the encoder.
pub(super) fn encode(request: &EmbeddingsRequest, models: &Models) -> Result<Vec<u8>, RunError> {
    let body = Body {
        model: &models.of_agent(&request.agent),
        input: &request.inputs,
        encoding_format: "float",
        dimensions: request.dimensions,
    };
    let failed = |_| RunError::Failed("the request cannot be encoded".to_owned());
    serde_json::to_vec(&body).map_err(failed)
}
