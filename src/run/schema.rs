//! The nesting of JSON Schemas, which runtimes parse recursively.

use tidegate_json::RawValue;

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
