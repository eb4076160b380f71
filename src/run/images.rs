//! Images: data URIs decoded within limits, and URLs checked against an allowlist.

use crate::runtime::ContentPart;

use super::data_uri::{self, Problem, strip_prefix_ignoring_case};

/// The maximum number of images in a request.
const COUNT_LIMIT: usize = 8;

/// The maximum size of all images together, in bytes.
const TOTAL_LIMIT: usize = 20 * 1024 * 1024;

/// Which image URLs the gateway forwards. It always accepts data URIs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum UrlPolicy {
    /// No URLs.
    #[default]
    Refuse,
    /// URLs of these hosts. `*.example.com` matches all subdomains, and an empty list
    /// matches every host.
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

/// Which image URLs the gateway forwards in each API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiUrls {
    /// The policy for chat completions.
    pub completions: UrlPolicy,
    /// The policy for responses.
    pub responses: UrlPolicy,
}

/// The images of a request, and their limits.
#[derive(Debug)]
pub(super) struct Images<'p> {
    policy: &'p UrlPolicy,
    count: usize,
    total: usize,
}

impl<'p> Images<'p> {
    /// Begins a request.
    pub(super) fn new(policy: &'p UrlPolicy) -> Self {
        Self {
            policy,
            count: 0,
            total: 0,
        }
    }

    /// Reads the image of a URL.
    ///
    /// # Errors
    /// A URL that is neither an image's data URI nor allowed, and more than 8 images or
    /// 20 MiB of them.
    pub(super) fn read(&mut self, url: &str) -> Result<ContentPart, Problem> {
        self.count += 1;
        if self.count > COUNT_LIMIT {
            return Err("a request may have at most 8 images");
        }
        if let Some(host) = host(url) {
            return match self.policy.allows(host) {
                true => Ok(ContentPart::ImageUrl(url.trim().to_owned())),
                false => Err("the URL is not in the allowlist"),
            };
        }
        let image = data_uri::decode(url)?;
        self.total += image.data.len();
        if self.total > TOTAL_LIMIT {
            return Err("the images together are larger than 20 MiB");
        }
        Ok(ContentPart::Image(image))
    }
}

/// Returns the host of an http or https URL. A URL that another parser could read
/// differently has none: with a user, a backslash or white space.
fn host(url: &str) -> Option<&str> {
    let url = url.trim();
    let rest = strip_prefix_ignoring_case(url, "https://")
        .or_else(|| strip_prefix_ignoring_case(url, "http://"))?;
    let is_ambiguous = |c: char| c == '\\' || c.is_whitespace() || c.is_control();
    let authority = rest.split(['/', '?', '#']).next()?;
    if url.contains(is_ambiguous) || authority.contains('@') {
        return None;
    }
    let host = match authority.strip_prefix('[') {
        Some(address) => address.split_once(']')?.0,
        None => authority.split(':').next()?,
    };
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    const SIZE_LIMIT: usize = data_uri::SIZE_LIMIT;

    fn url(bytes: usize) -> String {
        let zeros = data_uri::BASE64.encode(vec![0; bytes]);
        format!("data:image/png;base64,{zeros}")
    }

    #[test]
    fn count_and_total_size_are_limited() {
        let mut images = Images::new(&UrlPolicy::Refuse);
        assert!(images.read(&url(SIZE_LIMIT)).is_ok());
        assert!(images.read(&url(SIZE_LIMIT)).is_ok());
        assert!(images.read(&url(3)).is_err());

        let mut images = Images::new(&UrlPolicy::Refuse);
        let small = url(3);
        assert!((0..COUNT_LIMIT).all(|_| images.read(&small).is_ok()));
        assert!(images.read(&small).is_err());
    }

    #[test]
    fn only_urls_of_allowed_hosts_are_forwarded() {
        let hosts = ["example.com".to_owned(), "*.cdn.example".to_owned()];
        let hosts = UrlPolicy::Hosts(hosts.into());
        let read = |policy, url: &str| Images::new(policy).read(url).is_ok();
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
}
