//! Data URIs (RFC 2397) in base64 (RFC 4648), and their images.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

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

/// What is wrong with a data URI, as the end of a sentence.
pub(super) type Problem = &'static str;

/// A data URI with base64.
#[derive(Debug)]
pub(super) struct DataUri<'t> {
    /// The declared media type, in lower case and without parameters. It may be empty.
    pub(super) media_type: String,
    /// The data, in base64.
    pub(super) payload: &'t str,
}

impl<'t> DataUri<'t> {
    /// Reads a URL.
    ///
    /// # Errors
    /// Another kind of URL, and a data URI without base64.
    pub(super) fn parse(url: &'t str) -> Result<Self, Problem> {
        let rest = strip_prefix_ignoring_case(url.trim(), "data:");
        let rest = rest.ok_or("it must be a data URI")?;
        let (head, payload) = rest.split_once(',').ok_or("the data URI has no data")?;
        let mut parameters = head.split(';').map(str::trim);
        let media_type = parameters.next().unwrap_or_default().to_ascii_lowercase();
        if !parameters.any(|parameter| parameter.eq_ignore_ascii_case("base64")) {
            return Err("the data URI is not base64");
        }
        Ok(Self {
            media_type,
            payload,
        })
    }
}

/// Decodes an image. Its bytes determine the media type; the declared one counts only
/// for unknown bytes.
///
/// # Errors
/// Another kind of URL, an unsupported media type, and more than 10 MiB.
pub(super) fn decode(url: &str) -> Result<Image, Problem> {
    let uri = DataUri::parse(url)?;
    let data = decode_base64(uri.payload, SIZE_LIMIT, "an image is larger than 10 MiB")?;
    let declared = match uri.media_type.as_str() {
        "" => "image/png",
        declared => declared,
    };
    let media_type = sniff(&data).unwrap_or(declared);
    if !TYPES.contains(&media_type) {
        return Err("images must be JPEG, PNG, GIF, WebP, HEIC or HEIF");
    }
    Ok(Image {
        media_type: media_type.to_owned(),
        data,
    })
}

/// Decodes base64 with white space anywhere.
///
/// # Errors
/// Other characters, no data, and more than `limit` bytes, which is `too_large`.
pub(super) fn decode_base64(
    payload: &str,
    limit: usize,
    too_large: Problem,
) -> Result<Vec<u8>, Problem> {
    let compact: String;
    let payload = if payload.contains(|c: char| c.is_ascii_whitespace()) {
        compact = payload.split_ascii_whitespace().collect();
        &compact
    } else {
        payload
    };
    // Four characters encode three bytes.
    if payload.len() / 4 * 3 > limit + 3 {
        return Err(too_large);
    }
    let data = BASE64
        .decode(payload)
        .map_err(|_| "it is not valid base64")?;
    match data.len() {
        0 => Err("it has no data"),
        size if size > limit => Err(too_large),
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

#[cfg(test)]
mod tests {
    use super::*;

    const GIF: &str = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

    fn media_type(url: &str) -> Result<String, Problem> {
        decode(url).map(|image| image.media_type)
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
            assert_eq!(media_type(&url), Ok(expected.to_owned()), "{url}");
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
            assert!(media_type(url).is_err(), "{url}");
        }
    }

    #[test]
    fn the_size_is_limited() {
        let url = |bytes: usize| format!("data:image/png;base64,{}", BASE64.encode(vec![0; bytes]));
        assert!(decode(&url(SIZE_LIMIT)).is_ok());
        assert!(decode(&url(SIZE_LIMIT + 1)).is_err());
    }
}
