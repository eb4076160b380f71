//! Embeddings as one JSON document.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::Error;
use crate::inbound::Holding;
use crate::openai::embeddings::{Embedding, EmbeddingList, Usage, Vector};
use crate::rejection::Rejection;
use crate::run::{ValidEmbeddings, VectorFormat};
use crate::runtime::{EmbeddingsOutcome, RunError};

/// The maximum length of a vector.
const LENGTH_LIMIT: usize = 16_384;

/// The length of a vector for which the memory budget has room before the runtime begins,
/// unless the request has another one.
const EXPECTED_LENGTH: usize = 2048;

/// What a number takes of the memory budget, in bytes of a body, of which the budget counts
/// four times as many: 4 in its vector, and at most 36 as text, in the buffer for the response
/// of a backend or, later, in the document.
const NUMBER_SIZE: usize = 10;

/// The maximum length of a number in the document, in bytes, with its comma.
const NUMBER_LENGTH: usize = 16;

/// The maximum length of an embedding in the document without its vector, in bytes.
const EMBEDDING_LENGTH: usize = 64;

/// Embeddings before the runtime has computed them, with their part of the memory budget.
#[derive(Debug)]
pub struct EmbeddingsReply {
    model: String,
    format: VectorFormat,
    texts: usize,
    dimensions: Option<usize>,
    memory: Holding,
}

impl EmbeddingsReply {
    /// Begins a reply.
    ///
    /// # Errors
    /// The budget has no room for it.
    pub fn begin(valid: &ValidEmbeddings, memory: Holding) -> Result<Self, Rejection> {
        let mut reply = Self {
            model: valid.model().to_owned(),
            format: valid.format(),
            texts: valid.texts(),
            dimensions: valid.dimensions(),
            memory,
        };
        reply.grow_to(reply.dimensions.unwrap_or(EXPECTED_LENGTH))?;
        Ok(reply)
    }

    /// Returns the JSON document, with its part of the memory budget.
    ///
    /// # Errors
    /// Vectors that do not match the request, and a budget without room for them.
    pub fn end(mut self, outcome: EmbeddingsOutcome) -> Result<(Vec<u8>, Holding), Error> {
        let EmbeddingsOutcome {
            vectors,
            input_tokens,
        } = outcome;
        let failed = |why| Error::Embeddings(RunError::Failed(why));
        let length = self.check(&vectors).map_err(failed)?;
        self.grow_to(length)?;
        let embeddings = vectors.iter().enumerate();
        let list = EmbeddingList {
            object: "list",
            data: embeddings
                .map(|(index, vector)| Embedding {
                    object: "embedding",
                    index,
                    embedding: encoded(vector, self.format),
                })
                .collect(),
            model: &self.model,
            usage: Usage::from(input_tokens),
        };
        let size = self.texts * (EMBEDDING_LENGTH + NUMBER_LENGTH * length);
        let mut document = Vec::with_capacity(size);
        serde_json::to_writer(&mut document, &list)
            .map_err(|_| Error::Internal("encoding embeddings"))?;
        Ok((document, self.memory))
    }

    fn grow_to(&mut self, length: usize) -> Result<(), Rejection> {
        self.memory.grow_to(self.texts * length * NUMBER_SIZE)
    }

    /// Checks the vectors, and returns their length.
    fn check(&self, vectors: &[Vec<f32>]) -> Result<usize, String> {
        let (count, texts) = (vectors.len(), self.texts);
        if count != texts {
            return Err(format!(
                "the runtime returned {count} vectors for {texts} texts"
            ));
        }
        let length = self.dimensions.or_else(|| vectors.first().map(Vec::len));
        let length = length.unwrap_or_default();
        if length == 0 || length > LENGTH_LIMIT {
            return Err(format!("the runtime returned a vector of {length} numbers"));
        }
        if let Some(other) = vectors.iter().find(|vector| vector.len() != length) {
            let other = other.len();
            return Err(format!(
                "the runtime returned a vector of {other} numbers instead of {length}"
            ));
        }
        match vectors.iter().flatten().all(|number| number.is_finite()) {
            true => Ok(length),
            false => Err("the runtime returned a number that is not finite".to_owned()),
        }
    }
}

