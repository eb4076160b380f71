//! Routing: which endpoint a request addresses.
//!
//! The path is compared as the client sent it: case-sensitive and without
//! percent-decoding. Dot segments are resolved first, and the query is ignored.

use http::Method;

use crate::rejection::Rejection;

use super::api::Api;
use super::head::RequestHead;

/// The header with which a client begins a WebSocket.
const WEB_SOCKET_HEADER: &str = "sec-websocket-version";

/// The result of matching a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A health check. It needs no authentication and never calls the runtime.
    Probe(Probe),
    /// An endpoint of the API.
    Api(Endpoint),
}

/// An endpoint of OpenAI's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// `POST /v1/chat/completions` or `POST /v1/responses`.
    Run(Api),
    /// `GET` or `DELETE /v1/responses/{id}`.
    Response(String),
    /// `POST /v1/responses/{id}/cancel`.
    Cancel(String),
    /// `GET` or `HEAD /v1/models`.
    Models,
    /// `GET` or `HEAD /v1/models/{id}`, with the id as it is in the path.
    Model(String),
    /// `POST /v1/embeddings`.
    Embeddings,
}

/// A health check by the host or an orchestrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// `GET /health` and `/healthz`: the component runs. The configuration does
    /// not matter.
    Health,
    /// `GET /ready` and `/readyz`: the configuration is valid.
    Readiness,
}

impl Route {
    /// Matches the path of a request.
    ///
    /// # Errors
    /// [`Rejection::NoRoute`] for an unknown path.
    pub fn find(target: &str) -> Result<Self, Rejection> {
        Self::of_path(&normal_path(target)).ok_or(Rejection::NoRoute)
    }

    fn of_path(path: &str) -> Option<Self> {
        match path {
            "/health" | "/healthz" => Some(Self::Probe(Probe::Health)),
            "/ready" | "/readyz" => Some(Self::Probe(Probe::Readiness)),
            path => Endpoint::of_path(path).map(Self::Api),
        }
    }
}

impl Endpoint {
    /// Checks the method of a request to this endpoint.
    ///
    /// # Errors
    /// [`Rejection::Method`] with the value of `Allow`, and [`Rejection::WebSocket`] for the
    /// beginning of a WebSocket (RFC 6455, section 4.1), which Codex CLI tries first.
    pub fn check(&self, head: &RequestHead) -> Result<(), Rejection> {
        let method = &head.method;
        let opens_socket = head.headers.first(WEB_SOCKET_HEADER).is_some();
        match self {
            Self::Run(Api::Responses) if *method == Method::GET && opens_socket => {
                Err(Rejection::WebSocket)
            }
            Self::Run(Api::Completions | Api::Responses) | Self::Embeddings => {
                check(method, &[Method::POST], "POST")
            }
            Self::Cancel(_) => check(method, &[Method::POST], "POST"),
            Self::Response(_) => check(method, &[Method::GET, Method::DELETE], "GET, DELETE"),
            Self::Models | Self::Model(_) => check(method, &READ, "GET, HEAD"),
        }
    }

    /// Matches the paths that contain an id.
    fn of_longer_path(path: &str) -> Option<Self> {
        if let Some(id) = path.strip_prefix("/v1/models/") {
            return Some(Self::Model(id.to_owned()));
        }
        let rest = path.strip_prefix("/v1/responses/")?;
        match rest.split_once('/') {
            None if rest.is_empty() => None,
            None => Some(Self::Response(rest.to_owned())),
            Some((id, "cancel")) if !id.is_empty() => Some(Self::Cancel(id.to_owned())),
            Some(_) => None,
        }
    }

    fn of_path(path: &str) -> Option<Self> {
        match path {
            "/v1/chat/completions" => Some(Self::Run(Api::Completions)),
            "/v1/responses" => Some(Self::Run(Api::Responses)),
            "/v1/models" => Some(Self::Models),
            "/v1/embeddings" => Some(Self::Embeddings),
            _ => Self::of_longer_path(path),
        }
    }
}

impl Probe {
    /// Checks the method of a health check.
    ///
    /// # Errors
    /// [`Rejection::Method`] with the value of `Allow`.
    pub fn check(self, method: &Method) -> Result<(), Rejection> {
        check(method, &READ, "GET, HEAD")
    }
}

/// The methods of a document. The host sends only the head of the response to `HEAD`
/// (RFC 9110, section 9.3.2).
const READ: [Method; 2] = [Method::GET, Method::HEAD];

fn check(method: &Method, allowed: &[Method], allow: &'static str) -> Result<(), Rejection> {
    match allowed.contains(method) {
        true => Ok(()),
        false => Err(Rejection::Method(allow)),
    }
}

