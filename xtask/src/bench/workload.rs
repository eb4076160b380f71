//! The loads: a request, the number of connections, and the resulting sample.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::http::{Client, Timing, WORD, chat_request, response_request};

/// The API key of every request.
pub(super) const KEY: &str = "bench";

/// The time that each load runs before the measurement: instances end after a second
/// without requests.
const WARM_UP: Duration = Duration::from_millis(200);

/// A load.
pub(super) struct Workload {
    /// The name in the report.
    pub(super) name: &'static str,
    /// The number of connections.
    pub(super) connections: usize,
    /// The number of tokens of a response.
    pub(super) tokens: usize,
    /// How often a response says each token.
    repeats: usize,
    request: Vec<u8>,
}

/// The result of a load on one server.
#[derive(Clone, Default)]
pub(super) struct Sample {
    /// Responses per second.
    pub(super) requests: f64,
    /// The median time of a response, in milliseconds.
    pub(super) median: f64,
    /// The 99th percentile of the time of a response, in milliseconds.
    pub(super) p99: f64,
    /// The median time until the first token, in milliseconds.
    pub(super) first_token: f64,
}

impl Workload {
    /// Requests responses that are not streamed.
    pub(super) fn whole(name: &'static str, connections: usize) -> Self {
        Self::new(name, connections, 1, "false", "")
    }

    /// Requests streams of a number of tokens.
    pub(super) fn stream(name: &'static str, connections: usize, tokens: usize) -> Self {
        Self::new(name, connections, tokens, "true", "")
    }

    /// Requests streams of a number of tokens by the Responses API. Its last events repeat
    /// the text four times.
    pub(super) fn response(name: &'static str, connections: usize, tokens: usize) -> Self {
        let body = format!(r#"{{"model":"openclaw","stream":true,"input":"tokens:{tokens} "}}"#);
        Self {
            name,
            connections,
            tokens,
            repeats: 5,
            request: response_request(KEY, &body),
        }
    }

    /// Sends a message of a number of bytes.
    pub(super) fn long_text(name: &'static str, bytes: usize) -> Self {
        Self::new(name, 1, 1, "false", &"lorem ipsum ".repeat(bytes / 12))
    }

    fn new(
        name: &'static str,
        connections: usize,
        tokens: usize,
        stream: &str,
        text: &str,
    ) -> Self {
        let body = format!(
            r#"{{"model":"openclaw","stream":{stream},"messages":[{{"role":"user","content":"tokens:{tokens} {text}"}}]}}"#
        );
        Self {
            name,
            connections,
            tokens,
            repeats: 1,
            request: chat_request(KEY, &body),
        }
    }

    /// Sends one request and checks the response.
    pub(super) fn check(&self, address: SocketAddr) -> Result<()> {
        let mut client = Client::connect(address)?;
        client.send(&self.request)?;
        let body = client.body().unwrap_or_default();
        let (tokens, name) = (body.matches(WORD).count(), self.name);
        ensure!(
            tokens == self.tokens * self.repeats,
            "{tokens} tokens for {name}"
        );
        Ok(())
    }

    /// Sends requests for as long as `time`, on all connections.
    pub(super) fn run(&self, address: SocketAddr, time: Duration) -> Result<Sample> {
        let begin = Instant::now() + WARM_UP;
        let threads: Vec<_> = (0..self.connections)
            .map(|_| {
                let request = self.request.clone();
                thread::spawn(move || send(address, &request, begin, begin + time))
            })
            .collect();
        let mut timings = Vec::new();
        for thread in threads {
            timings.extend(
                thread
                    .join()
                    .map_err(|_| anyhow::anyhow!("a client failed"))??,
            );
        }
        Ok(Sample::of(&timings, time))
    }
}

/// Returns the timings of the responses between two instants.
fn send(address: SocketAddr, request: &[u8], begin: Instant, end: Instant) -> Result<Vec<Timing>> {
    let mut client = Client::connect(address)?;
    let mut timings = Vec::new();
    loop {
        let timing = client.send(request)?;
        let now = Instant::now();
        if now > end {
            return Ok(timings);
        }
        if now > begin {
            timings.push(timing);
        }
    }
}

impl Sample {
    fn of(timings: &[Timing], time: Duration) -> Self {
        let milliseconds = |time: &Duration| time.as_secs_f64() * 1000.0;
        let whole = sorted(timings.iter().map(|timing| milliseconds(&timing.whole)));
        let first = sorted(
            timings
                .iter()
                .map(|timing| milliseconds(&timing.first_token)),
        );
        Self {
            requests: timings.len() as f64 / time.as_secs_f64(),
            median: at(&whole, 0.5),
            p99: at(&whole, 0.99),
            first_token: at(&first, 0.5),
        }
    }

    /// Returns the median of several samples, number by number.
    pub(super) fn median(samples: &[Self]) -> Self {
        let middle = |number: fn(&Self) -> f64| at(&sorted(samples.iter().map(number)), 0.5);
        Self {
            requests: middle(|sample| sample.requests),
            median: middle(|sample| sample.median),
            p99: middle(|sample| sample.p99),
            first_token: middle(|sample| sample.first_token),
        }
    }
}

/// Returns the median.
pub(super) fn median(numbers: impl IntoIterator<Item = f64>) -> f64 {
    at(&sorted(numbers), 0.5)
}

fn sorted(numbers: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut numbers: Vec<_> = numbers.into_iter().collect();
    numbers.sort_by(f64::total_cmp);
    numbers
}

/// Returns the number at a share of a sorted list, or NaN for an empty list.
fn at(sorted: &[f64], share: f64) -> f64 {
    let index = (sorted.len() as f64 * share) as usize;
    let last = sorted.len().saturating_sub(1);
    sorted.get(index.min(last)).copied().unwrap_or(f64::NAN)
}
