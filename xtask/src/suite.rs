//! `cargo xtask test`: every check of this repository, in order.
//!
//! xtask is checked apart from the rest. In one cargo call the features of all
//! packages are joined, which would build Wasmtime a second time.

use anyhow::Result;
use clap::Args;

use crate::components::{self, PACKAGES};
use crate::workspace::{WASM_TARGET, Workspace};

const WITHOUT_XTASK: [&str; 3] = ["--workspace", "--exclude", "xtask"];

const DENY_WARNINGS: [&str; 3] = ["--", "-D", "warnings"];

/// What `cargo xtask test` is told.
#[derive(Args)]
pub(crate) struct Test {
    /// Run only the tests whose names contain one of these.
    filters: Vec<String>,
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
        for check in self.after_build() {
            check.run(workspace)?;
        }
        Ok(())
    }

    fn after_build(&self) -> [Check<'_>; 2] {
        let filters: Vec<_> = self.filters.iter().map(String::as_str).collect();
        [
            Check::new("Test xtask", &[&["test", "-p", "xtask", "--"], &filters]),
            Check::new(
                "Test the components",
                &[&["test"], &WITHOUT_XTASK, &["--"], &filters],
            ),
        ]
    }
}

fn before_build() -> [Check<'static>; 5] {
    let host = &["clippy", "--all-targets"];
    let wasm = &component_clippy();
    [
        Check::new("Check the format", &[&["fmt", "--all", "--check"]]),
        Check::new(
            "Lint xtask",
            &[host, &["--package", "xtask"], &DENY_WARNINGS],
        ),
        Check::new(
            "Lint the components' logic",
            &[host, &WITHOUT_XTASK, &DENY_WARNINGS],
        ),
        Check::new("Lint the components", &[wasm, &DENY_WARNINGS]),
        Check::new(
            "Lint the components for Spin",
            &[wasm, &["--features", "tidegate/spin"], &DENY_WARNINGS],
        ),
    ]
}

fn component_clippy() -> Vec<&'static str> {
    let packages = PACKAGES.into_iter().chain(["tidegate-config"]);
    let packages = packages.flat_map(|package| ["--package", package]);
    let clippy = ["clippy", "--release", "--target", WASM_TARGET];
    clippy.into_iter().chain(packages).collect()
}

/// One cargo command, with what it is for.
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
