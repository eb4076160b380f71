//! Pictures: data URIs to bytes, within limits.
//!
//! Sources: RFC 2397 for data URIs, RFC 4648 for base64 (white space in it does
//! not count); the types are told by the bytes themselves.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::rejection::Rejection;
use crate::runtime::{ContentPart, Image};

/// How many pictures a request may have.
const COUNT_LIMIT: usize = 8;

/// How large one picture may be, in bytes.
const SIZE_LIMIT: usize = 10 * 1024 * 1024;

/// How large all pictures may be together, in bytes.
const TOTAL_LIMIT: usize = 20 * 1024 * 1024;

/// The types of pictures that are taken.
const TYPES: [&str; 6] = [
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "image/heic",
    "image/heif",
];

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Which addresses of pictures are handed on to the runtime. Data URIs always
/// are taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum UrlPolicy {
    /// None.
    #[default]
    Refuse,
    /// Those whose host is one of these, or below one of them where it begins
    /// with `*.`; all, if the list is empty.
    Hosts(Vec<String>),
}

impl UrlPolicy {
    fn allows(&self, host: &str) -> bool {
        match self {
            Self::Refuse => false,
            Self::Hosts(hosts) => hosts.is_empty() || hosts.iter().any(|name| matches(host, name)),
        }
    }
}

fn matches(host: &str, pattern: &str) -> bool {
    match pattern.strip_prefix("*.") {
        None => host.eq_ignore_ascii_case(pattern),
        Some(parent) => {
            let above = host
                .len()
                .checked_sub(parent.len())
                .and_then(|at| host.split_at_checked(at));
            above.is_some_and(|(below, end)| {
                below.len() > 1 && below.ends_with('.') && end.eq_ignore_ascii_case(parent)
            })
        }
    }
}

/// The pictures of one message, counted while they are read.
#[derive(Debug)]
pub(super) struct Images<'p> {
    policy: &'p UrlPolicy,
    count_for_answer: bool,
    count: usize,
    total: usize,
}

impl<'p> Images<'p> {
    /// Begins a message. Pictures of one that is not to be answered are passed
    /// over.
    pub(super) fn new(policy: &'p UrlPolicy, count_for_answer: bool) -> Self {
        Self {
            policy,
            count_for_answer,
            count: 0,
            total: 0,
        }
    }

    /// Reads the picture under a URL.
    pub(super) fn read(&mut self, url: Option<&str>) -> Result<Option<ContentPart>, Rejection> {
        if !self.count_for_answer {
            return Ok(None);
        }
        self.count += 1;
        if self.count > COUNT_LIMIT {
            return Err(refuse("a request takes at most 8 images"));
        }
        let url = url.ok_or_else(|| refuse("the image has no `url`"))?;
        if let Some(host) = host(url) {
            return match self.policy.allows(host) {
                true => Ok(Some(ContentPart::ImageUrl(url.trim().to_owned()))),
                false => Err(refuse(
                    "the address of an image is not one that is allowed here",
                )),
            };
        }
        let image = data_uri(url)?;
        self.total += image.data.len();
        if self.total > TOTAL_LIMIT {
            return Err(refuse("the images are larger than 20 MiB together"));
        }
        Ok(Some(ContentPart::Image(image)))
    }
}

/// Returns the host of an http or https URL, if nothing in it could make another
/// reader see another host: no user, no backslash, no white space.
fn host(url: &str) -> Option<&str> {
    let url = url.trim();
    let rest = strip_prefix_ignoring_case(url, "https://")
        .or_else(|| strip_prefix_ignoring_case(url, "http://"))?;
    let doubtful = |c: char| c == '\\' || c.is_whitespace() || c.is_control();
    let authority = rest.split(['/', '?', '#']).next()?;
    if url.contains(doubtful) || authority.contains('@') {
        return None;
    }
    let host = match authority.strip_prefix('[') {
        Some(address) => address.split_once(']')?.0,
        None => authority.split(':').next()?,
    };
    (!host.is_empty()).then_some(host)
}

fn data_uri(url: &str) -> Result<Image, Rejection> {
    let rest = strip_prefix_ignoring_case(url.trim(), "data:")
        .ok_or_else(|| refuse("only data URIs are taken"))?;
    let (head, payload) = rest
        .split_once(',')
        .ok_or_else(|| refuse("the data URI has no data"))?;
    let mut parameters = head.split(';').map(str::trim);
    let declared = parameters.next().unwrap_or_default().to_ascii_lowercase();
    if !parameters.any(|parameter| parameter.eq_ignore_ascii_case("base64")) {
        return Err(refuse("the data URI is not base64"));
    }
    let data = decode(payload)?;
    let declared = if declared.is_empty() {
        "image/png"
    } else {
        &declared
    };
    let media_type = sniff(&data).unwrap_or(declared);
    if !TYPES.contains(&media_type) {
        return Err(refuse("images must be JPEG, PNG, GIF, WebP, HEIC or HEIF"));
    }
    Ok(Image {
        media_type: media_type.to_owned(),
        data,
    })
}

