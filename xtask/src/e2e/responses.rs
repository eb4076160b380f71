//! Clients of the Responses API, each tested for the same abilities, and Codex CLI.
//!
//! They call three Tidegates: with a real OpenClaw, with its scripted LLM alone, and with
//! the rehearsal. A recorder in front of each keeps the replies, and the last row validates
//! all of them with the types of two packages.

use std::process::Command;

use anyhow::Result;

use crate::components::Runtime;

use super::report::Report;
use super::servers::{Recorder, TOKEN, Tidegate};
use super::site::Site;

/// The abilities of every client.
const ABILITIES: &[&str] = &[
    "text", "stream", "tools", "object", "hand-off", "previous", "cancel", "401", "400", "429",
    "broken",
];

/// The clients, each with its script.
const CLIENTS: [(&str, &str); 7] = [
    ("openai (Python)", "clients/openai_responses.py"),
    ("openai (npm)", "clients/openai_responses.mjs"),
    ("Agents SDK (Python)", "clients/agents_sdk.py"),
    ("Agents SDK (npm)", "clients/agents_sdk.mjs"),
    ("AI SDK", "clients/ai_sdk_responses.mjs"),
    ("pydantic-ai", "clients/pydantic_ai_client.py"),
    ("LangChain", "clients/langchain_responses.py"),
];

/// Tests every client, and validates what they received.
pub(crate) fn run(site: &Site<'_>, report: &mut Report) -> Result<()> {
    let openclaw = site.openclaw()?;
    let agents = site.tidegate(Runtime::Openclaw, &document(&openclaw.url))?;
    let faults = site.tidegate(Runtime::Openclaw, &document(&openclaw.llm))?;
    let rehearsal = site.tidegate(Runtime::Rehearsal, &document("http://127.0.0.1:9"))?;
    let recordings = site.file("recordings");
    let mut recorder = site.python("responses/recorder.py");
    recorder.arg(&recordings);
    let recorder = Recorder::start(
        recorder,
        [&agents, &faults, &rehearsal],
        &site.file("recorder.log"),
    )?;
    let [agents_url, faults_url, rehearsal_url] = &recorder.base_urls;
    let prepared = |mut script: Command| {
        script.env("TIDEGATE_BASE_URL", agents_url);
        script.env("TIDEGATE_API_KEY", TOKEN);
        script.env("FAULTS_BASE_URL", faults_url);
        script.env("REHEARSAL_BASE_URL", rehearsal_url);
        script.env("LLM_URL", &openclaw.llm);
        script
    };
    for (client, script) in CLIENTS {
        report.row(client, ABILITIES, prepared(site.script(script)))?;
    }
    let mut codex = prepared(site.script("clients/codex.mjs"));
    codex.arg(site.file("codex"));
    report.script("Codex CLI", codex)?;
    report.script(
        "Responses: directives",
        prepared(site.script("responses/directives.py")),
    )?;
    let mut validate = site.script("responses/validate.py");
    validate.arg(&recordings);
    report.script("Responses: types of all replies", validate)?;
    turns(site, report, agents)
}

/// Continues one conversation with an instance, with the same instance after a restart,
/// and with another instance.
fn turns(site: &Site<'_>, report: &mut Report, first: Tidegate) -> Result<()> {
    let openclaw = site.openclaw()?;
    let mut row = |row: &str, tidegate: &Tidegate| {
        let mut script = site.script("responses/turns.mjs");
        script.arg(site.file("turns.json"));
        script.env("TIDEGATE_BASE_URL", tidegate.base_url());
        script.env("TIDEGATE_API_KEY", TOKEN);
        script.env("LLM_URL", &openclaw.llm);
        report.script(row, script)
    };
    row("Responses: turns", &first)?;
    drop(first);
    let restarted = site.tidegate(Runtime::Openclaw, &document(&openclaw.url))?;
    row("Responses: turns after a restart", &restarted)?;
    let second = site.tidegate(Runtime::Openclaw, &document(&openclaw.url))?;
    row("Responses: turns at another instance", &second)
}

/// Returns a configuration with the runtime's URL.
fn document(runtime: &str) -> String {
    format!(
        "{{
  gateway: {{
    auth: {{ mode: 'token', token: '${{OPENCLAW_GATEWAY_TOKEN}}' }},
    http: {{ endpoints: {{ responses: {{ enabled: true }} }} }},
  }},
  agents: {{ entries: {{ main: {{}}, research: {{}}, codex: {{}} }} }},
  tidegate: {{
    runtime: {{ url: '{runtime}' }},
    session: {{ secret: 'e2e-secret-of-the-sessions' }},
    reasoning: true,
  }},
}}"
    )
}
