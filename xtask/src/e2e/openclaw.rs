//! What holds of Tidegate before a real OpenClaw gateway, beyond what every
//! client shows.

use anyhow::Result;

use crate::components::Runtime;

use super::report::Report;
use super::site::{Site, TOKEN, document};

/// Runs the suite.
pub(crate) fn run(site: &Site<'_>, report: &mut Report) -> Result<()> {
    let openclaw = site.openclaw()?;
    let tidegate = site.tidegate(Runtime::Openclaw, &document(&openclaw.url))?;
    let mut script = site.node("openclaw/suite.mjs");
    script.env("TIDEGATE_BASE_URL", tidegate.base_url());
    script.env("TIDEGATE_API_KEY", TOKEN);
    script.env("LLM_URL", &openclaw.llm);
    report.script("OpenClaw", script)
}
