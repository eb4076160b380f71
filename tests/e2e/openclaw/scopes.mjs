// The authority of a run, with an OpenClaw that needs no credential: there it honors the scopes of a request.
import assert from "node:assert/strict";
import { run } from "../clients/check.mjs";
import { request, user } from "./tidegate.mjs";

const { OPEN_BASE_URL: url, TIDEGATE_API_KEY: owner, FIRST_KEY: restricted } = process.env;

/** Runs an agent, and returns the status of the reply. */
async function status(key, headers) {
  const response = await request({ url, key }, { messages: user("Hello") }, { headers });
  await response.arrayBuffer();
  return response.status;
}

// OpenClaw takes the header from operators alone.
const model = { "x-openclaw-model": "llm/scripted" };

await run({
  async "a run of a restricted caller is carried out"() {
    assert.equal(await status(restricted), 200);
  },

  async "the owner's run has all scopes, and a restricted one has not"() {
    assert.equal(await status(owner, model), 200);
    assert.notEqual(await status(restricted, model), 200);
  },
});
