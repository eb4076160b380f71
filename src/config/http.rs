//! The settings of HTTP: security headers and CORS.

use tidegate_config::Section;

use crate::inbound::Cors;

/// Reads `strictTransportSecurity`: the value of the header, or `false`.
pub(super) fn read_transport_security(headers: &mut Section<'_>) -> Option<String> {
    const KEY: &str = "strictTransportSecurity";
    if headers.is_false(KEY) {
        return None;
    }
    let text = headers.text(KEY)?;
    let value = text.trim();
    if !value
        .bytes()
        .all(|byte| byte == b' ' || byte.is_ascii_graphic())
    {
        headers.fault(KEY, "must be a valid header value, or false");
        return None;
    }
    (!value.is_empty()).then(|| value.to_owned())
}

/// Reads `tidegate.cors`.
pub(super) fn read_cors(cors: &mut Section<'_>) -> Cors {
    let origins = cors.texts("origins").unwrap_or_default();
    cors.deny_unknown_keys();
    let is_origin = |origin: &String| origin == "*" || Cors::is_origin(origin);
    if !origins.iter().all(is_origin) {
        cors.fault(
            "origins",
            "must contain only origins such as \"https://app.example.com\", or \"*\"",
        );
    }
    Cors::new(origins)
}
