// Replies, chunks, errors and lists of models against JSON schemas of what OpenAI's API reference requires.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import Ajv from "ajv/dist/2020.js";
import { run, weather } from "../clients/check.mjs";
import { ask, request, stream, tidegate, user } from "./tidegate.mjs";

const schemas = JSON.parse(readFileSync(path.join(import.meta.dirname, "schemas.json"), "utf8"));
const ajv = new Ajv({ strict: true, allErrors: true }).addSchema(schemas, "api");
const tools = [{ type: "function", function: weather }];

/** Asserts that a document has a schema of `schemas.json`. */
function assertValid(name, document) {
  const validate = ajv.getSchema(`api#/$defs/${name}`);
  assert.ok(validate(document), `${JSON.stringify(validate.errors)}: ${JSON.stringify(document)}`);
}

async function whole(body) {
  const response = await request(tidegate, body);
  assert.equal(response.status, 200);
  return response.json();
}

await run({
  async "whole replies"() {
    for (const text of ["{{say Good morning.}}", "{{words 500}}", "{{finish length}} Hello", '{{tool get_weather {"city":"Paris"}}}', "{{tool get_weather}}"]) {
      assertValid("completion", await whole({ messages: user(text), tools }));
    }
  },

  async "chunks, also with usage and tool calls"() {
    for (const text of ["{{say Good morning.}}", "{{words 50 5}}", '{{tool get_weather {"city":"Paris"}}}']) {
      const { events } = await stream(tidegate, { messages: user(text), tools, stream_options: { include_usage: true } });
      assert.ok(events.length > 2);
      for (const event of events) assertValid("chunk", event);
    }
  },

  async "errors before a run, of a run, and in a stream"() {
    const refused = await ask(tidegate, { messages: [] });
    const unknown = await ask(tidegate, { model: "gpt-4o", messages: user("Hi") });
    const unmet = await ask(tidegate, { messages: user("{{say No.}}"), tools, tool_choice: "required" });
    const broken = await stream(tidegate, { messages: user("{{say No.}}"), tools, tool_choice: "required" });
    for (const { error } of [refused, unknown, unmet, broken]) assertValid("error", { error });
  },

  async "lists of models"() {
    const headers = { authorization: `Bearer ${tidegate.key}` };
    const list = await (await fetch(`${tidegate.url}/models`, { headers })).json();
    assertValid("models", list);
    for (const { id } of list.data) {
      assertValid("model", await (await fetch(`${tidegate.url}/models/${encodeURIComponent(id)}`, { headers })).json());
    }
  },

  async "a document without a required member is not valid"() {
    const document = await whole({ messages: user("{{say Good morning.}}") });
    for (const member of ["id", "object", "created", "model", "choices"]) {
      const { [member]: _, ...rest } = document;
      assert.throws(() => assertValid("completion", rest), member);
    }
    const [choice] = document.choices;
    for (const member of ["finish_reason", "index", "logprobs", "message"]) {
      const { [member]: _, ...rest } = choice;
      assert.throws(() => assertValid("completion", { ...document, choices: [rest] }), member);
    }
    const { refusal, ...message } = choice.message;
    assert.equal(refusal, null);
    assert.throws(() => assertValid("completion", { ...document, choices: [{ ...choice, message }] }));
  },
});
