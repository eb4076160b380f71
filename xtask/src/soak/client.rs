//! One stream of a client.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};

use crate::http::{Client, chat_request, token};

use super::KEY;

/// The parameters of all streams.
#[derive(Clone, Copy)]
pub(super) struct Streams {
    /// The address of the gateway.
    pub(super) address: SocketAddr,
    /// The number of tokens of each stream.
    pub(super) tokens: usize,
    /// The time between tokens, in milliseconds.
    pub(super) pause: u64,
}

impl Streams {
    /// Opens a stream and disconnects after a token.
    pub(super) fn leave(&self, number: usize, index: usize) -> Result<()> {
        let mut client = Client::connect(self.address)?;
        client.send_until(&self.request(number), &token(number, index))
    }

    /// Opens a stream, reads it to its end and compares it with the expected text.
    pub(super) fn read(&self, number: usize) -> Result<()> {
        let mut client = Client::connect(self.address)?;
        client.send(&self.request(number))?;
        let body = client.body().context("the framing is invalid")?;
        let expected = self.expected(number, &body)?;
        ensure!(
            body == expected,
            "stream {number} is {body}\ninstead of {expected}"
        );
        Ok(())
    }

    fn request(&self, number: usize) -> Vec<u8> {
        let Self { tokens, pause, .. } = self;
        let body = format!(
            r#"{{"model":"openclaw","stream":true,"messages":[{{"role":"user","content":"stream:{number} tokens:{tokens} every:{pause}"}}]}}"#
        );
        chat_request(KEY, &body)
    }

    /// Returns the expected body of a stream, with the id and the time of `body`.
    fn expected(&self, number: usize, body: &str) -> Result<String> {
        let of = |name: &str, end: &str| {
            let (_, after) = body.split_once(name)?;
            after.split_once(end).map(|(value, _)| value)
        };
        let id = of("\"id\":\"", "\"").context("the stream has no id")?;
        let created = of("\"created\":", ",").context("the stream has no time")?;
        let chunk = |delta: &str, finish: &str| {
            format!(
                "data: {{\"id\":\"{id}\",\"object\":\"chat.completion.chunk\",\"created\":{created},\
                 \"model\":\"openclaw\",\"choices\":[{{\"index\":0,\"delta\":{delta},\
                 \"finish_reason\":{finish}}}]}}\n\n"
            )
        };
        let text = |index| {
            let delta = format!("{{\"content\":\"{}\"}}", token(number, index));
            chunk(&delta, "null")
        };
        let texts: String = (0..self.tokens).map(text).collect();
        let role = chunk("{\"role\":\"assistant\"}", "null");
        let finish = chunk("{}", "\"stop\"");
        Ok([&role, &*texts, &finish, "data: [DONE]\n\n"].concat())
    }
}
