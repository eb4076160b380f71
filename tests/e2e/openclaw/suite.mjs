// What holds of Tidegate before a real OpenClaw gateway, beyond what every client shows.
import assert from "node:assert/strict";
import { apiKey, baseURL, run } from "../clients/check.mjs";

/** Asks for a chat completion, whole, and returns it. */
async function ask(body, headers = {}) {
  const answer = await fetch(`${baseURL}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, ...headers },
    body: JSON.stringify({ model: "openclaw", ...body }),
  });
  return answer.json();
}

await run({
  async "the usage is what the LLM counted"() {
    const { usage } = await ask({ messages: [{ role: "user", content: "{{words 7}}" }] });
    assert.equal(usage.prompt_tokens, 100);
    assert.equal(usage.completion_tokens, 7);
    assert.equal(usage.prompt_tokens_details.cached_tokens, 40);
  },
});