/// Removes the query and resolves `.` and `..` (RFC 3986, section 5.2.4).
fn normal_path(target: &str) -> String {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let mut segments: Vec<&str> = Vec::new();
    let mut ends_in_folder = false;
    for segment in path.split('/').skip(1) {
        ends_in_folder = segment == "." || segment == "..";
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    if ends_in_folder {
        segments.push("");
    }
    format!("/{}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbound::Headers;

    #[test]
    fn a_path_must_match_exactly() {
        for (target, route) in [
            (
                "/v1/chat/completions",
                Some(Route::Api(Endpoint::Run(Api::Completions))),
            ),
            (
                "/v1/chat/completions?api-version=1",
                Some(Route::Api(Endpoint::Run(Api::Completions))),
            ),
            (
                "/v1/x/../chat/completions",
                Some(Route::Api(Endpoint::Run(Api::Completions))),
            ),
            (
                "/v1/./chat/completions",
                Some(Route::Api(Endpoint::Run(Api::Completions))),
            ),
            (
                "/../v1/chat/completions",
                Some(Route::Api(Endpoint::Run(Api::Completions))),
            ),
            ("/v1/embeddings", Some(Route::Api(Endpoint::Embeddings))),
            ("/v1/models", Some(Route::Api(Endpoint::Models))),
            (
                "/v1/models/",
                Some(Route::Api(Endpoint::Model(String::new()))),
            ),
            (
                "/v1/models/openclaw/main",
                Some(Route::Api(Endpoint::Model("openclaw/main".to_owned()))),
            ),
            ("/healthz", Some(Route::Probe(Probe::Health))),
            ("/v1/chat/completions/", None),
            ("/v1/chat/completions/.", None),
            ("//v1/chat/completions", None),
            ("/v1//chat/completions", None),
            ("/v1/chat%2Fcompletions", None),
            ("/v1/ch%61t/completions", None),
            ("/V1/Chat/Completions", None),
            ("/chat/completions", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(Route::of_path(&normal_path(target)), route, "{target}");
        }
    }

    fn head(method: &Method, headers: Headers) -> RequestHead {
        RequestHead {
            method: method.clone(),
            target: String::new(),
            headers,
        }
    }

    #[test]
    fn a_web_socket_is_refused_where_a_client_tries_one() {
        let headers = || Headers::from([("Sec-WebSocket-Version", "13")]);
        let responses = Endpoint::Run(Api::Responses);
        for (endpoint, method, expected) in [
            (&responses, Method::GET, Err(Rejection::WebSocket)),
            (&responses, Method::PUT, Err(Rejection::Method("POST"))),
            (&responses, Method::POST, Ok(())),
            (
                &Endpoint::Run(Api::Completions),
                Method::GET,
                Err(Rejection::Method("POST")),
            ),
        ] {
            assert_eq!(endpoint.check(&head(&method, headers())), expected);
        }
    }

    #[test]
    fn a_wrong_method_is_rejected_with_the_allowed_ones() {
        let check = |method: &Method, target| match Route::find(target)? {
            Route::Probe(probe) => probe.check(method),
            Route::Api(endpoint) => endpoint.check(&head(method, Headers::default())),
        };
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::PATCH] {
            let refused = check(&method, "/v1/chat/completions");
            assert_eq!(refused, Err(Rejection::Method("POST")), "{method}");
        }
        assert_eq!(
            check(&Method::POST, "/v1/models"),
            Err(Rejection::Method("GET, HEAD"))
        );
        assert_eq!(
            check(&Method::GET, "/v1/responses"),
            Err(Rejection::Method("POST"))
        );
        assert_eq!(
            check(&Method::POST, "/healthz"),
            Err(Rejection::Method("GET, HEAD"))
        );
        for target in ["/healthz", "/v1/models", "/v1/models/openclaw"] {
            assert_eq!(check(&Method::HEAD, target), Ok(()), "{target}");
        }
        assert_eq!(check(&Method::POST, "/nowhere"), Err(Rejection::NoRoute));
    }

    #[test]
    fn the_rejection_of_an_unknown_path_names_every_endpoint() {
        let text = Rejection::NoRoute.to_string();
        let words = text
            .split([' ', ','])
            .map(|word| word.trim_end_matches('.'));
        let paths = words.filter(|word| word.starts_with('/'));
        let named: Vec<_> = paths.map(Route::find).collect();
        assert_eq!(
            named,
            [
                Endpoint::Run(Api::Completions),
                Endpoint::Run(Api::Responses),
                Endpoint::Embeddings,
                Endpoint::Models,
            ]
            .map(|endpoint| Ok(Route::Api(endpoint)))
        );
    }
}
