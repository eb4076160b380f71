//! The checks of all suites: printed as they finish, and as a table at the end.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, ensure};

use super::script::{self, Check, Verdict};

/// The finished checks.
pub(crate) struct Report {
    begun: Instant,
    rows: Vec<Row>,
}

/// A subject and its checks.
struct Row {
    subject: String,
    checks: Vec<Check>,
    /// The columns of the table. Without columns, the row shows counts.
    columns: &'static [&'static str],
}

impl Report {
    /// Starts an empty report.
    pub(crate) fn begin() -> Self {
        let begun = Instant::now();
        let rows = Vec::new();
        Self { begun, rows }
    }

    /// Runs a script and counts its checks.
    ///
    /// # Errors
    /// A script that cannot be run.
    pub(crate) fn script(&mut self, subject: &str, command: Command) -> Result<()> {
        self.row(subject, &[], command)
    }

    /// Runs a script that must check each of these claims, the columns of the table. A
    /// missing check counts as failed.
    ///
    /// # Errors
    /// A script that cannot be run.
    pub(crate) fn row(
        &mut self,
        subject: &str,
        columns: &'static [&'static str],
        command: Command,
    ) -> Result<()> {
        println!("\n== {subject}");
        let begun = Instant::now();
        let mut checks = script::run(command)?;
        println!("  {:.1} s", begun.elapsed().as_secs_f32());
        let made = |claim: &str| checks.iter().any(|check| check.claim == claim);
        let missing: Vec<_> = columns.iter().filter(|claim| !made(claim)).collect();
        checks.extend(missing.into_iter().map(|claim| Check::failed(*claim)));
        self.rows.push(Row {
            subject: subject.to_owned(),
            checks,
            columns,
        });
        Ok(())
    }

    /// Adds the row of a subject that cannot be checked.
    pub(crate) fn absent(
        &mut self,
        subject: &str,
        why: &str,
        columns: &'static [&'static str],
        verdict: Verdict,
    ) {
        println!("\n== {subject}: not at hand, {why}");
        let check = |claim: &&str| Check {
            claim: (*claim).to_owned(),
            verdict,
        };
        self.rows.push(Row {
            subject: format!("{subject} (not at hand)"),
            checks: columns.iter().map(check).collect(),
            columns,
        });
    }

    /// Prints the table and the closing lines.
    ///
    /// # Errors
    /// Failed checks, and a report without checks.
    pub(crate) fn close(self) -> Result<()> {
        println!("\n{}", self.table());
        for (subject, claim) in self.failures() {
            println!("failed: {subject}: {claim}");
        }
        let (passed, failed) = (self.count(Verdict::Passed), self.count(Verdict::Failed));
        let skipped = self.count(Verdict::Skipped);
        println!("{} s", self.begun.elapsed().as_secs());
        println!("e2e: {passed} passed, {failed} failed, {skipped} skipped");
        ensure!(failed == 0, "{failed} of the end-to-end checks failed");
        ensure!(passed > 0, "there were no checks");
        Ok(())
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.rows.iter().map(|row| row.count(verdict)).sum()
    }

    fn failures(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rows.iter().flat_map(|row| {
            let checks = row.checks.iter();
            let failed = checks.filter(|check| check.verdict == Verdict::Failed);
            failed.map(|check| (row.subject.as_str(), check.claim.as_str()))
        })
    }

    fn table(&self) -> String {
        let width = self.rows.iter().map(|row| row.subject.len()).max();
        let width = width.unwrap_or_default();
        let mut columns: &[&str] = &[];
        let mut lines = Vec::new();
        for row in &self.rows {
            if row.columns != columns {
                columns = row.columns;
                let heads = columns.iter().map(|column| format!("  {column}"));
                lines.push(format!("{:width$}{}", "", heads.collect::<String>()));
            }
            lines.push(format!("{:width$}{}", row.subject, row.cells()));
        }
        lines.join("\n")
    }
}

impl Row {
    fn count(&self, verdict: Verdict) -> usize {
        let checks = self.checks.iter();
        checks.filter(|check| check.verdict == verdict).count()
    }

    fn cells(&self) -> String {
        if self.columns.is_empty() {
            let (passed, all) = (self.count(Verdict::Passed), self.checks.len());
            let skipped = self.count(Verdict::Skipped);
            return format!("  {passed} of {}", all - skipped);
        }
        let columns = self.columns.iter();
        let cells = columns.map(|column| format!("  {:1$}", self.cell(column), column.len()));
        cells.collect()
    }

    fn cell(&self, column: &str) -> &'static str {
        let mut checks = self.checks.iter();
        match checks.find(|c| c.claim == column).map(|c| c.verdict) {
            Some(Verdict::Passed) => "ok",
            Some(Verdict::Failed) | None => "FAIL",
            Some(Verdict::Skipped) => "-",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo(lines: &str) -> Command {
        let mut command = Command::new("printf");
        command.arg(lines);
        command
    }

    #[test]
    fn the_table_has_a_row_per_client_and_a_column_per_ability() {
        let mut report = Report::begin();
        let columns = &["plain", "stream", "models"];
        let first = "ok - stream\nok - plain\nok - models # SKIP none\n";
        report.row("first", columns, echo(first)).unwrap();
        report.row("second", columns, echo("ok - plain\n")).unwrap();
        report
            .script("other", echo("ok - a\nnot ok - b\n"))
            .unwrap();
        let table = report.table();
        let lines: Vec<_> = table.lines().map(str::trim_end).collect();
        let expected = [
            "        plain  stream  models",
            "first   ok     ok      -",
            "second  ok     FAIL    FAIL",
            "",
            "other   1 of 2",
        ];
        assert_eq!(lines, expected);
        assert!(report.close().is_err());
    }

    #[test]
    fn an_absent_subject_fails_only_if_it_is_required() {
        let columns = &["plain", "stream"];
        let mut report = Report::begin();
        report.script("one", echo("ok - a\n")).unwrap();
        report.absent("two", "it is lost", columns, Verdict::Skipped);
        let row = report.table().lines().last().map(str::to_owned);
        assert_eq!(row.unwrap().trim_end(), "two (not at hand)  -      -");
        assert_eq!(report.failures().count(), 0);
        report.absent("three", "it is lost", columns, Verdict::Failed);
        assert_eq!(report.failures().count(), 2);
        assert!(report.close().is_err());
    }

    #[test]
    fn a_report_of_passed_checks_is_a_success() {
        let mut report = Report::begin();
        report.script("one", echo("ok - a\n")).unwrap();
        assert!(report.close().is_ok());
        assert!(Report::begin().close().is_err());
    }
}
