//! Data URIs (RFC 2397) of images, in base64 (RFC 4648).

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::rejection::Rejection;
use crate::runtime::Image;

/// The maximum size of an image, in bytes.
pub(super) const SIZE_LIMIT: usize = 10 * 1024 * 1024;

/// The supported media types.
const TYPES: [&str; 6] = [
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "image/heic",
    "image/heif",
];

/// A decoder that accepts missing padding.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Decodes an image. Its bytes determine the media type; the declared one counts only
/// for unknown bytes.
///
/// # Errors
/// Another kind of URL, an unsupported media type, and more than 10 MiB.
pub(super) fn decode(url: &str) -> Result<Image, Rejection> {
    let rest = strip_prefix_ignoring_case(url.trim(), "data:")
        .ok_or_else(|| reject("it must be a data URI"))?;
    let (head, payload) = rest
        .split_once(',')
        .ok_or_else(|| reject("the data URI has no data"))?;
    let mut parameters = head.split(';').map(str::trim);
    let declared = parameters.next().unwrap_or_default().to_ascii_lowercase();
    if !parameters.any(|parameter| parameter.eq_ignore_ascii_case("base64")) {
        return Err(reject("the data URI is not base64"));
    }
    let data = decode_base64(payload)?;
    let declared = if declared.is_empty() {
        "image/png"
    } else {
        &declared
    };
    let media_type = sniff(&data).unwrap_or(declared);
    if !TYPES.contains(&media_type) {
        return Err(reject("images must be JPEG, PNG, GIF, WebP, HEIC or HEIF"));
    }
    Ok(Image {
        media_type: media_type.to_owned(),
        data,
    })
}

fn decode_base64(payload: &str) -> Result<Vec<u8>, Rejection> {
    let compact: String;
    let payload = if payload.contains(|c: char| c.is_ascii_whitespace()) {
        compact = payload.split_ascii_whitespace().collect();
        &compact
    } else {
        payload
    };
    // Four characters encode three bytes.
    if payload.len() / 4 * 3 > SIZE_LIMIT + 3 {
        return Err(reject("an image is larger than 10 MiB"));
    }
    let data = BASE64.decode(payload);
    let data = data.map_err(|_| reject("the data URI is not valid base64"))?;
    match data.len() {
        0 => Err(reject("the data URI has no data")),
        size if size > SIZE_LIMIT => Err(reject("an image is larger than 10 MiB")),
        _ => Ok(data),
    }
}

/// Recognizes the media type by the first bytes (WHATWG MIME Sniffing, section 6.1;
/// ISO 14496-12 for the brands of HEIC and HEIF).
fn sniff(data: &[u8]) -> Option<&'static str> {
    match data {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, rest @ ..] if rest.starts_with(b"WEBP") => {
            Some("image/webp")
        }
        [_, _, _, _, b'f', b't', b'y', b'p', a, b, c, d, ..] => match &[*a, *b, *c, *d] {
            b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" => Some("image/heic"),
            b"mif1" | b"msf1" => Some("image/heif"),
            _ => None,
        },
        [b'%', b'P', b'D', b'F', ..] => Some("application/pdf"),
        _ => None,
    }
}

/// Removes a prefix of either case.
pub(super) fn strip_prefix_ignoring_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Rejects an image.
pub(super) fn reject(why: &str) -> Rejection {
    Rejection::invalid(
        "messages",
        format!("Invalid image_url content in `messages`: {why}."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIF: &str = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

    fn media_type(url: &str) -> Result<String, String> {
        let image = decode(url).map_err(|rejection| rejection.to_string());
        image.map(|image| image.media_type)
    }

    #[test]
    fn the_bytes_determine_the_type_before_the_declaration() {
        for (url, expected) in [
            (format!("data:image/gif;base64,{GIF}"), "image/gif"),
            (format!("data:image/png;base64,{GIF}"), "image/gif"),
            (format!("data:text/plain;base64,{GIF}"), "image/gif"),
            (format!("data:;base64,{GIF}"), "image/gif"),
            (
                format!("DATA:image/gif;charset=utf-8;BASE64,{GIF}"),
                "image/gif",
            ),
            ("data:image/webp;base64,AAAA".to_owned(), "image/webp"),
            ("data:;base64,AAAA".to_owned(), "image/png"),
            ("data:image/png;base64,AA AA\n".to_owned(), "image/png"),
            ("data:image/png;base64,AAA".to_owned(), "image/png"),
        ] {
            assert_eq!(media_type(&url).as_deref(), Ok(expected), "{url}");
        }
    }

    #[test]
    fn other_urls_and_types_are_rejected() {
        for url in [
            "",
            "hello",
            "ftp://example.com/a.png",
            "https://example.com/a.png",
            "data:image/png",
            "data:image/png,abc",
            "data:image/png;base64,",
            "data:image/png;base64,@@@@",
            "data:image/svg+xml;base64,PHN2Zy8+",
            "data:text/plain;base64,aGVsbG8=",
            "data:image/png;base64,JVBERi0xLjc=",
        ] {
            let rejected = media_type(url).unwrap_err();
            assert!(
                rejected.starts_with("Invalid image_url content"),
                "{url}: {rejected}"
            );
        }
    }

    #[test]
    fn the_size_is_limited() {
        let url = |bytes: usize| format!("data:image/png;base64,{}", BASE64.encode(vec![0; bytes]));
        assert!(decode(&url(SIZE_LIMIT)).is_ok());
        assert!(decode(&url(SIZE_LIMIT + 1)).is_err());
    }
}
