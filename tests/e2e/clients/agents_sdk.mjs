// The OpenAI Agents SDK for JavaScript, with its default API.
import assert from "node:assert/strict";
import { Agent, OpenAIResponsesModel, run as runAgent, setDefaultOpenAIClient, setTracingDisabled, tool } from "@openai/agents";
import OpenAI from "openai";
import { z } from "zod";
import { apiKey, baseURL, calls, faultsURL, leftWithin, run, seen, waitedASecond, word } from "./check.mjs";

setTracingDisabled(true); // otherwise the SDK sends each run to OpenAI
setDefaultOpenAIClient(new OpenAI({ baseURL, apiKey }));

const model = "openclaw";
const faults = new OpenAIResponsesModel(new OpenAI({ baseURL: faultsURL, apiKey }), model);

const getWeather = tool({
  name: "get_weather",
  description: "Returns the weather of a city.",
  parameters: z.object({ city: z.string() }),
  execute: ({ city }) => `21 degrees in ${city}`,
});
const calling = '{{tool get_weather {"city":"Paris"}}}';

const assistant = new Agent({ name: "Assistant", model, instructions: "Be brief." });
const faulty = new Agent({ name: "Assistant", model: faults });

await run({
  async text() {
    const result = await runAgent(assistant, "{{say Good morning.}}");
    assert.equal(result.finalOutput, "Good morning.");
  },

  async stream() {
    const researcher = new Agent({ name: "Researcher", model: "openclaw/research" });
    const result = await runAgent(researcher, "{{words 5 20}}", { stream: true });
    const pieces = await Array.fromAsync(result.toTextStream());
    assert.ok(pieces.length > 1);
    assert.equal(pieces.join("").trim(), "word0 word1 word2 word3 word4");
  },

  async tools() {
    const agent = new Agent({ name: "Assistant", model, tools: [getWeather] });
    assert.equal((await runAgent(agent, calling)).finalOutput, "The tool said: 21 degrees in Paris");
    const result = await runAgent(agent, calling, { stream: true });
    await result.completed;
    assert.equal(result.finalOutput, "The tool said: 21 degrees in Paris");
  },

  async object() {
    const outputType = z.object({ city: z.string(), degrees: z.number() });
    const agent = new Agent({ name: "Assistant", model, outputType });
    const { finalOutput } = await runAgent(agent, '{{say {"city":"Paris","degrees":21}}}');
    assert.deepEqual(finalOutput, { city: "Paris", degrees: 21 });
  },

  async "hand-off"() {
    const weather = new Agent({ name: "Weather", model, tools: [getWeather] });
    const triage = new Agent({ name: "Triage", model, handoffs: [weather] });
    const result = await runAgent(triage, "{{tool transfer_to_Weather {}}}");
    assert.equal(result.lastAgent, weather);
    assert.match(result.finalOutput, /^The tool said: /);
  },

  async previous() {
    const [secret, mark] = [word(), word()];
    const { lastResponseId } = await runAgent(assistant, `Remember ${secret}.`);
    await runAgent(assistant, `And? ${mark}`, { previousResponseId: lastResponseId });
    // The LLM repeats each message, so the model sees the first turn as message and as reply.
    assert.equal((await seen(mark)).split(secret).length - 1, 2);
  },

  async cancel() {
    const mark = word();
    const leaving = new AbortController();
    const result = await runAgent(assistant, `{{words 1000 20}} ${mark}`, { stream: true, signal: leaving.signal });
    for await (const _ of result.toTextStream()) break;
    leaving.abort();
    assert.ok(await leftWithin(1000, mark));
  },

  async 401() {
    const stranger = new OpenAIResponsesModel(new OpenAI({ baseURL, apiKey: "not-a-key" }), model);
    const error = await runAgent(new Agent({ name: "Stranger", model: stranger }), "Hello").catch((error) => error);
    assert.ok(error instanceof OpenAI.AuthenticationError, error);
    assert.equal(error.code, "invalid_api_key");
  },

  async 400() {
    const agent = new Agent({ name: "Assistant", model, modelSettings: { temperature: 3 } });
    const error = await runAgent(agent, "Hello").catch((error) => error);
    assert.ok(error instanceof OpenAI.BadRequestError, error);
    assert.equal(error.param, "temperature");
  },

  async 429() {
    const mark = word();
    const { finalOutput } = await runAgent(faulty, `{{once 429 1}} ${mark}`);
    assert.ok(finalOutput.endsWith(mark));
    assert.ok(await waitedASecond(mark));
  },

  async broken() {
    const whole = word();
    const error = await runAgent(faulty, `{{break}} ${whole}`).catch((error) => error);
    assert.equal(error.type, "api_error", error);
    assert.equal((await calls(whole)).length, 1, "it was run again");

    const streamed = word();
    const result = await runAgent(faulty, `{{break}} ${streamed}`, { stream: true });
    await assert.rejects(result.completed);
    assert.notEqual(result.finalOutput, "This is half");
    assert.equal((await calls(streamed)).length, 1, "it was run again");
  },
});
