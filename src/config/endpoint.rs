//! The settings of the HTTP endpoint: image URLs, security headers and CORS.

use tidegate_config::Section;

use crate::inbound::Cors;
use crate::run::UrlPolicy;

/// Reads `images`: `allowUrl` and `urlAllowlist`.
pub(super) fn read_image_urls(images: &mut Section<'_>) -> UrlPolicy {
    let allowlist = images.texts("urlAllowlist").unwrap_or_default();
    let hosts = allowlist.iter().map(|host| host.trim().to_owned());
    match images.flag("allowUrl") {
        Some(true) => UrlPolicy::Hosts(hosts.filter(|host| !host.is_empty()).collect()),
        Some(false) | None => UrlPolicy::Refuse,
    }
}

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
