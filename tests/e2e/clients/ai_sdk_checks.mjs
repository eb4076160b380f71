// The checks of the AI SDK that do not depend on the API: texts, tools, a disconnect, and errors.
import assert from "node:assert/strict";
import { APICallError, generateText, isStepCount, streamText, tool } from "ai";
import { z } from "zod";
import { apiKey, baseURL, calls, faultsURL, leftWithin, waitedASecond, word } from "./check.mjs";

/** Returns the checks of a provider, which `create` makes. A call of tools has `providerOptions`. */
export function checks(create, providerOptions) {
  const tidegate = create({ baseURL, apiKey });
  const faults = create({ baseURL: faultsURL, apiKey });
  return {
    async text() {
      const { text, finishReason, usage } = await generateText({
        model: tidegate("openclaw"),
        prompt: "{{say Good morning.}}",
      });
      assert.equal(text, "Good morning.");
      assert.equal(finishReason, "stop");
      assert.equal(usage.totalTokens, 102);
    },

    async stream() {
      const { textStream, finishReason, usage } = streamText({
        model: tidegate("openclaw/research"),
        prompt: "{{words 5 20}}",
      });
      const pieces = await Array.fromAsync(textStream);
      assert.ok(pieces.length > 1);
      assert.equal(pieces.join("").trim(), "word0 word1 word2 word3 word4");
      assert.equal(await finishReason, "stop");
      assert.equal((await usage).outputTokens, 5);
    },

    async tools() {
      const { text, steps } = await generateText({
        model: tidegate("openclaw"),
        prompt: '{{tool get_weather {"city":"Paris"}}}',
        tools: {
          get_weather: tool({
            description: "Returns the weather of a city.",
            inputSchema: z.object({ city: z.string() }),
            execute: ({ city }) => `21 degrees in ${city}`,
          }),
        },
        stopWhen: isStepCount(3),
        providerOptions,
      });
      assert.equal(text, "The tool said: 21 degrees in Paris");
      assert.equal(steps.length, 2);
    },

    async cancel() {
      const mark = word();
      const leaving = new AbortController();
      const { textStream } = streamText({
        model: tidegate("openclaw"),
        prompt: `{{words 1000 20}} ${mark}`,
        abortSignal: leaving.signal,
      });
      for await (const _ of textStream) break;
      leaving.abort();
      assert.ok(await leftWithin(1000, mark));
    },

    async 401() {
      const stranger = create({ baseURL, apiKey: "not-a-key" });
      const error = await generateText({ model: stranger("openclaw"), prompt: "Hello" }).catch((error) => error);
      assert.ok(APICallError.isInstance(error), error);
      assert.equal(error.statusCode, 401);
      assert.equal(error.data.error.code, "invalid_api_key");
    },

    async 400() {
      const error = await generateText({ model: tidegate("openclaw"), prompt: "Hello", temperature: 3 })
        .catch((error) => error);
      assert.ok(APICallError.isInstance(error), error);
      assert.equal(error.statusCode, 400);
      assert.equal(error.data.error.param, "temperature");
    },

    async 429() {
      const mark = word();
      const { text } = await generateText({ model: faults("openclaw"), prompt: `{{once 429 1}} ${mark}` });
      assert.ok(text.endsWith(mark));
      assert.ok(await waitedASecond(mark));
    },

    async broken() {
      const whole = word();
      // The AI SDK retries every 5xx and ignores `x-should-retry: false`. Without retries, a failed run is carried
      // out once.
      const error = await generateText({ model: faults("openclaw"), prompt: `{{break}} ${whole}`, maxRetries: 0 })
        .catch((error) => error);
      assert.equal(error.data?.error.type, "api_error", error);
      assert.equal((await calls(whole)).length, 1, "it was run again");

      const streamed = word();
      const failures = [];
      const { textStream, finishReason } = streamText({
        model: faults("openclaw"),
        prompt: `{{break}} ${streamed}`,
        onError: ({ error }) => failures.push(error),
      });
      assert.equal((await Array.fromAsync(textStream)).join(""), "This is half");
      assert.equal(failures.length, 1);
      assert.notEqual(await finishReason, "stop");
      assert.equal((await calls(streamed)).length, 1, "it was run again");
    },
  };
}
