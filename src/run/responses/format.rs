//! The format of the text.

use serde::Serialize;
use tidegate_json::{Member, RawValue};

use crate::openai::responses::{TextConfig, TextFormat};
use crate::rejection::Rejection;
use crate::run::schema::{DEPTH_LIMIT, depth};
use crate::run::type_check::nullable;
use crate::runtime::ResponseFormat;

/// The `json_schema` of the Chat Completions API, which the runtime interface has.
#[derive(Serialize)]
struct JsonSchema<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    schema: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

/// Reads the format. The runtime interprets a schema.
///
/// # Errors
/// A format of an unknown type, and one without a schema.
pub(super) fn read(text: &Member<TextConfig<'_>>) -> Result<Option<ResponseFormat>, Rejection> {
    let Member::Is(text) = text else {
        return Ok(None);
    };
    nullable("text.format", "an object", &text.format)?;
    let Member::Is(format) = &text.format else {
        return Ok(None);
    };
    match format.kind.as_ok().map(AsRef::as_ref) {
        Some("text") => Ok(Some(ResponseFormat::Text)),
        Some("json_object") => Ok(Some(ResponseFormat::JsonObject)),
        Some("json_schema") => json_schema(format).map(Some),
        _ => Err(reject(
            "its `type` must be `text`, `json_object` or `json_schema`",
        )),
    }
}

fn json_schema(format: &TextFormat<'_>) -> Result<ResponseFormat, Rejection> {
    let schema = format.schema.filter(|schema| schema.get().starts_with('{'));
    let schema = schema.ok_or_else(|| reject("its `schema` must be an object"))?;
    if depth(schema) > DEPTH_LIMIT {
        return Err(reject("its `schema` nests deeper than 128 levels"));
    }
    let schema = JsonSchema {
        name: format.name.as_ok().map_or("response", AsRef::as_ref),
        description: format.description.as_ok().map(AsRef::as_ref),
        schema,
        strict: format.strict.as_ok().copied(),
    };
    let schema = serde_json::to_string(&schema);
    let schema = schema.map_err(|_| reject("its `schema` cannot be encoded"))?;
    Ok(ResponseFormat::JsonSchema(schema))
}

fn reject(why: &str) -> Rejection {
    Rejection::invalid("text.format", format!("Invalid `text.format`: {why}."))
}
