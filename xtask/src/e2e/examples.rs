//! The examples, built and asked as their own pages say.

use anyhow::Result;

use super::report::Report;
use super::site::Site;

/// The pages of the examples.
const PAGES: [&str; 3] = [
    "examples/runtime/README.md",
    "examples/runtime-python/README.md",
    "examples/middleware/README.md",
];

/// Builds and asks every example.
pub(crate) fn run(site: &Site<'_>, report: &mut Report) -> Result<()> {
    for page in PAGES {
        report.script(page, site.page(page)?)?;
    }
    Ok(())
}
