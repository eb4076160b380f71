//! The embeddings in a backend's response.
//!
//! Source: OpenAI's API reference, "The embedding object".

use tidegate_json::{Member, Shape, SyntaxError, Value, object_shape};

use crate::types::{EmbeddingsOutcome, RunError};

/// The maximum size of a response's body, in bytes.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// What a body may have for each text, in bytes: 5,000 numbers of a double's length.
const TEXT_LIMIT: usize = 128 * 1024;

/// The maximum number of numbers in a vector.
const LENGTH_LIMIT: usize = 16_384;

/// Returns the maximum size of the body for a number of texts, in bytes.
#[must_use]
pub fn body_limit(texts: usize) -> usize {
    TEXT_LIMIT.saturating_mul(texts + 1).min(BODY_LIMIT)
}

#[derive(Default)]
struct Reply {
    data: Member<Vec<Member<Embedding>>>,
    usage: Member<Usage>,
}

object_shape!(Reply {
    "data" => data,
    "usage" => usage,
});

#[derive(Default)]
struct Embedding {
    index: Member<u64>,
    embedding: Member<Vector>,
}

object_shape!(Embedding {
    "index" => index,
    "embedding" => embedding,
});

#[derive(Default)]
struct Usage {
    prompt_tokens: Member<u64>,
}

object_shape!(Usage {
    "prompt_tokens" => prompt_tokens,
});

/// An array of numbers, in the precision of models.
struct Vector(Vec<f32>);

impl<'de> Shape<'de> for Vector {
    fn read(value: Value<'_, 'de>) -> Result<Option<Self>, SyntaxError> {
        let Value::Array(items) = value else {
            return Ok(None);
        };
        let mut numbers = Vec::new();
        while let Some(item) = items.read::<f64>()? {
            match item {
                Member::Is(number) if numbers.len() < LENGTH_LIMIT => numbers.push(number as f32),
                Member::Is(_) | Member::Absent | Member::Null | Member::Not(_) => return Ok(None),
            }
        }
        Ok(Some(Self(numbers)))
    }
}

/// Parses the body of a response to `texts` texts. The vectors are in the order of the texts,
/// whatever their order in the body.
///
/// # Errors
/// A body with another shape, or without exactly one vector for each text.
pub fn parse(body: &[u8], texts: usize) -> Result<EmbeddingsOutcome, RunError> {
    let invalid = || RunError::Failed("the backend's embeddings are invalid".to_owned());
    let text = str::from_utf8(body).map_err(|_| invalid())?;
    let reply: Member<Reply> = tidegate_json::parse(text).map_err(|_| invalid())?;
    let reply = reply.ok().ok_or_else(invalid)?;
    let data = reply.data.ok().ok_or_else(invalid)?;
    let count = data.len();
    let vectors = in_order(data, texts).ok_or_else(|| {
        let why =
            format!("the backend returned {count} embeddings for {texts} texts, or two for one");
        RunError::Failed(why)
    })?;
    let usage = reply.usage.ok();
    Ok(EmbeddingsOutcome {
        vectors,
        input_tokens: usage.and_then(|usage| usage.prompt_tokens.ok()),
    })
}

/// Returns the vectors in the order of their indices. An embedding without an index has its
/// position.
fn in_order(data: Vec<Member<Embedding>>, texts: usize) -> Option<Vec<Vec<f32>>> {
    let mut vectors = vec![None; texts];
    for (position, embedding) in data.into_iter().enumerate() {
        let Embedding { index, embedding } = embedding.ok()?;
        let index = index.optional().ok()?.map(usize::try_from);
        let slot = vectors.get_mut(index.unwrap_or(Ok(position)).ok()?)?;
        let Vector(numbers) = embedding.ok()?;
        if slot.replace(numbers).is_some() {
            return None;
        }
    }
    vectors.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(body: &str, texts: usize) -> Option<Vec<Vec<f32>>> {
        let outcome = parse(body.as_bytes(), texts);
        outcome.ok().map(|outcome| outcome.vectors)
    }

    #[test]
    fn openclaws_answer_is_parsed() {
        let body = r#"{"object":"list","data":[{"object":"embedding","index":0,
            "embedding":[0.125,-1,3e-2,0]}],"model":"openclaw",
            "usage":{"prompt_tokens":7,"total_tokens":7}}"#;
        let outcome = parse(body.as_bytes(), 1).unwrap();
        assert_eq!(outcome.vectors, [[0.125, -1.0, 0.03, 0.0]]);
        assert_eq!(outcome.input_tokens, Some(7));
    }

    #[test]
    fn the_index_determines_the_order() {
        let body = r#"{"data":[{"index":1,"embedding":[1]},{"index":0,"embedding":[0]}]}"#;
        assert_eq!(vectors(body, 2), Some(vec![vec![0.0], vec![1.0]]));
        let body = r#"{"data":[{"embedding":[0]},{"embedding":[1]}]}"#;
        assert_eq!(vectors(body, 2), Some(vec![vec![0.0], vec![1.0]]));
    }

    #[test]
    fn each_text_must_have_one_vector() {
        let one = r#"{"index":0,"embedding":[0]}"#;
        for (body, texts) in [
            (format!(r#"{{"data":[{one}]}}"#), 2),
            (format!(r#"{{"data":[{one},{one}]}}"#), 2),
            (format!(r#"{{"data":[{one},{one}]}}"#), 1),
            (r#"{"data":[]}"#.to_owned(), 1),
            (r#"{"data":[{"index":1,"embedding":[0]}]}"#.to_owned(), 1),
            (r#"{"data":[{"index":-1,"embedding":[0]}]}"#.to_owned(), 1),
        ] {
            assert_eq!(vectors(&body, texts), None, "{body} {texts}");
        }
    }

    #[test]
    fn another_body_is_an_error() {
        let long = format!("[{}0]", "0,".repeat(LENGTH_LIMIT));
        for body in [
            String::new(),
            "{}".to_owned(),
            r#"{"data":null}"#.to_owned(),
            r#"{"data":[{"index":0}]}"#.to_owned(),
            r#"{"data":[{"index":0,"embedding":"AAAA"}]}"#.to_owned(),
            r#"{"data":[{"index":0,"embedding":[0,null]}]}"#.to_owned(),
            r#"{"data":[{"index":0,"embedding":[0]"#.to_owned(),
            format!(r#"{{"data":[{{"index":0,"embedding":{long}}}]}}"#),
        ] {
            let begin: String = body.chars().take(60).collect();
            assert_eq!(vectors(&body, 1), None, "{begin}");
        }
    }

    #[test]
    fn the_limit_grows_with_the_texts() {
        assert_eq!(body_limit(1), 256 * 1024);
        assert_eq!(body_limit(128), BODY_LIMIT);
        assert_eq!(body_limit(usize::MAX - 1), BODY_LIMIT);
    }
}
