//! One HTTP exchange: what a response needs of its request.

use std::time::Duration;

use uuid::Uuid;

use crate::access::UnixMillis;
use crate::access_log::AccessLog;
use crate::error::{ErrorResponse, Form};
use crate::inbound::{Cors, Grant, Headers};

/// The maximum time for one write of a response, unless the settings say another.
pub const DEFAULT_WRITE_TIMEOUT: Duration = Duration::from_mins(2);

/// A request from its arrival until the gateway knows its settings.
#[derive(Debug)]
pub struct Arrival {
    log: AccessLog,
    time: UnixMillis,
    accepts_json: bool,
}

/// A request whose response can be sent. The headers that the settings add to every
/// response are complete.
#[derive(Debug)]
pub struct Exchange {
    /// The line of the access log.
    pub log: AccessLog,
    /// The time at which the request arrived.
    pub arrived: UnixMillis,
    /// The CORS grant of the request's origin, if it has one.
    pub grant: Option<Grant>,
    /// The value of `Strict-Transport-Security`, if it is configured.
    pub transport_security: Option<String>,
    /// The maximum time for one write of the response.
    pub write_timeout: Duration,
    accepts_json: bool,
}

impl Arrival {
    /// Begins with the request's id, time and headers.
    #[must_use]
    pub fn new(id: Uuid, time: UnixMillis, headers: &Headers) -> Self {
        Self {
            log: AccessLog::begin(id),
            time,
            accepts_json: accepts_json(headers),
        }
    }

    /// Returns the time at which the request arrived.
    #[must_use]
    pub fn time(&self) -> UnixMillis {
        self.time
    }

    /// Continues with the headers that the settings add to every response, and the time
    /// limit for its writes.
    #[must_use]
    pub fn with_settings(
        self,
        cors: &Cors,
        transport_security: Option<&String>,
        write_timeout: Duration,
        headers: &Headers,
    ) -> Exchange {
        Exchange {
            grant: cors.grant(headers),
            transport_security: transport_security.cloned(),
            write_timeout,
            ..self.without_settings()
        }
    }

    /// Continues with a response that does not depend on the settings: to a health
    /// check, or because the settings cannot be read.
    #[must_use]
    pub fn without_settings(self) -> Exchange {
        Exchange {
            log: self.log,
            arrived: self.time,
            grant: None,
            transport_security: None,
            write_timeout: DEFAULT_WRITE_TIMEOUT,
            accepts_json: self.accepts_json,
        }
    }
}

impl Exchange {
    /// Returns whether the response to an error is plain text: only a client that asks
    /// for another type than JSON gets it.
    #[must_use]
    pub fn wants_text(&self, response: &ErrorResponse) -> bool {
        match response.form {
            Form::Json => false,
            Form::JsonOrText => !self.accepts_json,
        }
    }
}

/// Returns whether a client accepts JSON. Without `Accept`, it accepts every type
/// (RFC 9110, section 12.5.1).
fn accepts_json(headers: &Headers) -> bool {
    let Some(accept) = headers.text("accept") else {
        return true;
    };
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
    use crate::error::Error;
    use crate::rejection::Rejection;

    #[test]
    fn only_clients_outside_of_the_api_that_do_not_accept_json_get_text() {
        let wants_text = |accept, rejection: Rejection| {
            let headers = Headers::from([("Accept", accept)]);
            let arrival = Arrival::new(Uuid::nil(), UnixMillis::default(), &headers);
            let exchange = arrival.without_settings();
            exchange.wants_text(&Error::from(rejection).into())
        };
        for accept in [
            "",
            "application/json",
            "text/html, application/*;q=0.5",
            "*/*",
        ] {
            assert!(!wants_text(accept, Rejection::NoRoute), "{accept}");
        }
        for accept in ["text/html", "text/event-stream"] {
            assert!(wants_text(accept, Rejection::NoRoute), "{accept}");
            assert!(wants_text(accept, Rejection::Method("POST")), "{accept}");
            assert!(!wants_text(accept, Rejection::Unauthorized), "{accept}");
        }
    }
}
