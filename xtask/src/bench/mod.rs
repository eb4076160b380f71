//! `cargo xtask bench`: compares the gateway with other servers.
//!
//! ```text
//! servers    the upstream, proxies, Tidegate    -> Target, a process of its own
//! workload   requests on several connections   -> Sample
//! streams    many slow streams                 -> memory and processor time of each
//! sweep      a stream beside expired entries   -> its longest gap
//! course     every measurement, in rounds      -> Results
//! report     Results                           -> table, JSON, plot
//! ```
//!
//! Every round measures every load on every server in turn, so noise on the machine
//! affects all servers alike. Absolute numbers depend on the machine; compare numbers of
//! one run.

mod course;
mod plot;
mod report;
mod results;
mod servers;
mod streams;
mod sweep;
pub(crate) mod target;
mod workload;

use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::components;
use crate::host::HostChoice;
use crate::server::raise_open_files;
use crate::workspace::Workspace;
use course::Course;
use servers::Servers;

/// The arguments of `cargo xtask bench`.
#[derive(Args)]
pub(crate) struct Bench {
    /// The number of rounds; the result is the median of all rounds.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// The time of each load on each server in a round, in milliseconds.
    #[arg(long, default_value_t = 1000)]
    time: u64,
    /// Run only the loads, the streams and the sweep whose names contain this text.
    #[arg(long)]
    only: Option<String>,
    /// The folder for `bench.json` and `bench.svg`.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    #[command(flatten)]
    host: HostChoice,
    /// More arguments for `wasmtime serve`.
    #[arg(last = true, value_name = "ARGS")]
    wasmtime: Vec<String>,
}

impl Bench {
    /// Builds, measures and reports.
    pub(crate) fn run(self, workspace: &Workspace) -> Result<()> {
        components::build(workspace)?;
        raise_open_files();
        let folder = std::env::temp_dir().join(format!("tidegate-bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let host = self.host.find(workspace)?;
        let servers = Servers::new(workspace, host, folder.clone(), &self.wasmtime);
        let results = servers.and_then(|servers| Course::new(&self, &servers).run());
        fs::remove_dir_all(&folder)?;
        let results = results?;
        print!("{}", report::table(&results));
        let out = self.out.as_ref();
        out.map_or(Ok(()), |folder| report::write(&results, folder))
    }
}
