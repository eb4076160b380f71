//! Tests the same component files on every host, with the files in `deploy/`.
//!
//! ```text
//! wasmtime    the container's command line, on several versions of `wasmtime`
//! spin        the SpinKube manifest, if Spin is installed
//! wasmcloud   `wash dev`
//! ```
//!
//! The tests change the addresses in these files and add an API key. A missing host has a
//! row "not at hand"; in CI the row fails if a registry provides the host.

mod spin;
mod wasmcloud;
mod wasmtime;

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use anyhow::Context as _;

use crate::key;

use super::background::{Background, Ending};
use super::report::Report;
use super::script::Verdict;
use super::servers::TOKEN;
use super::site::Site;

/// The claims about every host.
const CLAIMS: &[&str] = &[
    "alive", "whole", "stream", "tool", "models", "leave", "broken", "burst", "401", "limits",
    "packet",
];

/// A key with a low rate limit.
const LIMITED_KEY: &str = "e2e-key-of-five-requests-a-minute";

/// The component for hosts without a key-value store.
const COMPONENT: &str = "tidegate-openclaw-files.wasm";

/// The start of a host, or the reason why the host is missing.
type Found = Result<Start, Absent>;

/// A missing host.
struct Absent {
    why: String,
    /// Whether a registry provides it, so that it is required in CI.
    in_registry: bool,
}

/// The start of a host.
struct Start {
    command: Command,
    address: SocketAddr,
    /// The beginning of the line that it prints when it serves.
    ready: &'static str,
    /// Whether it sets TCP_NODELAY on client connections.
    sets_nodelay: bool,
}

/// Tests every host.
pub(crate) fn run(site: &Site<'_>, report: &mut Report) -> anyhow::Result<()> {
    let llm = &site.openclaw()?.llm;
    for (name, host) in wasmtime::hosts(site, llm)? {
        check(&name, host, site, report)?;
    }
    check("Spin", spin::host(site, llm)?, site, report)?;
    let composed = spin::composed(site, llm)?;
    check("Spin, composed", composed, site, report)?;
    check("wasmCloud", wasmcloud::host(site, llm)?, site, report)?;
    report.script("deploy/", site.python("hosts/manifests.py"))
}

/// Starts a host and tests it.
fn check(name: &str, host: Found, site: &Site<'_>, report: &mut Report) -> anyhow::Result<()> {
    let start = match host {
        Ok(start) => start,
        Err(Absent { why, in_registry }) => {
            let is_ci = std::env::var_os("CI").is_some();
            let verdict = if in_registry && is_ci {
                Verdict::Failed
            } else {
                Verdict::Skipped
            };
            report.absent(name, &why, CLAIMS, verdict);
            return Ok(());
        }
    };
    let log = site.file(&format!("{}.log", file_name(name)));
    let ready = |line: &str| line.contains(start.ready).then_some(());
    let (_server, ()) =
        Background::start(together(start.command), &log, Ending::CloseInput, ready)?;
    let mut script = site.node("hosts/check.mjs");
    script.env("TIDEGATE_BASE_URL", format!("http://{}/v1", start.address));
    script.env("LLM_URL", &site.openclaw()?.llm);
    script.env("TIDEGATE_API_KEY", TOKEN);
    script.env("LIMITED_KEY", LIMITED_KEY);
    if !start.sets_nodelay {
        script.env("WITHOUT_NODELAY", "1");
    }
    report.row(name, CLAIMS, script)
}

/// Converts the name of a row to a file name.
fn file_name(name: &str) -> String {
    name.replace('/', "-")
}

/// Returns a command that ends a host and its child processes when the input closes.
fn together(host: Command) -> Command {
    const SCRIPT: &str = "set -m; \"$@\" & read -r; kill -- -$!; wait";
    let mut bash = Command::new("bash");
    bash.args(["-c", SCRIPT, "bash"]);
    bash.arg(host.get_program()).args(host.get_args());
    for (name, value) in host.get_envs() {
        match value {
            Some(value) => bash.env(name, value),
            None => bash.env_remove(name),
        };
    }
    if let Some(folder) = host.get_current_dir() {
        bash.current_dir(folder);
    }
    bash
}

/// Adds the rate-limited key to a configuration.
fn with_limited_key(document: &str) -> String {
    let digest = key::digest(LIMITED_KEY);
    let line = format!(
        "tidegate: {{ keys: [{{ name: 'e2e', sha256: '{digest}', agents: ['*'], rate: {{ requestsPerMinute: 5 }} }}],"
    );
    document.replace("tidegate: {", &line)
}

fn read(site: &Site<'_>, file: &str) -> anyhow::Result<String> {
    let file = site.root().join(file);
    fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
}
