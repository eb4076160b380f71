// The Responses API with the openai package for JavaScript.
import assert from "node:assert/strict";
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import {
  apiKey, baseURL, calls, faultsURL, leftWithin, run, seen, Skip, waitedASecond, weather, word,
} from "./check.mjs";

const client = new OpenAI({ baseURL, apiKey });
const faults = new OpenAI({ baseURL: faultsURL, apiKey });
const model = "openclaw";
const tools = [{ type: "function", ...weather, strict: false }];

await run({
  async text() {
    const response = await client.responses.create({ model, input: "{{say Good morning.}}" });
    assert.equal(response.output_text, "Good morning.");
    assert.equal(response.status, "completed");
    assert.equal(response.usage.total_tokens, 102);
  },

  async stream() {
    const stream = await client.responses.create({ model: "openclaw/research", input: "{{words 5 20}}", stream: true });
    const events = await Array.fromAsync(stream);
    const pieces = events.filter(({ type }) => type === "response.output_text.delta").map(({ delta }) => delta);
    assert.ok(pieces.length > 1);
    assert.equal(pieces.join("").trim(), "word0 word1 word2 word3 word4");
    assert.equal(events.at(-1).type, "response.completed");
    // The helper joins the events to the response.
    const final = await client.responses.stream({ model, input: "{{words 5 20}}" }).finalResponse();
    assert.equal(final.output_text.trim(), "word0 word1 word2 word3 word4");
  },

  async tools() {
    const input = [{ role: "user", content: '{{tool get_weather {"city":"Paris"}}}' }];
    const { output } = await client.responses.create({ model, input, tools });
    input.push(...output);
    for (const { call_id, arguments: text } of output.filter(({ type }) => type === "function_call")) {
      input.push({ type: "function_call_output", call_id, output: `21 degrees in ${JSON.parse(text).city}` });
    }
    const { output_text } = await client.responses.create({ model, input, tools });
    assert.equal(output_text, "The tool said: 21 degrees in Paris");
  },

  async object() {
    const format = zodTextFormat(z.object({ city: z.string(), degrees: z.number() }), "weather");
    const input = '{{say {"city":"Paris","degrees":21}}}';
    const { output_parsed } = await client.responses.parse({ model, input, text: { format } });
    assert.deepEqual(output_parsed, { city: "Paris", degrees: 21 });
  },

  "hand-off"() {
    throw new Skip("only agent SDKs hand off");
  },

  async previous() {
    const [secret, mark] = [word(), word()];
    const { id } = await client.responses.create({ model, input: `Remember ${secret}.` });
    await client.responses.create({ model, input: `And? ${mark}`, previous_response_id: id });
    // The LLM repeats each message, so the model sees the first turn as message and as reply.
    assert.equal((await seen(mark)).split(secret).length - 1, 2);
  },

  async cancel() {
    const mark = word();
    const stream = await client.responses.create({ model, input: `{{words 1000 20}} ${mark}`, stream: true });
    for await (const event of stream) if (event.type === "response.output_text.delta") break;
    assert.ok(await leftWithin(1000, mark));
  },

  async 401() {
    const stranger = new OpenAI({ baseURL, apiKey: "not-a-key" });
    const error = await stranger.responses.create({ model, input: "Hello" }).catch((error) => error);
    assert.ok(error instanceof OpenAI.AuthenticationError, error);
    assert.equal(error.code, "invalid_api_key");
  },

  async 400() {
    const error = await client.responses.create({ model, input: "Hello", temperature: 3 }).catch((error) => error);
    assert.ok(error instanceof OpenAI.BadRequestError, error);
    assert.equal(error.param, "temperature");
  },

  async 429() {
    const mark = word();
    const { output_text } = await faults.responses.create({ model, input: `{{once 429 1}} ${mark}` });
    assert.ok(output_text.endsWith(mark));
    assert.ok(await waitedASecond(mark));
  },

  async broken() {
    const whole = word();
    const error = await faults.responses.create({ model, input: `{{break}} ${whole}` }).catch((error) => error);
    assert.ok(error instanceof OpenAI.APIError && error.type === "api_error", error);
    assert.equal((await calls(whole)).length, 1, "it was run again");

    const streamed = word();
    const stream = await faults.responses.create({ model, input: `{{break}} ${streamed}`, stream: true });
    const { type, response } = (await Array.fromAsync(stream)).at(-1);
    assert.equal(type, "response.failed");
    assert.equal(response.error.code, "server_error");
    assert.equal((await calls(streamed)).length, 1, "it was run again");
  },
});
