// Failures of the LLM, through OpenClaw and Tidegate. Each has its own agent, because OpenClaw pauses a provider
// that failed.
import assert from "node:assert/strict";
import { run } from "../clients/check.mjs";
import { ask, stream, tidegate, user } from "./tidegate.mjs";

/** Makes the agent's LLM fail, whole and streamed, and checks that the failure never looks like a success. */
async function fails(agent, script, status, type) {
  const body = { model: `openclaw/${agent}`, messages: user(script) };
  const whole = await ask(tidegate, body);
  assert.equal(whole.status, status);
  assert.equal(whole.error.type, type);
  assert.equal(whole.retry, "false", "an SDK would run it again");
  assert.ok(!JSON.stringify(whole.error).includes("scripted"), "the LLM's own words are shown");
  const streamed = await stream(tidegate, body);
  assert.ok(streamed.error, "a broken run looks whole");
  assert.ok(streamed.events.every((event) => !event.choices?.[0]?.finish_reason));
}

await run({
  async "an LLM that refuses the key"() {
    await fails("refused", "{{fail 401}}", 502, "api_error");
  },

  async "an LLM that is asked for too much"() {
    await fails("limited", "{{fail 429}}", 429, "rate_limit_error");
  },

  async "an LLM that fails"() {
    await fails("failing", "{{fail 500}}", 502, "api_error");
  },

  async "an LLM that hangs up"() {
    await fails("failing", "{{break}}", 502, "api_error");
  },
});
