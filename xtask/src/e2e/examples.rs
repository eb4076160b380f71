//! The examples, built and asked as their own pages say, and put together as
//! the page on composing does.

use anyhow::Result;

use super::report::Report;
use super::site::Site;

/// The pages, in an order in which each finds what it needs.
const PAGES: [&str; 4] = [
    "examples/runtime/README.md",
    "examples/runtime-python/README.md",
    "examples/middleware/README.md",
    "docs/composing.md",
];

/// Builds and asks every example.
pub(crate) fn run(site: &Site<'_>, report: &mut Report) -> Result<()> {
    for page in PAGES {
        report.script(page, site.page(page)?)?;
    }
    Ok(())
}
