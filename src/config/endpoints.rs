//! `gateway.http.endpoints`: the switches of the endpoints, and their image URLs.

use tidegate_config::Section;

use crate::inbound::{Api, Endpoint};
use crate::rejection::Rejection;
use crate::run::{ApiUrls, UrlPolicy};

/// The section of `/v1/chat/completions`.
const COMPLETIONS: &str = "chatCompletions";

/// The section of `/v1/responses`.
const RESPONSES: &str = "responses";

/// The enabled endpoints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// Whether `/v1/chat/completions` is enabled.
    pub completions: bool,
    /// Whether `/v1/responses` is enabled.
    pub responses: bool,
}

impl Endpoints {
    pub(super) fn read(endpoints: &mut Section<'_>) -> Self {
        let mut is_enabled = |key| endpoints.section(key).flag("enabled") == Some(true);
        Self {
            completions: is_enabled(COMPLETIONS),
            responses: is_enabled(RESPONSES),
        }
    }

    /// Checks that an endpoint is enabled. The others are enabled if one of these two is.
    ///
    /// # Errors
    /// [`Rejection::Disabled`].
    pub fn check(self, endpoint: &Endpoint) -> Result<(), Rejection> {
        let is_enabled = match endpoint {
            Endpoint::Run(Api::Completions) => self.completions,
            Endpoint::Run(Api::Responses) | Endpoint::Response(_) | Endpoint::Cancel(_) => {
                self.responses
            }
            Endpoint::Models | Endpoint::Model(_) | Endpoint::Embeddings => true,
        };
        match is_enabled {
            true => Ok(()),
            false => Err(Rejection::Disabled),
        }
    }
}

/// Reads the image URLs of all endpoints.
pub(super) fn read_image_urls(endpoints: &mut Section<'_>) -> ApiUrls {
    let mut policy = |key| read_policy(&mut endpoints.section(key).section("images"));
    ApiUrls {
        completions: policy(COMPLETIONS),
        responses: policy(RESPONSES),
    }
}

/// Reads `images` of an endpoint: `allowUrl` and `urlAllowlist`.
fn read_policy(images: &mut Section<'_>) -> UrlPolicy {
    let allowlist = images.texts("urlAllowlist").unwrap_or_default();
    let hosts = allowlist.iter().map(|host| host.trim().to_owned());
    match images.flag("allowUrl") {
        Some(true) => UrlPolicy::Hosts(hosts.filter(|host| !host.is_empty()).collect()),
        Some(false) | None => UrlPolicy::Refuse,
    }
}
