//! Embeddings that depend on the text alone.
//!
//! Equal texts have equal vectors, and different texts have different directions. The vectors
//! have no meaning otherwise.

use crate::failure::named;
use crate::types::{EmbeddingsOutcome, EmbeddingsRequest, RunError};

/// The length of a vector, unless the request has another one.
const LENGTH: u32 = 16;

/// Computes the embeddings of a request. A text `/fail kind [seconds]` fails instead, as in a
/// script.
///
/// # Errors
/// The error of the first text that fails.
pub fn embed(request: &EmbeddingsRequest) -> Result<EmbeddingsOutcome, RunError> {
    if let Some(error) = request.inputs.iter().find_map(|text| failure(text)) {
        return Err(error);
    }
    let length = request.dimensions.unwrap_or(LENGTH);
    let texts = || request.inputs.iter();
    let words: usize = texts().map(|text| text.split_whitespace().count()).sum();
    Ok(EmbeddingsOutcome {
        vectors: texts().map(|text| vector(text, length)).collect(),
        input_tokens: u64::try_from(words).ok(),
    })
}

fn failure(text: &str) -> Option<RunError> {
    let mut words = text.strip_prefix("/fail ")?.split_whitespace();
    let kind = words.next()?;
    let seconds = words.next().and_then(|seconds| seconds.parse().ok());
    named(kind, seconds)
}

/// Returns the unit vector of a text.
fn vector(text: &str, length: u32) -> Vec<f32> {
    let mut state = hash(text);
    let numbers: Vec<f64> = (0..length).map(|_| next(&mut state)).collect();
    let squares: f64 = numbers.iter().map(|number| number * number).sum();
    let norm = squares.sqrt();
    let unit = numbers.iter().map(|number| (number / norm) as f32);
    unit.collect()
}

/// Returns the FNV-1a hash of a text.
fn hash(text: &str) -> u64 {
    let bytes = text.bytes();
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Returns the next number of SplitMix64, between -1 and 1 and never 0.
fn next(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut bits = *state;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    let number = f64::from((bits >> 32) as u32) + 0.5;
    number / f64::from(1_u32 << 31) - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Authority;

    fn request(inputs: &[&str], dimensions: Option<u32>) -> EmbeddingsRequest {
        EmbeddingsRequest {
            agent: "main".to_owned(),
            upstream: None,
            authority: Authority::Owner,
            model: None,
            inputs: inputs.iter().map(|text| (*text).to_owned()).collect(),
            dimensions,
            traceparent: None,
        }
    }

    fn vectors(inputs: &[&str], dimensions: Option<u32>) -> Vec<Vec<f32>> {
        embed(&request(inputs, dimensions)).unwrap().vectors
    }

    #[test]
    fn a_vector_depends_on_its_text_alone() {
        let both = vectors(&["one", "two"], None);
        assert_eq!(vectors(&["two"], None), both[1..]);
        assert_ne!(both[0], both[1]);
    }

    #[test]
    fn every_vector_has_the_length_of_the_request_and_the_norm_1() {
        for dimensions in [None, Some(1), Some(8), Some(16_384)] {
            for vector in vectors(&["", "a", "é 🙂"], dimensions) {
                assert_eq!(vector.len() as u32, dimensions.unwrap_or(16));
                let squares: f32 = vector.iter().map(|number| number * number).sum();
                assert!((squares - 1.0).abs() < 1e-3, "{dimensions:?}: {squares}");
            }
        }
    }

    #[test]
    fn the_words_are_the_tokens() {
        let outcome = embed(&request(&["a rose", "is a rose"], None)).unwrap();
        assert_eq!(outcome.input_tokens, Some(5));
    }

    #[test]
    fn a_text_can_fail() {
        let error = embed(&request(&["a", "/fail busy 3"], None));
        assert_eq!(error, Err(RunError::Busy(Some(3))));
        assert!(embed(&request(&["/fail sideways"], None)).is_ok());
    }
}
