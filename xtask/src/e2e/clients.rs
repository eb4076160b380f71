//! OpenAI clients in several languages, each tested for the same abilities.
//!
//! They call two Tidegates. The runtime of the first is a real OpenClaw with a scripted
//! LLM; the runtime of the second is the LLM itself, which fails immediately and counts
//! requests.

use std::process::Command;

use anyhow::Result;

use crate::components::Runtime;

use super::report::Report;
use super::servers::TOKEN;
use super::site::Site;

/// The abilities of every client.
const ABILITIES: &[&str] = &[
    "plain", "stream", "tools", "models", "cancel", "401", "400", "429", "broken",
];

/// Tests every client.
pub(crate) fn run(site: &Site<'_>, report: &mut Report) -> Result<()> {
    let openclaw = site.openclaw()?;
    let agents = site.tidegate(Runtime::Openclaw, &document(&openclaw.url))?;
    let faults = site.tidegate(Runtime::Openclaw, &document(&openclaw.llm))?;
    let mut check = |client: &str, mut script: Command| {
        script.env("TIDEGATE_BASE_URL", agents.base_url());
        script.env("TIDEGATE_API_KEY", TOKEN);
        script.env("FAULTS_BASE_URL", faults.base_url());
        script.env("LLM_URL", &openclaw.llm);
        report.row(client, ABILITIES, script)
    };
    check("openai (Python)", site.python("clients/openai_sync.py"))?;
    check("openai (asyncio)", site.python("clients/openai_async.py"))?;
    check("openai (npm)", site.node("clients/openai.mjs"))?;
    check("AI SDK", site.node("clients/ai_sdk.mjs"))?;
    check("LangChain", site.python("clients/langchain_client.py"))?;
    check("llm", site.python("clients/llm_cli.py"))
}

/// Returns a minimal configuration with the runtime's URL.
fn document(runtime: &str) -> String {
    format!(
        "{{
  gateway: {{
    auth: {{ mode: 'token', token: '${{OPENCLAW_GATEWAY_TOKEN}}' }},
    http: {{ endpoints: {{ chatCompletions: {{ enabled: true }} }} }},
  }},
  agents: {{ entries: {{ main: {{}}, research: {{}} }} }},
  tidegate: {{ runtime: {{ url: '{runtime}' }} }},
}}"
    )
}
