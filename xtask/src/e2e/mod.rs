//! `cargo xtask e2e`: tests with real clients, the real runtime and real hosts.
//!
//! ```text
//! packages       tests/e2e/packages -> target/e2e/packages   (the only step with a network)
//! site           folders and programs
//! servers        Tidegate, and OpenClaw as its runtime
//! background     a server process
//! script         a program's lines -> checks
//! report         checks -> a table and the closing lines
//! clients        suite: OpenAI clients in several languages
//! responses      suite: clients of the Responses API, and the types of its replies
//! openclaw       suite: behavior that only the real runtime shows
//! openai_python  suite: openai-python's own tests
//! page           a page of the documentation -> a script of its commands
//! docs           suite: the commands of the documentation
//! examples       suite: the examples and the page about composing
//! hosts          suite: the same component files on every host
//! ```
//!
//! A suite is a variant of [`Suite`] and a module with a function `run`, which starts
//! servers from the [`Site`] and adds the checks of scripts to the [`Report`].

mod background;
mod clients;
mod docs;
mod examples;
mod hosts;
mod openai_python;
mod openclaw;
mod packages;
mod page;
mod report;
mod responses;
mod script;
mod servers;
mod site;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::components;
use crate::host::HostChoice;
use crate::workspace::Workspace;

use self::report::Report;
use self::site::Site;

/// The arguments of `cargo xtask e2e`.
#[derive(Args)]
pub(crate) struct EndToEnd {
    /// Run only these suites.
    #[arg(value_enum)]
    suites: Vec<Suite>,
    /// Use the components in `dist/` that `cargo xtask test` has built.
    #[arg(long)]
    no_build: bool,
    #[command(flatten)]
    host: HostChoice,
}

/// A part of the tests with its own servers and scripts.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Suite {
    /// OpenAI clients in several languages.
    Clients,
    /// Clients of the Responses API.
    Responses,
    /// The real OpenClaw.
    Openclaw,
    /// openai-python's own tests.
    OpenaiPython,
    /// The examples and the page about composing.
    Examples,
    /// Wasmtime, wasmCloud, and Spin if it is installed.
    Hosts,
    /// The commands of the documentation.
    Docs,
}

impl Suite {
    fn run(self, site: &Site<'_>, report: &mut Report) -> Result<()> {
        match self {
            Self::Clients => clients::run(site, report),
            Self::Responses => responses::run(site, report),
            Self::Openclaw => openclaw::run(site, report),
            Self::OpenaiPython => openai_python::run(site, report),
            Self::Examples => examples::run(site, report),
            Self::Hosts => hosts::run(site, report),
            Self::Docs => docs::run(site, report),
        }
    }
}

impl EndToEnd {
    /// Builds the components, installs missing packages, and runs the suites.
    ///
    /// # Errors
    /// A suite that cannot run, and failed checks.
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<()> {
        if !self.no_build {
            components::build(workspace)?;
        }
        let site = Site::prepare(workspace, self.host.find(workspace)?)?;
        let mut report = Report::begin();
        for suite in self.chosen() {
            suite.run(&site, &mut report)?;
        }
        drop(site);
        report.close()
    }

    fn chosen(&self) -> &[Suite] {
        match self.suites.as_slice() {
            [] => Suite::value_variants(),
            chosen => chosen,
        }
    }
}
