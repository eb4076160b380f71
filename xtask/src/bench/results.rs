//! The results of a run.

use super::streams::StreamSample;
use super::workload::Sample;

/// Everything that one run measured.
#[derive(Default)]
pub(super) struct Results {
    /// The loads, each with a sample for every server.
    pub(super) loads: Vec<Load>,
    /// The slow streams, each with a sample for every server.
    pub(super) streams: Vec<Streams>,
    /// Single figures, each with its unit.
    pub(super) figures: Vec<Figure>,
}

/// Slow streams on every server.
pub(super) struct Streams {
    /// The name in the report.
    pub(super) name: &'static str,
    /// The servers by name.
    pub(super) servers: Vec<(&'static str, StreamSample)>,
}

/// One load on every server.
pub(super) struct Load {
    /// The name in the report.
    pub(super) name: &'static str,
    /// The number of tokens of a response.
    pub(super) tokens: usize,
    /// The servers by name, the upstream itself first.
    pub(super) servers: Vec<(&'static str, Sample)>,
}

/// A single figure.
pub(super) struct Figure {
    /// The name in the report.
    pub(super) name: String,
    /// The number.
    pub(super) value: f64,
    /// The number's unit.
    pub(super) unit: &'static str,
}

impl Results {
    /// Adds a figure.
    pub(super) fn figure(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        let name = name.into();
        self.figures.push(Figure { name, value, unit });
    }
}

impl Load {
    /// Returns the requests per second of a server.
    pub(super) fn requests(&self, server: &str) -> Option<f64> {
        let mut servers = self.servers.iter();
        let (_, sample) = servers.find(|(name, _)| *name == server)?;
        Some(sample.requests)
    }
}
