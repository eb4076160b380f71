//! `cargo xtask soak`: many streams at once for a minute. Every tenth client disconnects
//! early.
//!
//! ```text
//! client     one stream: read to the end and compared, or left early
//! memory     the memory of the server's process
//! ```
//!
//! It fails unless every other response is correct to the byte, all connections to the
//! upstream are closed, and the memory does not grow.

mod client;
mod memory;

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use clap::Args;

use crate::bench::target::Target;
use crate::components::{self, Runtime};
use crate::host::HostChoice;
use crate::http::Upstream;
use crate::workspace::Workspace;
use client::Streams;

/// The credential of the clients.
const KEY: &str = "soak";

/// One of this many clients disconnects early.
const CLIENTS_PER_DISCONNECT: usize = 10;

/// The time limit for the upstream's connections to close after the last stream.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// The largest allowed ratio of the memory in the last quarter to the second.
const GROWTH: f64 = 1.05;

/// The arguments of `cargo xtask soak`.
#[derive(Args)]
pub(crate) struct Soak {
    /// The number of streams.
    #[arg(long, default_value_t = 2000)]
    streams: usize,
    /// The number of concurrent streams.
    #[arg(long, default_value_t = 200)]
    at_once: usize,
    /// The number of tokens of each stream.
    #[arg(long, default_value_t = 50)]
    tokens: usize,
    /// The time between tokens, in milliseconds.
    #[arg(long, default_value_t = 100)]
    pause: u64,
    #[command(flatten)]
    host: HostChoice,
}

impl Soak {
    /// Builds, serves and tests.
    ///
    /// # Errors
    /// The first incorrect response, a connection left open, and memory growth.
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<()> {
        components::build_linked(workspace, Runtime::Openclaw)?;
        let upstream = Upstream::start()?;
        let name = format!("tidegate-soak-{}.json5", std::process::id());
        let config = std::env::temp_dir().join(name);
        fs::write(&config, document(&upstream))?;
        let host = self.host.find(workspace)?;
        let component = Runtime::Openclaw.component(workspace);
        let target = Target::component(&host, "tidegate", &component, Some(&config), &[]);
        fs::remove_file(&config)?;
        self.soak(&target?, &upstream)
    }

    fn soak(&self, target: &Target, upstream: &Upstream) -> Result<()> {
        let begun = Instant::now();
        let stopped = AtomicBool::new(false);
        let (left, samples) = thread::scope(|scope| {
            let watching = scope.spawn(|| memory::watch(target, &stopped));
            let left = self.stream(target);
            stopped.store(true, Ordering::Relaxed);
            (left, watching.join().unwrap_or_default())
        });
        let (left, time) = (left?, begun.elapsed());
        let memory = memory::quarters(&samples);
        let open = upstream.wait_for_closes(CLOSE_LIMIT);
        println!();
        println!("{:>8}  correct responses", self.streams - left);
        println!("{left:>8}  clients disconnected early");
        println!("{open:>8}  upstream connections still open");
        if let Some((second, last)) = memory {
            println!("{second:>8.1}  MiB of memory in the second quarter");
            println!("{last:>8.1}  MiB of memory in the last quarter");
        }
        println!("{:>8.1}  seconds", time.as_secs_f64());
        ensure!(open == 0, "{open} upstream connections are still open");
        let grown = memory.is_some_and(|(second, last)| last > GROWTH * second);
        ensure!(!grown, "the memory has grown");
        Ok(())
    }

    /// Opens all streams, and returns the number of clients that disconnected early.
    fn stream(&self, target: &Target) -> Result<usize> {
        let next = AtomicUsize::new(0);
        let left = AtomicUsize::new(0);
        let streams = Streams {
            address: target.address,
            tokens: self.tokens,
            pause: self.pause,
        };
        let client = || -> Result<()> {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= self.streams {
                    return Ok(());
                }
                let outcome = if number.is_multiple_of(CLIENTS_PER_DISCONNECT) {
                    left.fetch_add(1, Ordering::Relaxed);
                    // At a different token each time.
                    let index = number / CLIENTS_PER_DISCONNECT % self.tokens;
                    streams.leave(number, index)
                } else {
                    streams.read(number)
                };
                // Stop the other clients after a failure.
                outcome.inspect_err(|_| next.store(self.streams, Ordering::Relaxed))?;
            }
        };
        thread::scope(|scope| {
            let clients: Vec<_> = (0..self.at_once).map(|_| scope.spawn(client)).collect();
            let mut clients = clients.into_iter().map(|client| client.join());
            clients.try_for_each(|outcome| outcome.map_err(|_| anyhow!("a client panicked"))?)
        })?;
        Ok(left.into_inner())
    }
}

fn document(upstream: &Upstream) -> String {
    let url = upstream.address;
    format!(
        "{{ gateway: {{ auth: {{ token: '{KEY}' }},
             http: {{ endpoints: {{ chatCompletions: {{ enabled: true }} }} }} }},
           tidegate: {{ runtime: {{ url: 'http://{url}' }} }} }}"
    )
}