fn decode(payload: &str) -> Result<Vec<u8>, Rejection> {
    // Four characters are three bytes; white space only makes this larger.
    let compact: String;
    let payload = if payload.contains(|c: char| c.is_ascii_whitespace()) {
        compact = payload.split_ascii_whitespace().collect();
        &compact
    } else {
        payload
    };
    if payload.len() / 4 * 3 > SIZE_LIMIT + 3 {
        return Err(refuse("an image is larger than 10 MiB"));
    }
    let data = BASE64.decode(payload);
    let data = data.map_err(|_| refuse("the data URI is not valid base64"))?;
    match data.len() {
        0 => Err(refuse("the data URI has no data")),
        size if size > SIZE_LIMIT => Err(refuse("an image is larger than 10 MiB")),
        _ => Ok(data),
    }
}

/// Tells the type of a picture by its first bytes (WHATWG MIME Sniffing,
/// section 6.1; ISO 14496-12 for the brands of HEIC and HEIF).
fn sniff(data: &[u8]) -> Option<&'static str> {
    match data {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some("image/webp"),
        [_, _, _, _, b'f', b't', b'y', b'p', a, b, c, d, ..] => match &[*a, *b, *c, *d] {
            b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" => Some("image/heic"),
            b"mif1" | b"msf1" => Some("image/heif"),
            _ => None,
        },
        [b'%', b'P', b'D', b'F', ..] => Some("application/pdf"),
        _ => None,
    }
}

fn strip_prefix_ignoring_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn refuse(why: &str) -> Rejection {
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
        let image = data_uri(url).map_err(|rejection| rejection.to_string());
        image.map(|image| image.media_type)
    }

    #[test]
    fn the_bytes_tell_the_type_and_the_declaration_only_if_they_do_not() {
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
    fn what_is_no_picture_in_a_data_uri_is_refused() {
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
            let refused = media_type(url).unwrap_err();
            assert!(
                refused.starts_with("Invalid image_url content"),
                "{url}: {refused}"
            );
        }
    }

    #[test]
    fn size_and_number_have_limits() {
        let url = |bytes: usize| format!("data:image/png;base64,{}", BASE64.encode(vec![0; bytes]));
        assert!(data_uri(&url(SIZE_LIMIT)).is_ok());
        assert!(data_uri(&url(SIZE_LIMIT + 1)).is_err());

        let mut images = Images::new(&UrlPolicy::Refuse, true);
        assert!(images.read(Some(&url(SIZE_LIMIT))).is_ok());
        assert!(images.read(Some(&url(SIZE_LIMIT))).is_ok());
        assert!(images.read(Some(&url(3))).is_err());

        let mut images = Images::new(&UrlPolicy::Refuse, true);
        let small = url(3);
        assert!((0..COUNT_LIMIT).all(|_| images.read(Some(&small)).is_ok()));
        assert!(images.read(Some(&small)).is_err());
    }

    #[test]
    fn an_address_is_handed_on_only_if_its_host_is_allowed() {
        let hosts = ["example.com".to_owned(), "*.cdn.example".to_owned()];
        let hosts = UrlPolicy::Hosts(hosts.into());
        let read = |policy, url: &str| Images::new(policy, true).read(Some(url)).is_ok();
        for (url, allowed) in [
            ("https://example.com/a.png", true),
            ("HTTP://Example.COM:8080?x", true),
            ("https://a.cdn.example/x", true),
            ("https://cdn.example/x", false),
            ("https://.cdn.example/x", false),
            ("https://evilcdn.example/x", false),
            ("https://example.com.evil.net/", false),
            ("https://example.com@evil.net/", false),
            ("https://evil.net/@example.com", false),
            ("https://evil.net\\\\@example.com/", false),
            ("https://[::1]/", false),
            ("https:///x", false),
            ("https://", false),
            ("ftp://example.com/a.png", false),
        ] {
            assert_eq!(read(&hosts, url), allowed, "{url}");
            assert!(!read(&UrlPolicy::Refuse, url), "{url}");
        }
        assert!(read(
            &UrlPolicy::Hosts(Vec::new()),
            "https://anywhere.net/a.png"
        ));
    }

    #[test]
    fn pictures_of_other_messages_are_passed_over() {
        let mut images = Images::new(&UrlPolicy::Refuse, false);
        assert_eq!(images.read(Some("nonsense")), Ok(None));
    }
}
