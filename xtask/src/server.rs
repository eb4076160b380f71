//! A component on a socket, served by the real `wasmtime serve` as a library.
//!
//! Its arguments never leave this process: a secret among them is on nobody's
//! list of processes.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::{Args, Parser as _};
use wasmtime_cli::commands::ServeCommand;

use crate::environment::Environment;

/// Where a server listens when nobody says otherwise: on this machine only.
pub(crate) const DEFAULT_LISTEN: &str = "127.0.0.1:3000";

/// What `cargo xtask serve` is told.
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
    /// More arguments for `wasmtime serve`.
    #[arg(last = true, value_name = "ARGS")]
    wasmtime: Vec<OsString>,
}

impl Serve {
    /// Serves until it is interrupted.
    pub(crate) fn run(self) -> Result<()> {
        let environment = Environment::load(self.config.as_deref())?;
        serve(&self.component, &environment, self.listen, &self.wasmtime)
    }
}

/// The arguments of `wasmtime`, whose command `serve` is the one that is here.
#[derive(Args)]
pub(crate) struct Wasmtime {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

impl Wasmtime {
    /// Serves until it is interrupted.
    pub(crate) fn run(self) -> Result<()> {
        let is_serve = self.arguments.first().is_some_and(|first| first == "serve");
        ensure!(is_serve, "only `wasmtime serve` is embedded here");
        let served = ServeCommand::parse_from(self.arguments).execute();
        served.map_err(anyhow::Error::from)
    }
}

/// Serves a component until it is interrupted.
pub(crate) fn serve(
    component: &Path,
    environment: &Environment,
    listen: SocketAddr,
    more: &[OsString],
) -> Result<()> {
    let file = component.display();
    ensure!(
        component.is_file(),
        "there is no {file}: run `cargo xtask build`"
    );
    let arguments = arguments(component, environment, listen, more);
    let served = ServeCommand::parse_from(arguments).execute();
    let served = served.map_err(anyhow::Error::from);
    served.with_context(|| format!("cannot serve {file} on {listen}"))
}

fn arguments(
    component: &Path,
    environment: &Environment,
    listen: SocketAddr,
    more: &[OsString],
) -> Vec<OsString> {
    let listen = format!("--addr={listen}");
    // The components' standard library reads its environment through `wasi:cli`.
    let fixed = ["wasmtime serve", "-Scli", "--no-logging-prefix", &listen].map(OsString::from);
    let mut arguments = Vec::from(fixed);
    arguments.extend(environment.arguments().map(OsString::from));
    arguments.extend_from_slice(more);
    arguments.push(component.into());
    arguments
}
