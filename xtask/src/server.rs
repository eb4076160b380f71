//! Serves a component with the host's `wasmtime serve`.
//!
//! On Unix the host replaces this process, so one signal ends both. No argument of the
//! process contains a secret, see [`Environment::apply`].

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::environment::Environment;
use crate::host::{Host, HostChoice};
use crate::workspace::Workspace;

/// The default address: only this machine can connect.
pub(crate) const DEFAULT_LISTEN: &str = "127.0.0.1:3000";

/// The maximum number of concurrent streams. Each takes up to 150 KiB of the host's
/// memory, 1.2 GiB together.
const STREAMS: u64 = 8_000;

/// The number of open files that a server needs in addition to its streams.
const OTHER_FILES: u64 = 100;

/// The arguments of `wasmtime serve` that limit its load.
const LIMITS: [&str; 2] = ["--max-concurrent-connections", "--max-concurrent-requests"];

/// The arguments of `cargo xtask serve`.
#[derive(Args)]
pub(crate) struct Serve {
    /// The composed component, such as `dist/tidegate-rehearsal.wasm`.
    component: PathBuf,
    /// The configuration, a JSON5 document. The component sees only this document and
    /// the variables in it, `${NAME}`.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The address to listen on; port 0 selects a free port.
    #[arg(long, value_name = "ADDR", default_value = DEFAULT_LISTEN)]
    listen: SocketAddr,
    #[command(flatten)]
    host: HostChoice,
    /// More arguments for `wasmtime serve`.
    #[arg(last = true, value_name = "ARGS")]
    more: Vec<OsString>,
}

impl Serve {
    /// Serves until the process is interrupted.
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

/// A component, its environment and its address.
pub(crate) struct Server<'a> {
    pub(crate) component: &'a Path,
    pub(crate) environment: &'a Environment,
    pub(crate) listen: SocketAddr,
    /// More arguments for `wasmtime serve`.
    pub(crate) more: &'a [OsString],
}

impl Server<'_> {
    /// Serves on a host until the process is interrupted.
    pub(crate) fn run(&self, host: &Host) -> Result<()> {
        let file = self.component.display();
        ensure!(
            self.component.is_file(),
            "{file} does not exist: run `cargo xtask build`"
        );
        let mut command = Command::new(host.program());
        command.args(self.arguments(streams_of(raise_open_files())));
        self.environment.apply(&mut command)?;
        command.args(self.more).arg(self.component);
        become_command(command).with_context(|| format!("cannot serve {file} on {}", self.listen))
    }

    fn arguments(&self, streams: u64) -> Vec<String> {
        // Rust's standard library reads the environment through `wasi:cli`.
        let fixed = ["serve", "-Scli", "--no-logging-prefix"].map(str::to_owned);
        let listen = format!("--addr={}", self.listen);
        // Without a pool, only memory limits the number of instances.
        let no_pool = "-Opooling-allocator=n".to_owned();
        let limits = LIMITS.into_iter().filter(|limit| !self.sets(limit));
        let limits = limits.map(|limit| format!("{limit}={streams}"));
        fixed
            .into_iter()
            .chain([listen, no_pool])
            .chain(limits)
            .collect()
    }

    fn sets(&self, argument: &str) -> bool {
        let mut more = self.more.iter();
        more.any(|given| given.to_string_lossy().split('=').next() == Some(argument))
    }
}

/// Raises the limit of open files for this process and the host, and returns it.
pub(crate) fn raise_open_files() -> u64 {
    let wanted = 2 * STREAMS + OTHER_FILES;
    let allowed = rlimit::increase_nofile_limit(wanted).unwrap_or(wanted);
    if allowed < wanted {
        let streams = streams_of(allowed);
        eprintln!(
            "limited to {streams} concurrent streams by {allowed} open files: raise `ulimit -Hn` to {wanted}"
        );
    }
    allowed
}

/// Returns the number of streams for a number of open files. Each stream takes two, the
/// client's connection and the runtime's. Wasmtime exits when it cannot open a file.
fn streams_of(open_files: u64) -> u64 {
    STREAMS
        .min(open_files.saturating_sub(OTHER_FILES) / 2)
        .max(1)
}

/// Replaces this process with the command.
#[cfg(unix)]
fn become_command(mut command: Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec().into())
}

/// Runs the command until it ends.
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
    fn an_argument_replaces_a_default_limit() {
        let is_set = |arguments: &[String], limit: &str| {
            arguments.iter().any(|argument| argument.starts_with(limit))
        };
        let default = arguments(&[]);
        assert!(LIMITS.iter().all(|limit| is_set(&default, limit)));
        for given in [
            &["--max-concurrent-requests=7"][..],
            &["--max-concurrent-requests", "7"],
        ] {
            let arguments = arguments(given);
            assert!(is_set(&arguments, LIMITS[0]), "{arguments:?}");
            assert!(!is_set(&arguments, LIMITS[1]), "{arguments:?}");
        }
    }

    #[test]
    fn open_files_limit_the_number_of_streams() {
        let streams = [1_048_576, 16_100, 1_100, 100].map(streams_of);
        assert_eq!(streams, [8_000, 8_000, 500, 1]);
    }
}
