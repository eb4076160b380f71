// What callers reach by asking an agent: by OpenClaw's defaults, and with the settings of docs/exposing.md.
import assert from "node:assert/strict";
import { run, word } from "../clients/check.mjs";
import { ask, tidegate, user } from "./tidegate.mjs";

const [owner, caller] = [process.env.FIRST_KEY, process.env.SECOND_KEY];
const guarded = { url: process.env.EXPOSED_BASE_URL };

/** Asks an agent to call a tool of its own, and returns what the tool said. */
async function asked(server, key, tool, input, agent = "main") {
  const content = `{{tool ${tool} ${JSON.stringify(input)}}} ${word()}`;
  const { message, error } = await ask({ ...server, key }, { model: `openclaw/${agent}`, user: "mallory", messages: user(content) });
  assert.equal(error, undefined);
  return message.content;
}

/** Tells an agent a secret in a session of another caller, and returns the secret. */
async function confide(server, agent = "main") {
  const secret = word();
  const body = { model: `openclaw/${agent}`, user: "alice", messages: user(`{{say I see.}} My secret is ${secret}.`) };
  const { status } = await ask({ ...server, key: owner }, body);
  assert.equal(status, 200);
  return secret;
}

/** Returns the keys of all sessions that the caller's agent lists. */
async function listed(server) {
  const said = await asked(server, caller, "sessions_list", { limit: 200 });
  return [...said.matchAll(/"key": "(.*?)"/g)].map(([, key]) => key);
}

/** Returns whether the caller reads a secret in any of these sessions. */
async function reads(server, sessions, secret) {
  for (const sessionKey of sessions) {
    if ((await asked(server, caller, "sessions_history", { sessionKey })).includes(secret)) return true;
  }
  return false;
}

await run({
  async "by default, an agent lists the sessions of other callers and reads them"() {
    const secret = await confide(tidegate);
    const sessions = await listed(tidegate);
    assert.ok(sessions.length > 1);
    assert.ok(await reads(tidegate, sessions, secret));
  },

  async "by default, an agent reads the sessions of other agents"() {
    const secret = await confide(tidegate, "research");
    const sessions = (await listed(tidegate)).filter((key) => key.startsWith("agent:research:"));
    assert.ok(await reads(tidegate, sessions, secret));
  },

  async "by default, an agent executes commands and reads files"() {
    assert.match(await asked(tidegate, caller, "exec", { command: "echo host-$((6*7))" }), /host-42/);
    assert.match(await asked(tidegate, caller, "read", { path: "/etc/passwd" }), /root:/);
  },

  async "by default, an agent reads the configuration"() {
    const said = await asked(tidegate, caller, "gateway", { action: "config.get", path: "gateway.http" });
    assert.match(said, /chatCompletions/);
  },

  async "with the settings, an agent lists its own session alone"() {
    await confide(guarded);
    const sessions = await listed(guarded);
    assert.equal(sessions.length, 1, sessions.join());
  },

  async "with the settings, an agent reads no session of another caller or agent"() {
    const secrets = [await confide(guarded), await confide(guarded, "research")];
    // The names of the sessions are known from an OpenClaw without the settings.
    await confide(tidegate);
    await confide(tidegate, "research");
    const sessions = await listed(tidegate);
    assert.ok(sessions.some((key) => key.startsWith("agent:research:")));
    for (const secret of secrets) assert.ok(!(await reads(guarded, sessions, secret)));
  },

  async "with the settings, no agent executes commands or reads files outside of its workspace"() {
    assert.doesNotMatch(await asked(guarded, caller, "exec", { command: "echo host-$((6*7))" }), /host-42/);
    assert.doesNotMatch(await asked(guarded, caller, "read", { path: "/etc/passwd" }), /root:/);
  },

  async "with the settings, no agent has the denied tools"() {
    const said = await asked(guarded, caller, "gateway", { action: "config.get", path: "gateway.http" });
    assert.doesNotMatch(said, /chatCompletions/);
    assert.match(said, /not found|not available|unknown/i);
  },

  async "with the settings, the exposed agent has no tools of sessions, files and commands"() {
    const denied = { sessions_list: {}, read: { path: "AGENTS.md" }, exec: { command: "echo host-$((6*7))" } };
    for (const [tool, input] of Object.entries(denied)) {
      const said = await asked(guarded, owner, tool, input, "research");
      assert.match(said, /not found|not available|unknown/i, `${tool}: ${said}`);
    }
  },
});
