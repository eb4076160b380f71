//! Many slow streams at once: the memory and processor time of each.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::http::{Client, chat_request};

use super::target::Target;
use super::workload::{KEY, median};

/// Slow streams.
pub(super) struct Scenario {
    /// The name in the report.
    pub(super) name: &'static str,
    /// The number of streams.
    count: usize,
    /// The time in which they are opened.
    opening: Duration,
    /// The time between tokens, in milliseconds.
    pause: u64,
    /// The time between the last opened stream and the measurement.
    settling: Duration,
    /// The time of the measurement. Without one, opening the streams is measured.
    measuring: Option<Duration>,
}

/// The cost of slow streams on one server.
#[derive(Clone, Copy)]
pub(super) struct StreamSample {
    /// The share of streams that were answered, in percent.
    pub(super) answered: f64,
    /// The resident memory of one stream, in KiB.
    pub(super) resident: f64,
    /// The processor time, in percent of one core.
    pub(super) processor: f64,
    /// The processor time of one token or, for streams that are opened, of one stream, in
    /// microseconds.
    pub(super) each: f64,
}

/// The streams of agents: silent ones, paced tokens, and many that begin.
pub(super) fn scenarios() -> [Scenario; 3] {
    let seconds = Duration::from_secs;
    [
        Scenario {
            name: "1,000 silent streams",
            count: 1000,
            opening: seconds(3),
            pause: 600_000,
            settling: seconds(6),
            // A whole period of heartbeats.
            measuring: Some(seconds(15)),
        },
        Scenario {
            name: "200 streams, a token each 50 ms",
            count: 200,
            opening: seconds(1),
            pause: 50,
            settling: seconds(1),
            measuring: Some(seconds(4)),
        },
        Scenario {
            name: "1,500 streams opened in 10 s",
            count: 1500,
            opening: seconds(10),
            pause: 600_000,
            settling: seconds(1),
            measuring: None,
        },
    ]
}

impl Scenario {
    /// Opens the streams on a server that has done little else, and measures its process.
    pub(super) fn measure(&self, target: &Target) -> Result<StreamSample> {
        let usage = || {
            let usage = target.usage();
            usage.context("only Linux reports the usage of a process")
        };
        let pause = self.pause;
        let script = format!(
            r#"{{"model":"openclaw","stream":true,"messages":[{{"role":"user","content":"tokens:1000000 every:{pause}"}}]}}"#
        );
        let request = chat_request(KEY, &script);
        let before = usage()?;
        let begun = Instant::now();
        let mut open = Vec::new();
        for number in 0..self.count {
            let due = self.opening.mul_f64(number as f64 / self.count as f64);
            thread::sleep(due.saturating_sub(begun.elapsed()));
            // A stream that is not answered is part of the result.
            open.extend(self::open(target, &request).ok());
        }
        thread::sleep(self.settling);
        let (from, since) = match self.measuring {
            Some(_) => (usage()?, Instant::now()),
            None => (before, begun),
        };
        thread::sleep(self.measuring.unwrap_or_default());
        let (ended, time) = (usage()?, since.elapsed());
        let answered = open.len();
        drop(open);
        let spent = ended.processor.saturating_sub(from.processor);
        let more = ended.resident_kib.saturating_sub(before.resident_kib);
        Ok(StreamSample {
            answered: answered as f64 * 100.0 / self.count as f64,
            resident: more as f64 / self.count as f64,
            processor: spent.as_secs_f64() * 100.0 / time.as_secs_f64(),
            each: spent.as_secs_f64() * 1e6 / self.units(time),
        })
    }

    /// Returns the number of tokens or, for streams that are opened, of streams.
    fn units(&self, time: Duration) -> f64 {
        let streams = self.count as f64;
        match self.measuring {
            Some(_) => streams * time.as_secs_f64() * 1000.0 / self.pause as f64,
            None => streams,
        }
    }
}

impl StreamSample {
    /// Returns the median of several samples, number by number.
    pub(super) fn median(samples: &[Self]) -> Self {
        let middle = |number: fn(&Self) -> f64| median(samples.iter().map(number));
        Self {
            answered: middle(|sample| sample.answered),
            resident: middle(|sample| sample.resident),
            processor: middle(|sample| sample.processor),
            each: middle(|sample| sample.each),
        }
    }
}

/// Opens a stream and waits for its status line.
fn open(target: &Target, request: &[u8]) -> Result<Client> {
    let mut client = Client::connect(target.address)?;
    client.send_until(request, "HTTP/1.1 200")?;
    Ok(client)
}
