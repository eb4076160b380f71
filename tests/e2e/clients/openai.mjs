// The openai package for JavaScript.
import assert from "node:assert/strict";
import OpenAI from "openai";
import { apiKey, baseURL, calls, faultsURL, leftWithin, run, waitedASecond, weather, word } from "./check.mjs";

const client = new OpenAI({ baseURL, apiKey });
const faults = new OpenAI({ baseURL: faultsURL, apiKey });
const model = "openclaw";

const user = (content) => [{ role: "user", content }];

await run({
  async plain() {
    const completion = await client.chat.completions.create({ model, messages: user("{{say Good morning.}}") });
    assert.equal(completion.choices[0].message.content, "Good morning.");
    assert.equal(completion.choices[0].finish_reason, "stop");
    assert.equal(completion.usage.total_tokens, 102);
  },

  async stream() {
    const stream = await client.chat.completions.create({
      model: "openclaw/research",
      messages: user("{{words 5 20}}"),
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await Array.fromAsync(stream);
    const choices = chunks.flatMap((chunk) => chunk.choices);
    const pieces = choices.map((choice) => choice.delta.content).filter(Boolean);
    assert.ok(pieces.length > 1);
    assert.equal(pieces.join("").trim(), "word0 word1 word2 word3 word4");
    assert.equal(choices.at(-1).finish_reason, "stop");
    assert.equal(chunks.at(-1).usage.completion_tokens, 5);
  },

  async tools() {
    // The runner calls the tool and sends the next request by itself.
    const runner = client.chat.completions.runTools({
      model,
      messages: user('{{tool get_weather {"city":"Paris"}}}'),
      tools: [{
        type: "function",
        function: {
          ...weather,
          parse: JSON.parse,
          function: ({ city }) => `21 degrees in ${city}`,
        },
      }],
    });
    assert.equal(await runner.finalContent(), "The tool said: 21 degrees in Paris");
  },

  async models() {
    const ids = (await Array.fromAsync(client.models.list())).map((model) => model.id);
    for (const id of ["openclaw", "openclaw/main", "openclaw/research"]) assert.ok(ids.includes(id), ids.join());
    assert.equal((await client.models.retrieve("openclaw/research")).id, "openclaw/research");
  },

  async cancel() {
    const mark = word();
    const messages = user(`{{words 1000 20}} ${mark}`);
    const stream = await client.chat.completions.create({ model, messages, stream: true });
    for await (const chunk of stream) if (chunk.choices[0].delta.content) break;
    assert.ok(await leftWithin(1000, mark));
  },

  async 401() {
    const stranger = new OpenAI({ baseURL, apiKey: "not-a-key" });
    const error = await stranger.chat.completions.create({ model, messages: user("Hello") }).catch((error) => error);
    assert.ok(error instanceof OpenAI.AuthenticationError, error);
    assert.equal(error.code, "invalid_api_key");
  },

  async 400() {
    const error = await client.chat.completions
      .create({ model, messages: user("Hello"), temperature: 3 })
      .catch((error) => error);
    assert.ok(error instanceof OpenAI.BadRequestError, error);
    assert.equal(error.param, "temperature");
  },

  async 429() {
    const mark = word();
    const completion = await faults.chat.completions.create({ model, messages: user(`{{once 429 1}} ${mark}`) });
    assert.ok(completion.choices[0].message.content.endsWith(mark));
    assert.ok(await waitedASecond(mark));
  },

  async broken() {
    for (const stream of [false, true]) {
      const mark = word();
      const pieces = [];
      const reading = async () => {
        const messages = user(`{{break}} ${mark}`);
        const answer = await faults.chat.completions.create({ model, messages, stream });
        for await (const chunk of answer) pieces.push(chunk.choices[0].delta.content ?? "");
      };
      await assert.rejects(reading, (error) => error instanceof OpenAI.APIError && error.type === "api_error");
      assert.equal(pieces.join(""), stream ? "This is half" : "");
      assert.equal((await calls(mark)).length, 1, "it was run again");
    }
  },
});
