// The Responses API with the AI SDK: `ai` with the default model of `@ai-sdk/openai`.
import assert from "node:assert/strict";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, Output } from "ai";
import { z } from "zod";
import { checks } from "./ai_sdk_checks.mjs";
import { apiKey, baseURL, run, seen, Skip, word } from "./check.mjs";

const tidegate = createOpenAI({ baseURL, apiKey });
// By default, the SDK sends references to the agent's earlier texts, which OpenAI would have stored.
const shared = checks(createOpenAI, { openai: { store: false } });

await run({
  ...shared,

  async object() {
    const { output } = await generateText({
      model: tidegate("openclaw"),
      prompt: '{{say {"city":"Paris","degrees":21}}}',
      output: Output.object({ schema: z.object({ city: z.string(), degrees: z.number() }) }),
    });
    assert.deepEqual(output, { city: "Paris", degrees: 21 });
  },

  "hand-off"() {
    throw new Skip("only agent SDKs hand off");
  },

  async previous() {
    const [secret, mark] = [word(), word()];
    const model = tidegate("openclaw");
    const { providerMetadata } = await generateText({ model, prompt: `Remember ${secret}.` });
    const previousResponseId = providerMetadata.openai.responseId;
    await generateText({ model, prompt: `And? ${mark}`, providerOptions: { openai: { previousResponseId } } });
    // The LLM repeats each message, so the model sees the first turn as message and as reply.
    assert.equal((await seen(mark)).split(secret).length - 1, 2);
  },
});
