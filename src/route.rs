//! Which endpoint a request is for.
//!
//! The path is compared as it is, undecoded and with its case; dot segments are
//! resolved first and the query is ignored.

use http::Method;

use crate::rejection::Rejection;

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `POST /v1/chat/completions`.
    ChatCompletions,
    /// `GET /v1/models`.
    Models,
    /// `GET /v1/models/{id}`, with the id as it stands in the path.
    Model(String),
    /// `POST /v1/responses` and `POST /v1/embeddings`, which OpenClaw may offer
    /// and this gateway does not.
    NotOffered,
    /// What a host probes. It is open to everyone, and the runtime is not asked.
    Probe(Probe),
}

/// What a host asks of the component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// `GET /health` and `/healthz`: is this alive? Answered whatever the
    /// configuration.
    Health,
    /// `GET /ready` and `/readyz`: can this serve, as it is configured?
    Readiness,
}

impl Route {
    /// Finds the endpoint under a path.
    ///
    /// # Errors
    /// A path that no endpoint has.
    pub fn find(target: &str) -> Result<Self, Rejection> {
        Self::of_path(&normal_path(target)).ok_or(Rejection::NoRoute)
    }

    /// Checks that the endpoint takes a method.
    ///
    /// # Errors
    /// A method that it does not take.
    pub fn check(&self, method: &Method) -> Result<(), Rejection> {
        let allow = self.allow();
        if allow
            .split([',', ' '])
            .any(|allowed| allowed == method.as_str())
        {
            Ok(())
        } else {
            Err(Rejection::Method(allow))
        }
    }

    fn of_path(path: &str) -> Option<Self> {
        match path {
            "/v1/chat/completions" => Some(Self::ChatCompletions),
            "/v1/models" => Some(Self::Models),
            "/v1/responses" | "/v1/embeddings" => Some(Self::NotOffered),
            "/health" | "/healthz" => Some(Self::Probe(Probe::Health)),
            "/ready" | "/readyz" => Some(Self::Probe(Probe::Readiness)),
            _ => {
                let id = path.strip_prefix("/v1/models/")?;
                Some(Self::Model(id.to_owned()))
            }
        }
    }

    /// Returns the methods that the endpoint takes, as the `Allow` header has
    /// them.
    fn allow(&self) -> &'static str {
        match self {
            Self::ChatCompletions | Self::NotOffered => "POST",
            Self::Models | Self::Model(_) => "GET",
            Self::Probe(_) => "GET, HEAD",
        }
    }
}

/// Cuts the query off and resolves `.` and `..` (RFC 3986, section 5.2.4).
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

    #[test]
    fn a_path_is_matched_exactly() {
        for (target, route) in [
            ("/v1/chat/completions", Some(Route::ChatCompletions)),
            (
                "/v1/chat/completions?api-version=1",
                Some(Route::ChatCompletions),
            ),
            ("/v1/x/../chat/completions", Some(Route::ChatCompletions)),
            ("/v1/./chat/completions", Some(Route::ChatCompletions)),
            ("/../v1/chat/completions", Some(Route::ChatCompletions)),
            ("/v1/models", Some(Route::Models)),
            ("/v1/models/", Some(Route::Model(String::new()))),
            (
                "/v1/models/openclaw/main",
                Some(Route::Model("openclaw/main".to_owned())),
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

    #[test]
    fn a_method_that_a_path_does_not_take_is_told_the_right_one() {
        let check = |method: &Method, target| Route::find(target)?.check(method);
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::PATCH] {
            let refused = check(&method, "/v1/chat/completions");
            assert_eq!(refused, Err(Rejection::Method("POST")), "{method}");
        }
        assert_eq!(
            check(&Method::POST, "/v1/models"),
            Err(Rejection::Method("GET"))
        );
        assert_eq!(
            check(&Method::GET, "/v1/responses"),
            Err(Rejection::Method("POST"))
        );
        assert_eq!(
            check(&Method::POST, "/healthz"),
            Err(Rejection::Method("GET, HEAD"))
        );
        assert_eq!(check(&Method::HEAD, "/healthz"), Ok(()));
        assert_eq!(check(&Method::POST, "/nowhere"), Err(Rejection::NoRoute));
    }
}
