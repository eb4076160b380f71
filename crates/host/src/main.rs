//! `wasmtime serve` and `wasmtime run`, for machines without Wasmtime.
//!
//! They have the command line of Wasmtime's own program: the code is the crate
//! `wasmtime-cli` without the features that Tidegate does not need.

#![forbid(unsafe_code)]
// Clippy would check all of Wasmtime first.
#![deny(warnings)]

use clap::Parser;
use wasmtime::Result;
use wasmtime_cli::commands::{RunCommand, ServeCommand};

/// The commands of Wasmtime that Tidegate needs.
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
