//! The nesting of JSON Schemas, which runtimes parse recursively.

use tidegate_json::RawValue;

use crate::openai::request::Raw;

/// The maximum nesting of a schema.
pub(super) const DEPTH_LIMIT: usize = 128;

/// Returns the nesting depth of JSON text.
pub(super) fn depth(json: &RawValue) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in json.get().bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// A schema that nests deeper than [`DEPTH_LIMIT`].
#[derive(Debug)]
pub(super) struct TooDeep;

/// Returns the parameters of a function unchanged, or `None` if they are not an object.
pub(super) fn parameters(schema: Raw<'_>) -> Result<Option<String>, TooDeep> {
    match schema.filter(|schema| schema.get().starts_with('{')) {
        Some(schema) if depth(schema) > DEPTH_LIMIT => Err(TooDeep),
        schema => Ok(schema.map(|schema| schema.get().to_owned())),
    }
}
