// Codex CLI: `codex exec` in a scratch repository.
//
//   node codex.mjs FOLDER      the folder should be empty
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { apiKey, baseURL, calls, faultsURL, run, seen, word } from "./check.mjs";

const PROGRAM = path.join(import.meta.dirname, "../../node_modules/@openai/codex/bin/codex.js");

const rehearsalURL = process.env.REHEARSAL_BASE_URL;

const folder = path.resolve(process.argv[2]);
const repository = path.join(folder, "repository");
const secret = word();
mkdirSync(path.join(repository, ".git"), { recursive: true });
writeFileSync(path.join(repository, "note.txt"), `${secret}\n`);

// The settings of docs/clients.md.
const NO_RETRIES = "request_max_retries = 0\nstream_max_retries = 0\nstream_idle_timeout_ms = 3600000";

/** Runs Codex with a prompt, and returns its exit code, its last message, and everything that it prints. */
function codex(base, prompt, { model = "openclaw/codex", settings = NO_RETRIES, key = apiKey, resume = false, home = word() } = {}) {
  const CODEX_HOME = path.join(folder, home);
  mkdirSync(CODEX_HOME, { recursive: true });
  const config = `model = "${model}"
model_provider = "tidegate"

[model_providers.tidegate]
name = "Tidegate"
base_url = "${base}"
env_key = "TIDEGATE_API_KEY"
${settings}
`;
  writeFileSync(path.join(CODEX_HOME, "config.toml"), config);
  // The scripts of the tests are the only commands, and the sandbox does not work in every container.
  const command = [PROGRAM, "exec", "--dangerously-bypass-approvals-and-sandbox"];
  const args = resume ? [...command, "resume", "--last", prompt] : [...command, prompt];
  const env = { PATH: process.env.PATH, HOME: folder, CODEX_HOME, TIDEGATE_API_KEY: key };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { cwd: repository, env, timeout: 60_000 }, (error, text, log) => {
      resolve({ code: error ? error.code : 0, text: text.trim(), log });
    });
    child.stdin.end();
  });
}

/** Returns a prompt whose script calls Codex's shell. */
const calling = (start, end) => `${start}tool exec_command {"cmd":"cat note.txt"}${end}`;

await run({
  async "with the rehearsal, it reads a file by its shell and answers"() {
    const { code, text, log } = await codex(rehearsalURL, calling("/", ""), { model: "openclaw" });
    assert.equal(code, 0, log);
    assert.ok(text.includes(secret) && text.includes("from exec_command"), text);
  },

  async "with OpenClaw, it reads a file by its shell and answers"() {
    const { code, text, log } = await codex(baseURL, calling("{{", "}}"));
    assert.equal(code, 0, log);
    assert.match(text, /^The tool said: /);
    assert.ok(text.includes(secret), text);
  },

  async "a resumed conversation has each turn once"() {
    const [first, mark, home] = [word(), word(), word()];
    await codex(baseURL, `Remember ${first}.`, { home });
    const { code, log } = await codex(baseURL, `And? ${mark}`, { home, resume: true });
    assert.equal(code, 0, log);
    // The LLM repeats each message, so the model sees the first turn as message and as reply.
    assert.equal((await seen(mark)).split(first).length - 1, 2);
  },

  async "a run that fails is carried out once, even with Codex's own retries"() {
    for (const settings of [NO_RETRIES, ""]) {
      const mark = word();
      const { code, log } = await codex(faultsURL, `{{break}} ${mark}`, { settings });
      assert.notEqual(code, 0, log);
      assert.match(log, /The agent run failed/);
      assert.equal((await calls(mark)).length, 1, "it was run again");
    }
  },

  async "a run that reaches a token limit is carried out once"() {
    const mark = word();
    const { code, log } = await codex(faultsURL, `{{say Half}}{{finish length}} ${mark}`);
    assert.notEqual(code, 0, log);
    assert.match(log, /max_output_tokens/);
    assert.equal((await calls(mark)).length, 1, "it was run again");
  },

  async "a wrong key is reported"() {
    const { code, log } = await codex(baseURL, "Hello", { key: "not-a-key" });
    assert.notEqual(code, 0, log);
    assert.match(log, /401 Unauthorized/);
  },

  async "it tries a WebSocket, and continues without"() {
    const settings = `${NO_RETRIES}\nsupports_websockets = true`;
    const { code, text, log } = await codex(rehearsalURL, "/echo Hello", { settings });
    assert.equal(code, 0, log);
    assert.equal(text, "Hello");
  },
});
