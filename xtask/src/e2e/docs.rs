//! Runs the commands of the documentation.

use anyhow::Result;

use super::report::Report;
use super::site::Site;

/// The pages whose commands run.
const PAGES: [&str; 3] = [
    "docs/getting-started.md",
    "docs/deploying.md",
    "docs/clients.md",
];

/// Runs the pages.
pub(crate) fn run(site: &Site<'_>, report: &mut Report) -> Result<()> {
    for page in PAGES {
        report.script(page, site.page(page)?)?;
    }
    Ok(())
}
