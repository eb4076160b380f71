//! The requests for stored responses.

use http::Method;

use crate::access::Caller;
use crate::config::Settings;
use crate::inbound::{Endpoint, Holding, RequestHead};
use crate::rejection::{Rejection, StoredFault};
use crate::run::run_of_response;
use crate::run_log::{Cipher, LogKeys, LogMode};

/// A request for a stored response.
pub struct StoredRequest<P> {
    /// The id of the response.
    pub id: String,
    /// The keys of its log, which may not exist.
    pub keys: LogKeys,
    /// Decrypts the log.
    pub cipher: Cipher,
    /// What to do with it.
    pub action: Action,
    /// The memory of the reply.
    pub memory: Holding,
    /// The place among the concurrent runs, because a follower takes as much as a run.
    pub place: P,
}

/// What to do with a stored response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Return it as it is now.
    Get,
    /// Stream its events from this number on, and go on until its end.
    Follow(u64),
    /// Cancel its run.
    Cancel,
    /// Delete it, and cancel its run.
    Delete,
}

impl<P> StoredRequest<P> {
    /// Reads a request, with the memory of its reply and its place.
    ///
    /// # Errors
    /// An id that no response of the caller has, a gateway without logs, and an invalid
    /// parameter of the query.
    pub(super) fn read(
        endpoint: &Endpoint,
        head: &RequestHead,
        caller: &Caller,
        settings: &Settings,
        memory: Holding,
        place: P,
    ) -> Result<Self, Rejection> {
        let id = match endpoint {
            Endpoint::Response(id) | Endpoint::Cancel(id) => id.clone(),
            Endpoint::Run(_) | Endpoint::Models | Endpoint::Model(_) | Endpoint::Embeddings => {
                return Err(Rejection::NoRoute);
            }
        };
        let secret = match settings.runs.mode {
            LogMode::Off => None,
            LogMode::Requested => settings.rules.sessions.secret.as_ref(),
        };
        let Some((run, secret)) = run_of_response(&id).zip(secret) else {
            return Err(StoredFault::NoResponse(id).into());
        };
        Ok(Self {
            keys: LogKeys::of_run(caller, run, secret),
            cipher: Cipher::new(secret),
            action: action(endpoint, head)?,
            id,
            memory,
            place,
        })
    }
}

/// Reads what to do with a response.
///
/// # Errors
/// An invalid parameter of the query.
fn action(endpoint: &Endpoint, head: &RequestHead) -> Result<Action, Rejection> {
    if let Endpoint::Cancel(_) = endpoint {
        return Ok(Action::Cancel);
    }
    if head.method == Method::DELETE {
        return Ok(Action::Delete);
    }
    let (stream, after) = (parameter(head, "stream"), parameter(head, "starting_after"));
    let first = match after {
        None => 0,
        Some(number) => {
            let number: Option<u64> = number.parse().ok();
            let problem = "`starting_after` must be the number of an event.";
            let number = number.ok_or_else(|| Rejection::invalid("starting_after", problem))?;
            number.saturating_add(1)
        }
    };
    match stream {
        Some("true") => Ok(Action::Follow(first)),
        None | Some("false") if after.is_some() => Err(Rejection::invalid(
            "starting_after",
            "`starting_after` needs `stream=true`.",
        )),
        None | Some("false") => Ok(Action::Get),
        Some(_) => Err(Rejection::invalid(
            "stream",
            "`stream` must be `true` or `false`.",
        )),
    }
}

/// Returns the first parameter of the query with a name. The values that are read have no
/// character that a client would encode.
fn parameter<'h>(head: &'h RequestHead, name: &str) -> Option<&'h str> {
    let (_, query) = head.target.split_once('?')?;
    let query = query.split('#').next().unwrap_or_default();
    let mut parameters = query.split('&');
    parameters
        .find_map(|parameter| parameter.split_once('=').filter(|(key, _)| *key == name))
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbound::Headers;

    fn read(method: &Method, target: &str) -> Result<Action, Rejection> {
        let head = RequestHead {
            method: method.clone(),
            target: target.to_owned(),
            headers: Headers::default(),
        };
        action(&Endpoint::Response("resp_1".to_owned()), &head)
    }

    #[test]
    fn the_query_says_what_is_told() {
        for (query, action) in [
            ("", Some(Action::Get)),
            ("?stream=false&include=x", Some(Action::Get)),
            ("?stream=true", Some(Action::Follow(0))),
            ("?stream=true&starting_after=0", Some(Action::Follow(1))),
            ("?starting_after=41&stream=true", Some(Action::Follow(42))),
            (
                "?stream=true&starting_after=18446744073709551615",
                Some(Action::Follow(u64::MAX)),
            ),
            ("?stream=yes", None),
            ("?starting_after=4", None),
            ("?stream=true&starting_after=", None),
            ("?stream=true&starting_after=-1", None),
            ("?stream=true&starting_after=1.5", None),
            ("?stream=true&starting_after=18446744073709551616", None),
        ] {
            let target = format!("/v1/responses/resp_1{query}");
            assert_eq!(read(&Method::GET, &target).ok(), action, "{query}");
        }
        assert_eq!(
            read(&Method::DELETE, "/v1/responses/resp_1"),
            Ok(Action::Delete)
        );
    }
}
