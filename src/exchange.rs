//! What accompanies a request on its way to an answer.

use uuid::Uuid;

use crate::cors::Grant;
use crate::counters::Milliseconds;
use crate::headers::Headers;
use crate::record::Record;
use crate::rejection::Rejection;

/// A request that is being answered.
#[derive(Debug)]
pub struct Exchange {
    /// What is going to be logged.
    pub record: Record,
    /// When the request came.
    pub arrived: Milliseconds,
    /// The permission of the web page that asks, if one does.
    pub grant: Option<Grant>,
    /// The value of `Strict-Transport-Security`, if there is one.
    pub transport_security: Option<String>,
    accepts_json: bool,
}

/// How an error is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorForm {
    /// As an OpenAI error object.
    Object,
    /// As plain text.
    Text,
}

impl Exchange {
    /// Begins with a request's id, the time and the headers.
    #[must_use]
    pub fn begin(id: Uuid, arrived: Milliseconds, headers: &Headers) -> Self {
        Self {
            record: Record::begin(id),
            arrived,
            grant: None,
            transport_security: None,
            accepts_json: accepts_json(headers),
        }
    }

    /// Chooses the form of an error. Whoever misses the API altogether gets
    /// plain text, as from the reference, unless it says that it takes JSON, as
    /// all of OpenAI's SDKs do.
    #[must_use]
    pub fn error_form(&self, rejection: Option<&Rejection>) -> ErrorForm {
        match rejection {
            Some(Rejection::NoRoute | Rejection::NotOffered | Rejection::Method(_))
                if !self.accepts_json =>
            {
                ErrorForm::Text
            }
            _ => ErrorForm::Object,
        }
    }
}

fn accepts_json(headers: &Headers) -> bool {
    let accept = headers.text("accept").unwrap_or_default();
    let ranges = accept
        .split(',')
        .filter_map(|range| range.split(';').next());
    let json = ["application/json", "application/*", "*/*"];
    ranges
        .map(str::trim)
        .any(|range| json.iter().any(|json| range.eq_ignore_ascii_case(json)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_for_those_who_miss_the_api_and_do_not_ask_for_json() {
        let form = |accept, rejection: &Rejection| {
            let headers = Headers::from([("Accept", accept)]);
            Exchange::begin(Uuid::nil(), 0, &headers).error_form(Some(rejection))
        };
        for accept in ["application/json", "text/html, application/*;q=0.5", "*/*"] {
            assert_eq!(
                form(accept, &Rejection::NoRoute),
                ErrorForm::Object,
                "{accept}"
            );
        }
        for accept in ["", "text/html", "text/event-stream"] {
            assert_eq!(
                form(accept, &Rejection::NoRoute),
                ErrorForm::Text,
                "{accept}"
            );
            assert_eq!(
                form(accept, &Rejection::Method("POST")),
                ErrorForm::Text,
                "{accept}"
            );
            assert_eq!(
                form(accept, &Rejection::Unauthorized),
                ErrorForm::Object,
                "{accept}"
            );
        }
    }
}
