//! `cargo xtask soak`: many streams at once for a minute, of which every tenth
//! client leaves early.
//!
//! ```text
//! upstream   a server of slow scripted answers that counts its connections
//! client     one stream: read to the end and compared, or left
//! memory     what the server's process holds, while it serves
//! ```
//!
//! It fails unless every other answer is right to the byte, the upstream is
//! left by everybody, and the memory stays as it was.

mod client;
mod memory;
mod upstream;

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use clap::Args;

use crate::bench::target::Target;
use crate::components::{self, Runtime};
use crate::host::HostChoice;
use crate::workspace::Workspace;
use client::Course;
use upstream::Upstream;

/// The token of the gateway that is soaked.
const TOKEN: &str = "soak";

/// How many streams there are to one whose client leaves.
const TO_ONE_THAT_LEAVES: usize = 10;

/// How long the upstream's connections may take to close after the last stream.
const CLOSING: Duration = Duration::from_secs(2);

/// How much larger the memory may be in the last quarter than in the second.
const GROWTH: f64 = 1.05;

/// The arguments of `cargo xtask soak`.
#[derive(Args)]
pub(crate) struct Soak {
    /// How many streams there are in all.
    #[arg(long, default_value_t = 2000)]
    streams: usize,
    /// How many of them are open at once.
    #[arg(long, default_value_t = 200)]
    at_once: usize,
    /// How many tokens each has.
    #[arg(long, default_value_t = 50)]
    tokens: usize,
    /// How long each token takes, in milliseconds.
    #[arg(long, default_value_t = 100)]
    pause: u64,
    #[command(flatten)]
    host: HostChoice,
}

impl Soak {
    /// Builds, serves and soaks.
    ///
    /// # Errors
    /// The first answer that is wrong, or what is left behind.
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<()> {
        components::build(workspace)?;
        let upstream = Upstream::start(self.tokens, Duration::from_millis(self.pause))?;
        let name = format!("tidegate-soak-{}.json5", std::process::id());
        let config = std::env::temp_dir().join(name);
        fs::write(&config, document(&upstream))?;
        let host = self.host.find(workspace)?;
        let component = Runtime::Openclaw.composed(workspace);
        let target = Target::component(&host, "tidegate", &component, Some(&config), &[]);
        fs::remove_file(&config)?;
        self.soak(&target?, &upstream)
    }

    fn soak(&self, target: &Target, upstream: &Upstream) -> Result<()> {
        let begun = Instant::now();
        let stopped = AtomicBool::new(false);
        let (left, samples) = thread::scope(|scope| {
            let watching = scope.spawn(|| memory::watch(target, &stopped));
            let left = self.ask(target);
            stopped.store(true, Ordering::Relaxed);
            (left, watching.join().unwrap_or_default())
        });
        let (left, took) = (left?, begun.elapsed());
        let memory = memory::quarters(&samples);
        let open = upstream.wait_for_closes(CLOSING);
        println!();
        println!("{:>8}  answers, right to the byte", self.streams - left);
        println!("{left:>8}  clients left early");
        println!("{open:>8}  connections of the upstream left open");
        if let Some((second, last)) = memory {
            println!("{second:>8.1}  MiB of memory in the second quarter");
            println!("{last:>8.1}  MiB of memory in the last quarter");
        }
        println!("{:>8.1}  seconds", took.as_secs_f64());
        ensure!(
            open == 0,
            "{open} connections of the upstream are left open"
        );
        let grown = memory.is_some_and(|(second, last)| last > GROWTH * second);
        ensure!(!grown, "the memory has grown");
        Ok(())
    }

    /// Asks for all streams, and returns how many clients left early.
    fn ask(&self, target: &Target) -> Result<usize> {
        let next = AtomicUsize::new(0);
        let left = AtomicUsize::new(0);
        let course = Course {
            address: target.address,
            tokens: self.tokens,
        };
        let client = || -> Result<()> {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= self.streams {
                    return Ok(());
                }
                let asked = if number.is_multiple_of(TO_ONE_THAT_LEAVES) {
                    left.fetch_add(1, Ordering::Relaxed);
                    // At another place each time.
                    course.leave(number, number / TO_ONE_THAT_LEAVES % self.tokens)
                } else {
                    course.read(number)
                };
                // The others need not go on after a failure.
                asked.inspect_err(|_| next.store(self.streams, Ordering::Relaxed))?;
            }
        };
        thread::scope(|scope| {
            let clients: Vec<_> = (0..self.at_once).map(|_| scope.spawn(client)).collect();
            let mut clients = clients.into_iter().map(|client| client.join());
            clients.try_for_each(|asked| asked.map_err(|_| anyhow!("a client failed"))?)
        })?;
        Ok(left.into_inner())
    }
}

fn document(upstream: &Upstream) -> String {
    let url = upstream.url();
    format!(
        "{{ gateway: {{ auth: {{ token: '{TOKEN}' }},
             http: {{ endpoints: {{ chatCompletions: {{ enabled: true }} }} }} }},
           tidegate: {{ runtime: {{ url: '{url}' }} }} }}"
    )
}
