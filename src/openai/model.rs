//! Models, as `GET /v1/models` lists them.
//!
//! Source: OpenAI's API reference, "Models".

use serde::Serialize;

/// The response of `GET /v1/models`.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct ModelList {
    /// Always `list`.
    pub object: &'static str,
    /// The models.
    pub data: Vec<Model>,
}

/// One model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Model {
    /// The value for a request's `model`.
    pub id: String,
    /// Always `model`.
    pub object: &'static str,
    /// Always 0: agents have no creation date.
    pub created: u64,
    /// Always `openclaw`.
    pub owned_by: &'static str,
    /// Always empty. Older clients expect it.
    pub permission: [(); 0],
}

impl Model {
    /// Makes a model with an id.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            object: "model",
            created: 0,
            owned_by: "openclaw",
            permission: [],
        }
    }
}

impl ModelList {
    /// Makes a list.
    #[must_use]
    pub fn new(data: Vec<Model>) -> Self {
        let object = "list";
        Self { object, data }
    }
}
