//! `cargo xtask e2e`: real clients, the real runtime and real hosts.
//!
//! ```text
//! packages       tests/e2e/packages -> target/e2e/packages   (the one step with a network)
//! site           where things are, and how programs are started
//! servers        Tidegate, and the real OpenClaw gateway behind it
//! background     a server, ended when it is dropped
//! script         a program's lines -> checks
//! report         checks -> a table and the closing lines
//! clients        suite: what people call a chat completions endpoint with
//! openclaw       suite: what only the real runtime shows
//! openai_python  suite: the tests that openai-python comes with
//! page           a page of the documentation -> a script of its commands
//! docs           suite: the commands of the documentation
//! examples       suite: what is composed of one's own components
//! hosts          suite: the same component files on every host
//! ```
//!
//! A suite is a variant of [`Suite`] and a module with a function `run`, which
//! starts what it needs from the [`Site`] and runs scripts into the [`Report`].

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
    #[command(flatten)]
    host: HostChoice,
}

/// A part of the tests, with servers and scripts of its own.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Suite {
    /// Clients of several makers and languages.
    Clients,
    /// The real OpenClaw gateway.
    Openclaw,
    /// openai-python's own tests.
    OpenaiPython,
    /// What is composed of one's own components.
    Examples,
    /// Wasmtime, Spin where it is at hand, and wasmCloud.
    Hosts,
    /// The commands of the documentation.
    Docs,
}

impl Suite {
    fn run(self, site: &Site<'_>, report: &mut Report) -> Result<()> {
        match self {
            Self::Clients => clients::run(site, report),
            Self::Openclaw => openclaw::run(site, report),
            Self::OpenaiPython => openai_python::run(site, report),
            Self::Examples => examples::run(site, report),
            Self::Hosts => hosts::run(site, report),
            Self::Docs => docs::run(site, report),
        }
    }
}

impl EndToEnd {
    /// Builds, installs what is missing, and runs the suites.
    ///
    /// # Errors
    /// A suite that cannot run at all, and checks that failed.
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<()> {
        components::build(workspace)?;
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
