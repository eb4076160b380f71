//! A component on a socket, served by the host's `wasmtime serve`.
//!
//! On Unix this process becomes the host, so that ending it leaves nothing
//! behind. Secrets never stand on the list of processes: see
//! [`Environment::hand_over`].

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::environment::Environment;
use crate::host::{Host, HostChoice};
use crate::workspace::Workspace;

/// Where a server listens by default: on this machine only.
pub(crate) const DEFAULT_LISTEN: &str = "127.0.0.1:3000";

/// How many streams a server takes at a time. One holds up to 150 KiB of the
/// host's memory, so this many hold 1.2 GiB.
const STREAMS: u64 = 8_000;

/// How many files a server needs beside those of its streams.
const OTHER_FILES: u64 = 100;

/// The ceilings of `wasmtime serve`, by their arguments.
const CEILINGS: [&str; 2] = ["--max-concurrent-connections", "--max-concurrent-requests"];

/// The arguments of `cargo xtask serve`.
#[derive(Args)]
pub(crate) struct Serve {
    /// The composed component, such as `dist/tidegate-rehearsal.wasm`.
    component: PathBuf,
    /// The configuration, a JSON5 document. It and the variables that it
    /// names as `${NAME}` are all that the component sees.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = DEFAULT_LISTEN)]
    listen: SocketAddr,
    #[command(flatten)]
    host: HostChoice,
    /// More arguments for `wasmtime serve`.
    #[arg(last = true, value_name = "ARGS")]
    more: Vec<OsString>,
}

impl Serve {
    /// Serves until it is interrupted.
    pub(crate) fn run(self, workspace: &Workspace) -> Result<()> {
        let environment = Environment::load(self.config.as_deref())?;
        let server = Server {
            component: &self.component,
            environment: &environment,
            listen: self.listen,
            more: &self.more,
        };
        server.run(&self.host.find(workspace)?)
    }
}

/// What is served, and where.
pub(crate) struct Server<'a> {
    pub(crate) component: &'a Path,
    pub(crate) environment: &'a Environment,
    pub(crate) listen: SocketAddr,
    /// More arguments for `wasmtime serve`.
    pub(crate) more: &'a [OsString],
}

impl Server<'_> {
    /// Serves on a host until it is interrupted.
    pub(crate) fn run(&self, host: &Host) -> Result<()> {
        let file = self.component.display();
        ensure!(
            self.component.is_file(),
            "{file} does not exist: run `cargo xtask build`"
        );
        let mut command = Command::new(host.program());
        command.args(self.arguments(streams_of(raise_open_files())));
        self.environment.hand_over(&mut command)?;
        command.args(self.more).arg(self.component);
        become_command(command).with_context(|| format!("cannot serve {file} on {}", self.listen))
    }

    fn arguments(&self, streams: u64) -> Vec<String> {
        // The components' standard library reads its environment through `wasi:cli`.
        let fixed = ["serve", "-Scli", "--no-logging-prefix"].map(str::to_owned);
        let listen = format!("--addr={}", self.listen);
        // Without a pool, instances are limited by memory alone.
        let no_pool = "-Opooling-allocator=n".to_owned();
        let ceilings = CEILINGS.into_iter().filter(|ceiling| !self.sets(ceiling));
        let ceilings = ceilings.map(|ceiling| format!("{ceiling}={streams}"));
        fixed
            .into_iter()
            .chain([listen, no_pool])
            .chain(ceilings)
            .collect()
    }

    fn sets(&self, argument: &str) -> bool {
        let mut more = self.more.iter();
        more.any(|given| given.to_string_lossy().split('=').next() == Some(argument))
    }
}

/// Raises this process's limit of open files, which the host inherits, and
/// returns it.
fn raise_open_files() -> u64 {
    let wanted = 2 * STREAMS + OTHER_FILES;
    let allowed = rlimit::increase_nofile_limit(wanted).unwrap_or(wanted);
    if allowed < wanted {
        let streams = streams_of(allowed);
        eprintln!(
            "only {streams} streams at a time, for {allowed} open files: raise `ulimit -Hn` to {wanted}"
        );
    }
    allowed
}

/// Returns how many streams fit into a number of open files: each takes two, the
/// client's connection and the runtime's. Wasmtime exits where it can open none.
fn streams_of(open_files: u64) -> u64 {
    STREAMS
        .min(open_files.saturating_sub(OTHER_FILES) / 2)
        .max(1)
}

/// Turns this process into the command's.
#[cfg(unix)]
fn become_command(mut command: Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec().into())
}

/// Runs the command and waits for its end.
#[cfg(not(unix))]
fn become_command(mut command: Command) -> Result<()> {
    crate::workspace::succeed(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(more: &[&str]) -> Vec<String> {
        let more: Vec<_> = more.iter().map(OsString::from).collect();
        let server = Server {
            component: Path::new("a.wasm"),
            environment: &Environment::default(),
            listen: "127.0.0.1:0".parse().unwrap(),
            more: &more,
        };
        server.arguments(STREAMS)
    }

    #[test]
    fn a_ceiling_of_the_caller_takes_the_place_of_ours() {
        let is_set = |arguments: &[String], ceiling: &str| {
            arguments
                .iter()
                .any(|argument| argument.starts_with(ceiling))
        };
        let default = arguments(&[]);
        assert!(CEILINGS.iter().all(|ceiling| is_set(&default, ceiling)));
        for given in [
            &["--max-concurrent-requests=7"][..],
            &["--max-concurrent-requests", "7"],
        ] {
            let arguments = arguments(given);
            assert!(is_set(&arguments, CEILINGS[0]), "{arguments:?}");
            assert!(!is_set(&arguments, CEILINGS[1]), "{arguments:?}");
        }
    }

    #[test]
    fn fewer_open_files_are_fewer_streams() {
        let streams = [1_048_576, 16_100, 1_100, 100].map(streams_of);
        assert_eq!(streams, [8_000, 8_000, 500, 1]);
    }
}
