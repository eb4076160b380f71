//! The types and values of a request's members.

use tidegate_json::{Kind, Member};

use crate::openai::embeddings::{EmbeddingsRequest, Input};
use crate::openai::request::Text;
use crate::rejection::Rejection;
use crate::run::type_check::nullable;

use super::VectorFormat;

/// The maximum number of texts.
const TEXTS: usize = 128;

/// The maximum length of a text, in UTF-16 code units, as OpenClaw counts.
const TEXT_LENGTH: usize = 8192;

/// The maximum length of all texts together, in UTF-16 code units.
const TOTAL_LENGTH: usize = 65_536;

/// The maximum length of a vector that a client may request.
const DIMENSIONS: f64 = 16_384.0;

/// Checks the types.
///
/// # Errors
/// The first member of the wrong type.
pub(super) fn check_types(request: &EmbeddingsRequest<'_>) -> Result<(), Rejection> {
    nullable("model", "a string", &request.model)?;
    match &request.input {
        Member::Not(kind) => return Err(wrong_input(&format!(", not {kind}"))),
        Member::Null => return Err(wrong_input(", not null")),
        Member::Is(Input::Many(texts)) => texts.iter().try_for_each(check_item)?,
        Member::Absent | Member::Is(Input::One(_)) => {}
    }
    nullable("encoding_format", "a string", &request.encoding_format)?;
    nullable("dimensions", "an integer", &request.dimensions)?;
    nullable("user", "a string", &request.user)
}

fn check_item(item: &Member<Text<'_>>) -> Result<(), Rejection> {
    match item {
        Member::Is(_) => Ok(()),
        Member::Not(Kind::Number | Kind::Array) => {
            Err(wrong_input("; token ids are not supported"))
        }
        Member::Not(kind) => Err(wrong_input(&format!(", not an array with {kind}"))),
        Member::Absent | Member::Null => Err(wrong_input(", not an array with null")),
    }
}

fn wrong_input(found: &str) -> Rejection {
    let message = format!("`input` must be a string or an array of strings{found}.");
    Rejection::invalid("input", message)
}

/// Reads `encoding_format`.
pub(super) fn format(format: &Member<Text<'_>>) -> Result<VectorFormat, Rejection> {
    match format.as_ok().map(AsRef::as_ref) {
        None | Some("float") => Ok(VectorFormat::Float),
        Some("base64") => Ok(VectorFormat::Base64),
        Some(_) => Err(Rejection::invalid(
            "encoding_format",
            "`encoding_format` must be `float` or `base64`.",
        )),
    }
}

/// Reads `dimensions`: an integer from 1 to 16,384.
pub(super) fn dimensions(dimensions: &Member<f64>) -> Result<Option<u32>, Rejection> {
    let Some(&dimensions) = dimensions.as_ok() else {
        return Ok(None);
    };
    let problem = match dimensions {
        _ if dimensions.fract() != 0.0 => "an integer",
        _ if dimensions < 1.0 => "at least 1",
        _ if dimensions > DIMENSIONS => "at most 16384",
        // The range is checked, so the conversion is exact.
        _ => return Ok(Some(dimensions as u32)),
    };
    let message = format!("`dimensions` must be {problem}.");
    Err(Rejection::invalid("dimensions", message))
}

/// Returns the model. Unlike a chat completion, embeddings must name one.
pub(super) fn model<'r>(model: &'r Member<Text<'_>>) -> Result<&'r str, Rejection> {
    let model = model.as_ok().map_or("", AsRef::as_ref);
    match model.trim() {
        "" => Err(Rejection::invalid(
            "model",
            "Missing `model`. Use `openclaw` or `openclaw/<agentId>`.",
        )),
        _ => Ok(model),
    }
}

/// Returns the texts, within their limits.
pub(super) fn texts(input: Member<Input<'_>>) -> Result<Vec<String>, Rejection> {
    let reject = |message: &str| Err(Rejection::invalid("input", message));
    let texts = match input {
        Member::Is(Input::One(text)) => vec![text.into_owned()],
        Member::Is(Input::Many(texts)) => {
            let texts = texts.into_iter().filter_map(Member::ok);
            texts.map(Text::into_owned).collect()
        }
        Member::Absent | Member::Null | Member::Not(_) => return Err(wrong_input("")),
    };
    if texts.is_empty() || texts.iter().any(String::is_empty) {
        return reject("`input` must contain at least one text, and no empty ones.");
    }
    if texts.len() > TEXTS {
        return reject("`input` has too many texts (max 128). Send several requests.");
    }
    let lengths = || texts.iter().map(|text| text.encode_utf16().count());
    if lengths().any(|length| length > TEXT_LENGTH) {
        return reject("A text of `input` is too long (max 8192 characters). Split it.");
    }
    if lengths().sum::<usize>() > TOTAL_LENGTH {
        let message =
            "`input` is too long (max 65536 characters in all texts). Send several requests.";
        return reject(message);
    }
    Ok(texts)
}
