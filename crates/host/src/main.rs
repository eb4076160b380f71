//! `wasmtime serve` and `wasmtime run`, for a machine that has no Wasmtime of
//! its own.
//!
//! Both take the command line of the real program, because they are its code:
//! the crate `wasmtime-cli`, without the features that neither needs here.

#![forbid(unsafe_code)]

use clap::Parser;
use wasmtime::Result;
use wasmtime_cli::commands::{RunCommand, ServeCommand};

/// Wasmtime, as far as Tidegate needs it.
#[derive(Parser)]
#[command(name = "wasmtime", version = wasmtime_environ::VERSION)]
enum Wasmtime {
    /// Run a WebAssembly module.
    Run(RunCommand),
    /// Serve HTTP requests with a component.
    Serve(ServeCommand),
}

fn main() -> Result<()> {
    match Wasmtime::parse() {
        Wasmtime::Run(command) => command.execute(),
        Wasmtime::Serve(command) => command.execute(),
    }
}
