//! What is wrong with a configuration, for the operator's log.

use std::fmt;

/// One mistake in the configuration.
///
/// Neither field ever holds a configured value: it could be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where the mistake is, such as `gateway.auth.token`; empty for the
    /// document as a whole.
    pub path: String,
    /// What was expected there.
    pub problem: String,
}

/// All mistakes of a configuration; never empty where it is an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// Returns a single mistake of the document as a whole.
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
