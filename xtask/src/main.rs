//! Tidegate's development tasks: `cargo xtask build | up | doctor | serve | plug | test | e2e | bench | soak | key`.
//!
//! ```text
//! workspace    the folders, and cargo
//! components   sources                 -> dist/*.wasm
//! composition  socket + plugs          -> one component
//! slim         component               -> the same component with short names
//! environment  configuration, secrets  -> the component's environment variables
//! host         the `wasmtime` that serves
//! server       component + environment -> HTTP, with `wasmtime serve`
//! development  builds and serves with defaults
//! doctor       a configuration         -> a report
//! key          entropy                 -> an API key and its configuration
//! http         client and upstream for load tests
//! bench        compares the gateway with other servers
//! soak         many streams for a minute, checked
//! suite        all checks of this repository, in order
//! e2e          real clients, the real runtime and real hosts
//! ```
//!
//! rustup is the only requirement.

#![forbid(unsafe_code)]

mod bench;
mod components;
mod composition;
mod development;
mod doctor;
mod e2e;
mod environment;
mod host;
mod http;
mod key;
mod server;
mod slim;
mod soak;
mod suite;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::{CommandFailed, Workspace};

/// Tidegate's development tasks.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build and compose the components into `dist/`.
    Build(components::Build),
    /// Build and serve the gateway with a runtime.
    Up(development::Up),
    /// Check a configuration, the servers behind it, and OpenClaw's settings.
    Doctor(doctor::Doctor),
    /// Generate API keys for `tidegate.keys`.
    Key(key::KeyTask),
    /// Serve a composed component.
    Serve(server::Serve),
    /// Compose a component with others that fill its imports.
    Plug(composition::Plug),
    /// Compare the gateway's performance with other servers on this machine.
    Bench(bench::Bench),
    /// Open many streams at once, and check every response, connections and memory.
    Soak(soak::Soak),
    /// Check formatting and lints, build, and run all tests.
    Test(suite::Test),
    /// Test with real clients, the real runtime and real hosts.
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
        Task::Build(build) => build.run(&workspace),
        Task::Up(up) => up.run(&workspace),
        Task::Doctor(doctor) => doctor.run(&workspace),
        Task::Key(key) => key.run(),
        Task::Serve(serve) => serve.run(&workspace),
        Task::Plug(plug) => plug.run(),
        Task::Bench(bench) => bench.run(&workspace),
        Task::Soak(soak) => soak.run(&workspace),
        Task::Test(test) => test.run(&workspace),
        Task::E2e(suites) => suites.run(&workspace),
    }
}

/// Returns the exit code of a failed command, so that `cargo xtask` exits with the code of
/// the command that it ran.
fn exit_code(error: &anyhow::Error) -> ExitCode {
    let failed = error.downcast_ref::<CommandFailed>();
    failed.map_or(ExitCode::FAILURE, |failed| ExitCode::from(failed.code))
}
