//! Runs a test program. It prints lines of the Test Anything Protocol, one per check:
//!
//! ```text
//! ok - stream
//! not ok - cancel
//! # the model's side was not closed within a second
//! ok - models # SKIP this client lists no models
//! ```
//!
//! All other lines are printed as they arrive.

use std::io::{BufRead as _, BufReader, PipeReader};
use std::process::Command;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// The time limit of a script.
const LIMIT: Duration = Duration::from_secs(300);

/// A result of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Check {
    /// The claim.
    pub(crate) claim: String,
    /// Whether the claim is true.
    pub(crate) verdict: Verdict,
}

/// Whether a claim is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Failed,
    /// The claim does not apply, for the reason in the line.
    Skipped,
}

impl Check {
    /// Parses a line. Returns `None` for a line without a check.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let (passed, rest) = match line.strip_prefix("not ") {
            Some(rest) => (false, rest),
            None => (true, line),
        };
        let text = rest.strip_prefix("ok ")?;
        let text = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let text = text.trim_start().strip_prefix("- ")?;
        let (claim, verdict) = match text.split_once(" # SKIP") {
            Some((claim, _)) => (claim, Verdict::Skipped),
            None if passed => (text, Verdict::Passed),
            None => (text, Verdict::Failed),
        };
        let claim = claim.trim().to_owned();
        Some(Self { claim, verdict })
    }

    /// Returns a failed check for a failure outside of a script.
    pub(crate) fn failed(claim: impl Into<String>) -> Self {
        let claim = claim.into();
        let verdict = Verdict::Failed;
        Self { claim, verdict }
    }
}

/// Runs a script to its end and returns its checks. A script that fails without a failed
/// check, has no checks, or exceeds the time limit gets an additional failed check.
pub(crate) fn run(mut command: Command) -> Result<Vec<Check>> {
    let (output, writer) = std::io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let child = command.spawn();
    let mut child = child.with_context(|| format!("cannot run {:?}", command.get_program()))?;
    // The command holds the pipe's writing ends, which would keep the output open.
    drop(command);
    let (mut checks, in_time) = collect(&lines(output));
    if !in_time {
        child.kill()?;
    }
    let succeeded = child.wait()?.success();
    let reported = checks.iter().any(|check| check.verdict == Verdict::Failed);
    if !in_time {
        checks.push(Check::failed(format!("ends within {LIMIT:?}")));
    } else if checks.is_empty() || (!succeeded && !reported) {
        checks.push(Check::failed("runs to its end"));
    }
    Ok(checks)
}

fn lines(output: PipeReader) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let lines = BufReader::new(output).lines();
        lines.map_while(Result::ok).for_each(|line| {
            drop(sender.send(line));
        });
    });
    receiver
}

/// Returns the checks, and whether the output ended within the limit.
fn collect(lines: &Receiver<String>) -> (Vec<Check>, bool) {
    let deadline = Instant::now() + LIMIT;
    let mut checks = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match lines.recv_timeout(left) {
            Ok(line) => {
                println!("  {line}");
                checks.extend(Check::read(&line));
            }
            Err(RecvTimeoutError::Disconnected) => return (checks, true),
            Err(RecvTimeoutError::Timeout) => return (checks, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Vec<(String, Verdict)> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let checks = run(command).unwrap().into_iter();
        checks.map(|check| (check.claim, check.verdict)).collect()
    }

    #[test]
    fn a_line_has_a_verdict_and_a_claim() {
        for (line, expected) in [
            ("ok - plain", Some(("plain", Verdict::Passed))),
            ("ok 12 - two words", Some(("two words", Verdict::Passed))),
            ("not ok 1 - plain", Some(("plain", Verdict::Failed))),
            (
                "ok - models # SKIP none",
                Some(("models", Verdict::Skipped)),
            ),
            ("# ok - plain", None),
            ("okay - plain", None),
            ("1..4", None),
            ("", None),
        ] {
            let expected = expected.map(|(claim, verdict)| Check {
                claim: claim.to_owned(),
                verdict,
            });
            assert_eq!(Check::read(line), expected, "{line}");
        }
    }

    #[test]
    fn an_aborted_script_fails() {
        let passed = ("a".to_owned(), Verdict::Passed);
        let failed = ("runs to its end".to_owned(), Verdict::Failed);
        assert_eq!(shell("echo ok - a").first(), Some(&passed));
        assert_eq!(shell("echo ok - a; exit 1"), [passed, failed.clone()]);
        assert_eq!(shell("true"), [failed]);
        assert_eq!(shell("echo not ok - b; exit 1").len(), 1);
    }
}
