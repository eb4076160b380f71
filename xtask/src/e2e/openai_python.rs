//! openai-python's own tests for chat completions, models and responses.

use anyhow::Result;

use crate::components::Runtime;

use super::report::Report;
use super::site::Site;

/// A configuration with the key and the models of the tests.
const DOCUMENT: &str = "{
  gateway: {
    auth: { mode: 'token', token: 'My API Key' },
    http: { endpoints: { chatCompletions: { enabled: true }, responses: { enabled: true } } },
  },
  agents: { entries: { main: {} } },
  tidegate: { models: { 'gpt-6-astra': 'main', model: 'main' } },
}";

/// Runs the tests.
pub(crate) fn run(site: &Site<'_>, report: &mut Report) -> Result<()> {
    let tidegate = site.tidegate(Runtime::Rehearsal, DOCUMENT)?;
    let mut script = site.python("openai_python/run.py");
    script.arg(site.sources()).arg(site.file("openai-python"));
    script.env("TEST_API_BASE_URL", tidegate.base_url());
    report.script("openai-python's own tests", script)
}
