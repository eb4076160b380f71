//! The operator's rules of logs.

use std::time::Duration;

/// The operator's rules of logs, `tidegate.runs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogRules {
    /// Which runs have a log.
    pub mode: LogMode,
    /// How long a log is kept after its run. The default is 24 h.
    pub keep: Duration,
    /// The maximum time of a run without a client. The default is 1 h.
    pub longest: Duration,
    /// The maximum size of a log, in bytes. The default is 8 MiB.
    pub limit: usize,
}

/// Which runs have a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogMode {
    /// None.
    Off,
    /// Those that ask for it: `background: true`, or `store: true`.
    Requested,
}
