//! Builds and tests the examples with the commands of their pages and of the page about
//! composing.

use anyhow::Result;

use super::report::Report;
use super::site::Site;

/// The pages, in the order of their dependencies.
const PAGES: [&str; 4] = [
    "examples/runtime/README.md",
    "examples/runtime-python/README.md",
    "examples/middleware/README.md",
    "docs/composing.md",
];

/// Runs the pages.
pub(crate) fn run(site: &Site<'_>, report: &mut Report) -> Result<()> {
    for page in PAGES {
        report.script(page, site.page(page)?)?;
    }
    Ok(())
}
