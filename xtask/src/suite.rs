//! `cargo xtask test`: all checks of this repository, in order.
//!
//! The package `host` is excluded, because it would build all of Wasmtime.

use anyhow::Result;
use clap::Args;

use crate::components::{self, FIXTURES, PACKAGES};
use crate::host::{self, HostChoice};
use crate::workspace::{WASM_TARGET, Workspace, succeed};

const WITHOUT_HOST: [&str; 3] = ["--workspace", "--exclude", "host"];

/// The variable by which the tests select the composed components.
const FORM: &str = "TIDEGATE_FORM";

const DENY_WARNINGS: [&str; 3] = ["--", "-D", "warnings"];

/// The arguments of `cargo xtask test`.
#[derive(Args)]
pub(crate) struct Test {
    /// Run only the tests whose names contain one of these texts.
    filters: Vec<String>,
    #[command(flatten)]
    host: HostChoice,
}

impl Test {
    /// Runs the checks until one fails.
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<()> {
        workspace.ensure_wasm_target()?;
        for check in before_build() {
            check.run(workspace)?;
        }
        headline("Build the components");
        components::build(workspace)?;
        components::build_fixtures(workspace)?;
        headline("Find the host");
        let host = self.host.find(workspace)?;
        headline("Test");
        let filters: Vec<_> = self.filters.iter().map(String::as_str).collect();
        let arguments = [&["test"], &WITHOUT_HOST[..], &["--"], &filters].concat();
        let mut tests = workspace.cargo_command(&arguments);
        succeed(tests.env(host::VARIABLE, host.program()))?;
        headline("Test the composed components");
        let composed = [
            &["test", "--package=tidegate", "--test=*", "--"],
            &filters[..],
        ]
        .concat();
        let mut tests = workspace.cargo_command(&composed);
        tests.env(FORM, "composed");
        succeed(tests.env(host::VARIABLE, host.program()))
    }
}

fn before_build() -> [Check<'static>; 5] {
    let host = &["clippy", "--all-targets"];
    let parts = &component_clippy(&PACKAGES);
    let gateway = &component_clippy(&["tidegate"]);
    let spin = &["--features", "spin,openclaw"];
    let rehearsal = &["--features", "store,rehearsal"];
    [
        Check::new("Check the format", &[&["fmt", "--all", "--check"]]),
        Check::new("Lint", &[host, &WITHOUT_HOST, &DENY_WARNINGS]),
        Check::new("Lint the components", &[parts, &DENY_WARNINGS]),
        Check::new(
            "Lint the gateway for Spin",
            &[gateway, spin, &DENY_WARNINGS],
        ),
        Check::new(
            "Lint the gateway with a store",
            &[gateway, rehearsal, &DENY_WARNINGS],
        ),
    ]
}

fn component_clippy<'a>(packages: &[&'a str]) -> Vec<&'a str> {
    let libraries = ["tidegate-agent", "tidegate-config"];
    let packages = packages.iter().copied().chain(libraries);
    let packages = packages.chain(FIXTURES);
    let packages = packages.flat_map(|package| ["--package", package]);
    let clippy = ["clippy", "--release", "--target", WASM_TARGET];
    clippy.into_iter().chain(packages).collect()
}

/// A cargo command with a title.
struct Check<'a> {
    title: &'static str,
    arguments: Vec<&'a str>,
}

impl<'a> Check<'a> {
    fn new(title: &'static str, arguments: &[&[&'a str]]) -> Self {
        let arguments = arguments.concat();
        Self { title, arguments }
    }

    fn run(&self, workspace: &Workspace) -> Result<()> {
        headline(self.title);
        workspace.cargo(&self.arguments)
    }
}

fn headline(title: &str) {
    println!("\n== {title}");
}
