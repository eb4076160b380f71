//! Tests of Tidegate with the real OpenClaw, in addition to the tests with clients.

use anyhow::Result;

use crate::components::Runtime;
use crate::key;

use super::report::Report;
use super::servers::{OPENCLAW_TOKEN, TOKEN};
use super::site::Site;

/// Keys of two applications. The second may use only one agent.
const KEYS: [&str; 2] = ["e2e-key-of-the-first", "e2e-key-of-the-second"];

/// The intended differences between Tidegate and OpenClaw's own endpoint.
const DEVIATIONS: &str = "tests/openclaw/deviations.txt";

/// The page whose settings of OpenClaw are tried.
const EXPOSING: &str = "docs/exposing.md";

/// Settings of an OpenClaw that needs no credential.
const OPEN: &str = "tests/e2e/openclaw/open.json";

/// The rows, each with its script.
const SCRIPTS: [(&str, &str); 8] = [
    ("OpenClaw: runs", "openclaw/runs.mjs"),
    ("OpenClaw: schemas", "openclaw/schemas.mjs"),
    ("OpenClaw: sessions", "openclaw/sessions.mjs"),
    ("OpenClaw: differences", "openclaw/differences.mjs"),
    ("OpenClaw: exposed agents", "openclaw/exposing.mjs"),
    ("OpenClaw: scopes", "openclaw/scopes.mjs"),
    ("OpenClaw: doctor", "openclaw/doctor.mjs"),
    // Last, because OpenClaw pauses a failed model provider.
    ("OpenClaw: failures", "openclaw/failures.mjs"),
];

/// Runs the scripts.
pub(crate) fn run(site: &Site<'_>, report: &mut Report) -> Result<()> {
    let openclaw = site.openclaw()?;
    let guarded = site.openclaw_of("guarded", EXPOSING)?;
    let open = site.openclaw_of("open", OPEN)?;
    let start = |url: &str, history: &str| {
        let document = document(url, history);
        site.tidegate(Runtime::Openclaw, &document)
    };
    let (latest, full) = (
        start(&openclaw.url, "latest")?,
        start(&openclaw.url, "full")?,
    );
    let exposed = start(&guarded.url, "latest")?;
    let without_credentials = start(&open.url, "latest")?;
    for (row, script) in SCRIPTS {
        let mut script = site.node(script);
        script.env("TIDEGATE_BASE_URL", latest.base_url());
        script.env("FULL_BASE_URL", full.base_url());
        script.env("EXPOSED_BASE_URL", exposed.base_url());
        script.env("OPEN_BASE_URL", without_credentials.base_url());
        script.env("TIDEGATE_API_KEY", TOKEN);
        script.env("FIRST_KEY", KEYS[0]).env("SECOND_KEY", KEYS[1]);
        script.env("LLM_URL", &openclaw.llm);
        script.env("OPENCLAW_URL", &openclaw.url);
        script.env("OPENCLAW_TOKEN", OPENCLAW_TOKEN);
        script.env("DEVIATIONS", site.root().join(DEVIATIONS));
        script.env("PAGE", site.root().join(EXPOSING));
        script.env("DOCTOR", site.root().join("dist/tidegate-doctor.wasm"));
        script.env("WASMTIME", site.host().program());
        report.script(row, script)?;
    }
    Ok(())
}

fn document(runtime: &str, history: &str) -> String {
    let [first, second] = KEYS.map(key::digest);
    format!(
        "{{
  gateway: {{
    auth: {{ mode: 'token', token: '${{OPENCLAW_GATEWAY_TOKEN}}' }},
    http: {{ endpoints: {{ chatCompletions: {{ enabled: true }}, responses: {{ enabled: true }} }} }},
  }},
  agents: {{ entries: {{ main: {{}}, research: {{}}, codex: {{}}, refused: {{}}, limited: {{}}, failing: {{}} }} }},
  tidegate: {{
    runtime: {{ url: '{runtime}' }},
    keys: [
      {{ name: 'first', sha256: '{first}', agents: ['*'], model: true }},
      {{ name: 'second', sha256: '{second}', agents: ['main'] }},
    ],
    session: {{ secret: 'e2e-secret-of-the-sessions', history: '{history}' }},
  }},
}}"
    )
}