fn encoded(vector: &[f32], format: VectorFormat) -> Vector<'_> {
    match format {
        VectorFormat::Float => Vector::Numbers(vector),
        VectorFormat::Base64 => {
            let bytes: Vec<u8> = vector.iter().flat_map(|n| n.to_le_bytes()).collect();
            Vector::Base64(STANDARD.encode(bytes))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::error::ErrorResponse;
    use crate::inbound::Budget;

    const BODY: usize = 20 * 1024 * 1024;

    fn reply(texts: usize, dimensions: Option<usize>) -> EmbeddingsReply {
        EmbeddingsReply {
            model: "openclaw".to_owned(),
            format: VectorFormat::Float,
            texts,
            dimensions,
            memory: Budget::new(BODY).begin("a"),
        }
    }

    fn outcome(vectors: &[&[f32]]) -> EmbeddingsOutcome {
        EmbeddingsOutcome {
            vectors: vectors.iter().map(|vector| vector.to_vec()).collect(),
            input_tokens: Some(7),
        }
    }

    fn text(reply: EmbeddingsReply, vectors: &[&[f32]]) -> String {
        let (document, _) = reply.end(outcome(vectors)).unwrap();
        String::from_utf8(document).unwrap()
    }

    fn detail(reply: EmbeddingsReply, vectors: &[&[f32]]) -> String {
        let error = reply.end(outcome(vectors)).unwrap_err();
        let response = ErrorResponse::from(error);
        assert_eq!(response.status, 502);
        response.detail.unwrap()
    }

    #[test]
    fn the_document_has_all_members_in_order() {
        assert_eq!(
            text(reply(2, None), &[&[0.125, -1.0], &[0.1, 3e-9]]),
            r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.125,-1.0]},{"object":"embedding","index":1,"embedding":[0.1,3e-9]}],"model":"openclaw","usage":{"prompt_tokens":7,"total_tokens":7}}"#
        );
    }

    #[test]
    fn base64_has_the_same_numbers() {
        let base64 = EmbeddingsReply {
            format: VectorFormat::Base64,
            ..reply(1, None)
        };
        let vector = [0.1, -3.5e-9, f32::MAX, f32::MIN_POSITIVE, 0.0];
        let packed: Value = serde_json::from_str(&text(base64, &[&vector])).unwrap();
        let packed = packed["data"][0]["embedding"].as_str().unwrap().to_owned();
        let bytes = STANDARD.decode(packed).unwrap();
        let numbers = bytes
            .chunks_exact(4)
            .map(|n| f32::from_le_bytes(n.try_into().unwrap()));
        assert_eq!(numbers.collect::<Vec<_>>(), vector);
        let plain: Value = serde_json::from_str(&text(reply(1, None), &[&vector])).unwrap();
        let plain = plain["data"][0]["embedding"].as_array().unwrap().iter();
        let plain: Vec<_> = plain
            .map(|n| n.to_string().parse::<f32>().unwrap())
            .collect();
        assert_eq!(plain, vector);
    }

    #[test]
    fn without_tokens_the_usage_is_zero() {
        let outcome = EmbeddingsOutcome {
            input_tokens: None,
            ..outcome(&[&[1.0]])
        };
        let (document, _) = reply(1, None).end(outcome).unwrap();
        let document: Value = serde_json::from_slice(&document).unwrap();
        let zeros = json!({ "prompt_tokens": 0, "total_tokens": 0 });
        assert_eq!(document["usage"], zeros);
    }

    #[test]
    fn vectors_of_another_number_or_length_are_an_error() {
        let one: &[f32] = &[1.0];
        let long = vec![1.0; LENGTH_LIMIT + 1];
        for (texts, dimensions, vectors, expected) in [
            (2, None, vec![one], "1 vectors for 2 texts"),
            (1, None, vec![one, one], "2 vectors for 1 texts"),
            (1, Some(2), vec![one], "1 numbers instead of 2"),
            (2, None, vec![one, &[1.0, 2.0]], "2 numbers instead of 1"),
            (1, None, vec![&[]], "a vector of 0 numbers"),
            (1, None, vec![&long], "a vector of 16385 numbers"),
        ] {
            let detail = detail(reply(texts, dimensions), &vectors);
            assert!(detail.ends_with(expected), "{detail}");
        }
    }

    #[test]
    fn a_number_that_is_not_finite_is_an_error() {
        for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let detail = detail(reply(1, None), &[&[0.0, number]]);
            assert!(detail.ends_with("not finite"), "{number}");
        }
    }

    #[test]
    fn a_number_has_at_most_its_length() {
        for number in [
            -f32::MIN_POSITIVE,
            f32::MIN,
            -1.234_567_8e-38,
            -0.012_345_679,
        ] {
            let text = serde_json::to_string(&number).unwrap();
            assert!(text.len() < NUMBER_LENGTH, "{text}");
        }
    }

    #[test]
    fn the_reply_takes_part_in_the_budget() {
        let budget = Budget::new(BODY);
        let mut holdings = Vec::new();
        while let Ok(holding) = {
            let mut holding = budget.begin("a");
            holding
                .grow_to(128 * EXPECTED_LENGTH * NUMBER_SIZE)
                .map(|()| holding)
        } {
            holdings.push(holding);
        }
        let mut refused = EmbeddingsReply {
            memory: budget.begin("a"),
            ..reply(128, None)
        };
        assert!(refused.grow_to(EXPECTED_LENGTH).is_err());
        drop(holdings);
        assert!(refused.grow_to(EXPECTED_LENGTH).is_ok());
    }
}
