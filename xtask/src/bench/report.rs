//! What was measured, as a table, as JSON and as a plot.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Result;

use super::plot;
use super::workload::Sample;

/// Everything that one run measured.
#[derive(Default)]
pub(super) struct Report {
    /// The loads, each with a sample for every server.
    pub(super) loads: Vec<Load>,
    /// Single figures, each with its unit.
    pub(super) figures: Vec<Figure>,
}

/// A load on every server.
pub(super) struct Load {
    /// What it is called.
    pub(super) name: &'static str,
    /// How many tokens an answer has.
    pub(super) tokens: usize,
    /// The servers by name, the upstream itself first.
    pub(super) servers: Vec<(&'static str, Sample)>,
}

/// A single figure.
pub(super) struct Figure {
    /// What was measured, and on which server.
    pub(super) name: String,
    /// The number.
    pub(super) value: f64,
    /// The number's unit.
    pub(super) unit: &'static str,
}

impl Load {
    /// Returns the requests a second of a server.
    pub(super) fn requests(&self, server: &str) -> Option<f64> {
        let mut servers = self.servers.iter();
        let (_, sample) = servers.find(|(name, _)| *name == server)?;
        Some(sample.requests)
    }
}

impl Report {
    /// Adds a figure.
    pub(super) fn figure(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        let name = name.into();
        self.figures.push(Figure { name, value, unit });
    }

    /// Returns the table for people.
    pub(super) fn table(&self) -> String {
        let mut table = String::new();
        for load in &self.loads {
            writeln!(table, "\n{}\n  {HEAD}", load.name).ok();
            for (server, sample) in &load.servers {
                let share = |of| sample.requests / load.requests(of).unwrap_or(f64::NAN);
                writeln!(
                    table,
                    "  {server:<10}{:>10.0}{:>11.0}{:>9.2}{:>8.3}{:>9.3}{:>9.3}{:>9.3}",
                    sample.requests,
                    sample.requests * load.tokens as f64,
                    share("floor"),
                    share("direct"),
                    sample.median,
                    sample.p99,
                    sample.first_token,
                )
                .ok();
            }
        }
        writeln!(table).ok();
        for Figure { name, value, unit } in &self.figures {
            writeln!(table, "{name:<52}{value:>10.3} {unit}").ok();
        }
        table
    }

    /// Writes `bench.json` and `bench.svg`.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("bench.json"), self.json())?;
        fs::write(folder.join("bench.svg"), plot::svg(&self.loads))?;
        Ok(())
    }

    fn json(&self) -> String {
        let loads: Vec<_> = self.loads.iter().map(Load::json).collect();
        let figures: Vec<_> = self.figures.iter().map(Figure::json).collect();
        let (loads, figures) = (loads.join(",\n"), figures.join(",\n"));
        format!("{{\n\"loads\": [\n{loads}\n],\n\"figures\": [\n{figures}\n]\n}}\n")
    }
}

const HEAD: &str = "           requests/s   tokens/s  /floor /direct  p50 ms   p99 ms first ms";

// Names are this program's own and need no escapes.
impl Load {
    fn json(&self) -> String {
        let servers = self.servers.iter().map(|(server, sample)| {
            format!(
                "    {{ \"server\": \"{server}\", \"requestsPerSecond\": {:.1}, \
                 \"medianMilliseconds\": {:.3}, \"p99Milliseconds\": {:.3}, \
                 \"firstTokenMilliseconds\": {:.3} }}",
                sample.requests, sample.median, sample.p99, sample.first_token
            )
        });
        let servers = servers.collect::<Vec<_>>().join(",\n");
        let (name, tokens) = (self.name, self.tokens);
        format!(
            "  {{ \"load\": \"{name}\", \"tokens\": {tokens}, \"servers\": [\n{servers}\n  ] }}"
        )
    }
}

impl Figure {
    fn json(&self) -> String {
        let Self { name, value, unit } = self;
        format!("  {{ \"figure\": \"{name}\", \"value\": {value:.3}, \"unit\": \"{unit}\" }}")
    }
}
