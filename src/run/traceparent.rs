//! W3C Trace Context, section 3.2: the header `traceparent`.

use crate::inbound::Headers;

/// Returns the value of `traceparent` if it is valid.
pub(super) fn traceparent(headers: &Headers) -> Option<String> {
    let value = headers.text("traceparent")?;
    let is_hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let parts: Vec<_> = value.split('-').collect();
    let well_formed = match parts.as_slice() {
        ["00", trace, parent, flags] => {
            let lengths = (trace.len(), parent.len(), flags.len()) == (32, 16, 2);
            let some = |part: &str| part.bytes().any(|byte| byte != b'0');
            lengths && is_hex(flags) && [trace, parent].iter().all(|p| is_hex(p) && some(p))
        }
        _ => false,
    };
    well_formed.then(|| value.to_owned())
}

/// Returns the id of the trace in a valid `traceparent` (W3C Trace Context, section 3.2.2.3).
pub(super) fn trace_id(traceparent: Option<&str>) -> Option<&str> {
    traceparent?.split('-').nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_trace_is_the_second_part() {
        let value = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let id = trace_id(Some(value));
        assert_eq!(id, Some("0af7651916cd43dd8448eb211c80319c"));
        assert_eq!(trace_id(None), None);
    }
}
