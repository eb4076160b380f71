//! The commands of the documentation, run as a reader would.

use anyhow::Result;

use super::report::Report;
use super::site::Site;

/// Runs every page that has commands to run.
pub(crate) fn run(_site: &Site<'_>, _report: &mut Report) -> Result<()> {
    Ok(())
}
