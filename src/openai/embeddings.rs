//! Embeddings: the request as the client sent it, and the response.
//!
//! Source: OpenAI's API reference, "Create embeddings" and "The embedding object".

use serde::Serialize;
use tidegate_json::{Member, Shape, SyntaxError, Value, object_shape};

use super::request::Text;

/// The body of `POST /v1/embeddings`.
#[derive(Debug, Default)]
pub struct EmbeddingsRequest<'de> {
    /// The model, which names the agent.
    pub model: Member<Text<'de>>,
    /// The texts.
    pub input: Member<Input<'de>>,
    /// The format of the vectors: `float` or `base64`.
    pub encoding_format: Member<Text<'de>>,
    /// The length of the vectors.
    pub dimensions: Member<f64>,
    /// The client's id of its user, which has no effect.
    pub user: Member<Text<'de>>,
}

object_shape!(EmbeddingsRequest<'de> {
    "model" => model,
    "input" => input,
    "encoding_format" => encoding_format,
    "dimensions" => dimensions,
    "user" => user,
});

/// The member `input`: one text, or a list.
#[derive(Debug)]
pub enum Input<'de> {
    /// A single text.
    One(Text<'de>),
    /// A list of texts.
    Many(Vec<Member<Text<'de>>>),
}

impl<'de> Shape<'de> for Input<'de> {
    fn read(value: Value<'_, 'de>) -> Result<Option<Self>, SyntaxError> {
        match value {
            Value::String(text) => Ok(Some(Self::One(text))),
            value => Ok(Vec::read(value)?.map(Self::Many)),
        }
    }
}

/// The response.
#[derive(Debug, Serialize)]
pub struct EmbeddingList<'a> {
    /// Always `list`.
    pub object: &'static str,
    /// An embedding for each text, in the order of the texts.
    pub data: Vec<Embedding<'a>>,
    /// The `model` of the request.
    pub model: &'a str,
    /// The tokens of the texts; zeros if the runtime does not report them.
    pub usage: Usage,
}

/// The embedding of one text.
#[derive(Debug, Serialize)]
pub struct Embedding<'a> {
    /// Always `embedding`.
    pub object: &'static str,
    /// The index of the text, from 0.
    pub index: usize,
    /// The vector.
    pub embedding: Vector<'a>,
}

/// A vector in one of its formats.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Vector<'a> {
    /// JSON numbers. Each is the shortest decimal that has the same value in 32 bits.
    Numbers(&'a [f32]),
    /// The numbers as little-endian IEEE 754 values of 32 bits, in base64.
    Base64(String),
}

/// The tokens of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// The tokens of the texts.
    pub prompt_tokens: u64,
    /// The same number: embeddings have no other tokens.
    pub total_tokens: u64,
}

impl From<Option<u64>> for Usage {
    fn from(tokens: Option<u64>) -> Self {
        let tokens = tokens.unwrap_or_default();
        Self {
            prompt_tokens: tokens,
            total_tokens: tokens,
        }
    }
}
