// The doctor: a real OpenClaw with and without the settings of docs/exposing.md.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { run } from "../clients/check.mjs";
import { settingsOf } from "./configuration.mjs";

const { DOCTOR, WASMTIME, PAGE, OPENCLAW_URL, OPENCLAW_TOKEN } = process.env;
const DIGEST = "0".repeat(64);

/** Runs the doctor for a URL, a token and the settings of OpenClaw, and returns its lines and its exit code. */
function doctor({ url = OPENCLAW_URL, token = OPENCLAW_TOKEN, agents = ["main"], openclaw }) {
  const folder = mkdtempSync(path.join(tmpdir(), "doctor-"));
  const document = {
    gateway: { auth: { token: "e2e-token-1" }, http: { endpoints: { chatCompletions: { enabled: true } } } },
    agents: { entries: Object.fromEntries(agents.map((name) => [name, {}])) },
    tidegate: { runtime: { url, token }, keys: [{ name: "web", sha256: DIGEST, agents: ["*"] }] },
  };
  writeFileSync(path.join(folder, "tidegate.json5"), JSON.stringify(document));
  const more = [];
  if (openclaw) {
    writeFileSync(path.join(folder, "openclaw.json"), JSON.stringify(openclaw));
    more.push("--openclaw", "/openclaw.json");
  }
  const command = ["run", "-Scli", "-Shttp", `--dir=${folder}::/`, DOCTOR, ...more];
  return new Promise((resolve) => {
    execFile(WASMTIME, command, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, report: stdout + stderr });
    });
  });
}

await run({
  async "a working OpenClaw with the settings of the page has no errors and is checked"() {
    const { code, report } = await doctor({ openclaw: settingsOf(readFileSync(PAGE, "utf8")) });
    assert.equal(code, 0, report);
    assert.match(report, /^ok: tidegate\.runtime, .*: reachable, and the token is accepted$/m);
    assert.match(report, /^ok: .*: all 1 agents are there$/m);
    assert.doesNotMatch(report, /^warning: tools/m);
    assert.doesNotMatch(report, /^not checked/m);
  },

  async "the defaults of OpenClaw are warnings, and an unknown file is not checked"() {
    const defaults = await doctor({ openclaw: {} });
    assert.match(defaults.report, /^warning: tools\.sessions\.visibility/m);
    const { report } = await doctor({});
    assert.match(report, /^not checked: OpenClaw's settings/m);
  },

  async "a wrong token, a missing agent and a closed port are errors"() {
    for (const [input, expected] of [
      [{ token: "wrong-token-1" }, /^error: .*: the token is rejected$/m],
      [{ agents: ["main", "nobody"] }, /^error: .*: there is no agent nobody$/m],
      [{ url: "http://127.0.0.1:1" }, /^error: .*: the backend refuses the connection$/m],
      [{ url: `${OPENCLAW_URL}/elsewhere` }, /^error: .*: the endpoint is off$/m],
    ]) {
      const { code, report } = await doctor(input);
      assert.equal(code, 1, report);
      assert.match(report, expected);
      assert.ok(!report.includes(OPENCLAW_TOKEN) && !report.includes("e2e-token-1"), report);
    }
  },
});
