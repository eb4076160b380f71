//! Tidegate's own tasks: `cargo xtask build | up | serve | plug | test | e2e | bench | soak | key`.
//!
//! ```text
//! workspace    where things are, and cargo itself
//! components   sources                 -> dist/*.wasm
//! composition  socket + plugs          -> one component
//! slim         component               -> the same without long names
//! environment  configuration, secrets  -> what the guest may see
//! host         which `wasmtime` serves
//! server       component + environment -> HTTP, by that host's `wasmtime serve`
//! development  build and serve with nothing but defaults
//! key          chance                  -> a key and its line
//! bench        the gateway beside other servers, measured
//! soak         many streams for a minute, and what is left of them
//! suite        every check of this repository, in order
//! e2e          real clients, the real runtime and real hosts
//! ```
//!
//! A machine with only rustup needs no other tool.

#![forbid(unsafe_code)]

mod bench;
mod components;
mod composition;
mod development;
mod e2e;
mod environment;
mod host;
mod key;
mod server;
mod slim;
mod soak;
mod suite;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::{CommandFailed, Workspace};

/// Tidegate's own tasks.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the components and compose them, into `dist/`.
    Build,
    /// Build, and serve the gateway with a runtime, ready to be asked.
    Up(development::Up),
    /// Make keys for `tidegate.keys`.
    Key(key::KeyTask),
    /// Serve one composed component.
    Serve(server::Serve),
    /// Fill the imports of a component by what others export.
    Plug(composition::Plug),
    /// Measure the gateway beside other servers, on this machine alone.
    Bench(bench::Bench),
    /// Ask for many streams at once, and check every answer and what is left.
    Soak(soak::Soak),
    /// Check formatting and lints, build, and run every test.
    Test(suite::Test),
    /// Run real clients, the real runtime and real hosts, as a table.
    E2e(e2e::EndToEnd),
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            exit_code(&error)
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    let workspace = Workspace::locate()?;
    match task {
        Task::Build => components::build(&workspace),
        Task::Up(up) => up.run(&workspace),
        Task::Key(key) => key.run(),
        Task::Serve(serve) => serve.run(&workspace),
        Task::Plug(plug) => plug.run(),
        Task::Bench(bench) => bench.run(&workspace),
        Task::Soak(soak) => soak.run(&workspace),
        Task::Test(test) => test.run(&workspace),
        Task::E2e(suites) => suites.run(&workspace),
    }
}

/// A failed command's own code, so that a caller of `cargo xtask` learns what
/// a caller of that command would have.
fn exit_code(error: &anyhow::Error) -> ExitCode {
    let failed = error.downcast_ref::<CommandFailed>();
    failed.map_or(ExitCode::FAILURE, |failed| ExitCode::from(failed.code))
}
