// Runs: the input of a real OpenClaw agent, and its output.
import assert from "node:assert/strict";
import { calls, leftWithin, run, weather, word } from "../clients/check.mjs";
import { ask, request, stream, tidegate, user } from "./tidegate.mjs";

// A red image of 1 by 1 pixel.
const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

const tools = [{ type: "function", function: weather }];
const asking = '{{tool get_weather {"city":"Paris"}}}';

/** Returns the conversation after a tool call. */
const answered = (call) => [
  ...user(asking),
  { role: "assistant", content: null, tool_calls: [call] },
  { role: "tool", tool_call_id: call.id, content: "21 degrees" },
];

/** Disconnects from a stream after its first text, and returns whether the LLM's client disconnects within a second. */
async function leave(script) {
  const mark = word();
  const leaving = new AbortController();
  const body = { messages: user(`${script} ${mark}`), stream: true };
  const response = await request(tidegate, body, { signal: leaving.signal });
  const decoder = new TextDecoder();
  for await (const piece of response.body) {
    if (decoder.decode(piece, { stream: true }).includes('"content":"')) break;
  }
  leaving.abort();
  return leftWithin(1000, mark);
}

await run({
  async "a whole answer has the words of the agent"() {
    const { message, finish } = await ask(tidegate, { messages: user("{{say Good morning.}}") });
    assert.deepEqual(message, { role: "assistant", content: "Good morning.", refusal: null });
    assert.equal(finish, "stop");
  },

  async "a stream has them in order, a role first and a reason last"() {
    const { choices, text, done } = await stream(tidegate, { messages: user("{{words 20 5}}") });
    assert.equal(text.trim(), Array.from({ length: 20 }, (_, i) => `word${i}`).join(" "));
    assert.equal(choices[0].delta.role, "assistant");
    assert.equal(choices.at(-1).finish_reason, "stop");
    assert.ok(done);
  },

  async "what is hard to carry arrives as it was said"() {
    const text = "Grüße 日本語 👩‍👩‍👧 \"quoted\" back\\slash </script>\n\n\tdata: [DONE]\n\nend";
    const { message } = await ask(tidegate, { messages: user(`{{say ${text}}}`) });
    assert.equal(message.content, text);
    assert.equal((await stream(tidegate, { messages: user(`{{say ${text}}}`) })).text, text);
  },

  async "a tool is called and its result comes back"() {
    const { message, finish } = await ask(tidegate, { messages: user(asking), tools });
    assert.equal(finish, "tool_calls");
    const [call] = message.tool_calls;
    assert.deepEqual(JSON.parse(call.function.arguments), { city: "Paris" });
    const next = await ask(tidegate, { messages: answered(call), tools });
    assert.equal(next.message.content, "The tool said: 21 degrees");
  },

  async "a tool is called and its result comes back in streams"() {
    const { choices } = await stream(tidegate, { messages: user(asking), tools });
    const deltas = choices.flatMap((choice) => choice.delta.tool_calls ?? []);
    const [{ id, function: { name } }] = deltas;
    const text = deltas.map((delta) => delta.function.arguments).join("");
    assert.deepEqual(JSON.parse(text), { city: "Paris" });
    assert.equal(choices.at(-1).finish_reason, "tool_calls");
    const call = { id, type: "function", function: { name, arguments: text } };
    assert.equal((await stream(tidegate, { messages: answered(call), tools })).text, "The tool said: 21 degrees");
  },

  async "a required tool that is not called is a failure"() {
    const body = { messages: user("{{say No.}}"), tools, tool_choice: "required" };
    const { status, error } = await ask(tidegate, body);
    assert.equal(status, 502);
    assert.equal(error.type, "api_error");
    assert.ok((await stream(tidegate, body)).error);
  },

  async "a picture reaches the model"() {
    const mark = word();
    const content = [
      { type: "text", text: `{{say I see.}} ${mark}` },
      { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } },
    ];
    assert.equal((await ask(tidegate, { messages: user(content) })).message.content, "I see.");
    const [call] = await calls(mark);
    assert.match(JSON.stringify(call.body.messages), /data:image\/(png|jpeg);base64,/);
  },

  async "instructions and sampling reach the model"() {
    const mark = word();
    await ask(tidegate, {
      messages: [{ role: "system", content: `Be brief, ${mark}.` }, ...user(`Hello ${mark}`)],
      temperature: 0.25, top_p: 0.5, seed: 7, stop: ["END"], max_tokens: 321,
    });
    const [{ body }] = await calls(mark);
    assert.match(JSON.stringify(body.messages[0]), new RegExp(`Be brief, ${mark}`));
    assert.equal(body.temperature, 0.25);
    assert.equal(body.top_p, 0.5);
    assert.equal(body.seed, 7);
    assert.deepEqual(body.stop, ["END"]);
    assert.equal(body.max_completion_tokens ?? body.max_tokens, 321);
  },

  async "the usage is what the LLM counted"() {
    const expected = { prompt_tokens: 100, completion_tokens: 7, total_tokens: 107 };
    const body = { messages: user("{{words 7}}"), stream_options: { include_usage: true } };
    const { usage } = await ask(tidegate, body);
    const { events } = await stream(tidegate, body);
    for (const found of [usage, events.at(-1).usage]) {
      assert.deepEqual({ ...found, ...expected }, found);
      assert.equal(found.prompt_tokens_details.cached_tokens, 40);
    }
  },

  async "an agent that talks is left within a second"() {
    assert.ok(await leave("{{words 1000 20}}"));
  },

  async "an agent that is silent is left within a second"() {
    assert.ok(await leave("{{hang}}"));
  },

  async "the model gets no key of a client"() {
    const mark = word();
    await ask(tidegate, { messages: user(`Hello ${mark}`) });
    assert.ok(!JSON.stringify(await calls(mark)).includes(tidegate.key));
  },
});
