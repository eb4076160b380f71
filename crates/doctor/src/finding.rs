//! Findings, and the report of all of them.

use std::fmt;

/// What a check has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How it is.
    pub state: State,
    /// The subject and its state in words. It contains no secret.
    pub subject: String,
    /// What to change.
    pub advice: Option<String>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is as it should be.
    Ok,
    /// It cannot be known.
    NotChecked,
    /// It works, and is a risk.
    Warning,
    /// It does not work.
    Error,
}

impl Finding {
    /// Something is as it should be.
    pub fn ok(subject: impl Into<String>) -> Self {
        Self::new(State::Ok, subject, None)
    }

    /// Something cannot be known.
    pub fn not_checked(subject: impl Into<String>, advice: &str) -> Self {
        Self::new(State::NotChecked, subject, Some(advice))
    }

    /// Something is a risk.
    pub fn warning(subject: impl Into<String>, advice: &str) -> Self {
        Self::new(State::Warning, subject, Some(advice))
    }

    /// Something does not work.
    pub fn error(subject: impl Into<String>, advice: &str) -> Self {
        Self::new(State::Error, subject, Some(advice))
    }

    fn new(state: State, subject: impl Into<String>, advice: Option<&str>) -> Self {
        Self {
            state,
            subject: subject.into(),
            advice: advice.map(str::to_owned),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Ok => "ok",
            State::NotChecked => "not checked",
            State::Warning => "warning",
            State::Error => "error",
        };
        write!(f, "{state}: {}", self.subject)?;
        match &self.advice {
            Some(advice) => write!(f, "\n    {advice}"),
            None => Ok(()),
        }
    }
}

/// All findings, in the order of the checks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report(pub Vec<Finding>);

impl Report {
    /// Returns the number of findings in a state.
    #[must_use]
    pub fn count(&self, state: State) -> usize {
        self.0
            .iter()
            .filter(|finding| finding.state == state)
            .count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.0 {
            writeln!(f, "{finding}")?;
        }
        let [ok, not_checked, warnings, errors] =
            [State::Ok, State::NotChecked, State::Warning, State::Error]
                .map(|state| self.count(state));
        write!(
            f,
            "doctor: {ok} ok, {not_checked} not checked, {warnings} warnings, {errors} errors"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_lists_findings_with_their_advice_and_counts_them() {
        let report = Report(vec![
            Finding::ok("the token is accepted"),
            Finding::warning("no session secret", "Set tidegate.session.secret."),
        ]);
        let expected = "ok: the token is accepted\nwarning: no session secret\n    \
             Set tidegate.session.secret.\ndoctor: 1 ok, 0 not checked, 1 warnings, 0 errors";
        assert_eq!(report.to_string(), expected);
    }
}
