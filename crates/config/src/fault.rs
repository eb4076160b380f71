//! Faults of a configuration, for the operator's log.

use std::fmt;

/// One fault of the configuration.
///
/// It never contains a configured value, which could be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The path of the value, such as `gateway.auth.token`; empty for the whole
    /// document.
    pub path: String,
    /// The rule that the value violates.
    pub problem: String,
}

/// All faults of a configuration. As an error, it is never empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// Makes a single fault of the whole document.
    pub(crate) fn document(problem: impl Into<String>) -> Self {
        Self(vec![Fault {
            path: String::new(),
            problem: problem.into(),
        }])
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "{}", self.problem),
            path => write!(f, "{path}: {}", self.problem),
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, fault) in self.0.iter().enumerate() {
            let separator = if n == 0 { "" } else { "; " };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
