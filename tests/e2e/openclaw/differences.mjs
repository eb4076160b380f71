// Sends the same requests to OpenClaw's own endpoint and to Tidegate in front of it, and compares the responses:
// the status, the content type, the type of an error, and for a success the role, the text, the tool calls, the
// finish reason or status, the usage and the order of a stream's parts. Both servers run; nothing is recorded.
//
// The file in DEVIATIONS lists the cases with intended differences and their reasons. A listed case that does not
// differ or does not exist fails.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { run, weather } from "../clients/check.mjs";
import embeddings from "./cases/embeddings.mjs";
import requests from "./cases/requests.mjs";
import responses from "./cases/responses.mjs";
import runs from "./cases/runs.mjs";

const cases = { ...requests, ...runs, ...responses, ...embeddings };
const openclaw = { url: process.env.OPENCLAW_URL, token: process.env.OPENCLAW_TOKEN };
const tidegate = { url: process.env.TIDEGATE_BASE_URL.replace(/\/v1$/, ""), token: process.env.TIDEGATE_API_KEY };

const RESPONSES = "/v1/responses";
const EMBEDDINGS = "/v1/embeddings";

const TOOLS = { weather, hour: { name: "get_hour", description: "Tells the hour." } };

/** Sends a case to a server, and returns the compared parts of the response. */
async function send(server, { method = "POST", path = "/v1/chat/completions", scheme = "Bearer", ...rest }) {
  const headers = { authorization: `${scheme} ${server.token}`, "content-type": "application/json", ...rest.headers };
  for (const [name, value] of Object.entries(headers)) if (value === null) delete headers[name];
  const response = await fetch(server.url + path, { method, headers, body: body(path, rest) });
  const text = await response.text();
  const kind = response.headers.get("content-type")?.split(";")[0];
  const seen = { status: response.status, allow: response.headers.get("allow") };
  if (kind === "text/event-stream") return { ...seen, ...ofStream(text) };
  return { ...seen, ...(kind === "application/json" ? ofDocument(JSON.parse(text)) : { text: true }) };
}

function body(path, { raw, body, say = "{{say Hello.}}" }) {
  if (raw !== undefined || body === null) return raw;
  const model = "openclaw/main";
  if (path === EMBEDDINGS) return JSON.stringify({ model, input: "Hello", ...body });
  if (path === RESPONSES) {
    const tools = defined(body, (tool) => ({ type: "function", ...tool }));
    return JSON.stringify({ model, input: say, ...body, tools });
  }
  const tools = defined(body, (tool) => ({ type: "function", function: tool }));
  return JSON.stringify({ model, messages: [{ role: "user", content: say }], ...body, tools });
}

/** Replaces the names of tools by their definitions. */
function defined(body, definition) {
  return body?.tools?.map((tool) => (TOOLS[tool] ? definition(TOOLS[tool]) : tool));
}

function ofDocument(document) {
  if (document.error) return { error: document.error.type };
  if (document.object === "response") return ofResponse(document);
  if (document.data?.[0]?.object === "embedding") return { vectors: document.data.map(({ embedding }) => embedding.length) };
  if (document.object === "list") return { list: document.data.map(({ id }) => id).sort() };
  if (document.object !== "chat.completion") return { keys: Object.keys(document).sort() };
  const [{ message, finish_reason }] = document.choices;
  return {
    model: document.model,
    role: message.role,
    text: message.content ?? "",
    calls: called(message.tool_calls),
    finish: finish_reason,
    usage: counted(document.usage),
  };
}

function ofResponse({ status, model, output, usage, error, incomplete_details }) {
  return {
    outcome: status,
    model,
    output: output.map(ofItem),
    usage: usage && [usage.input_tokens, usage.output_tokens, usage.total_tokens],
    error: error?.code ?? null,
    reason: incomplete_details?.reason ?? null,
  };
}

function ofItem({ type, content, name, arguments: text }) {
  if (type === "message") return [type, content.map((part) => [part.type, part.text])];
  return [type, name, JSON.parse(text || "{}")];
}

function ofStream(text) {
  const data = text.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim());
  const done = data.at(-1) === "[DONE]";
  const events = data.filter((line) => line !== "[DONE]").map((line) => JSON.parse(line));
  if (events[0]?.type?.startsWith("response.")) return { done, ...ofEvents(events) };
  const error = events.find((event) => event.error)?.error.type;
  if (error) return { done, error };
  const choices = events.flatMap((event) => event.choices);
  const calls = [];
  for (const { index, function: { name = "", arguments: text = "" } } of choices.flatMap((c) => c.delta.tool_calls ?? [])) {
    calls[index] ??= { function: { name: "", arguments: "" } };
    calls[index].function.name += name;
    calls[index].function.arguments += text;
  }
  const parts = events.map(part).filter(Boolean);
  return {
    done,
    model: events[0].model,
    text: choices.map((choice) => choice.delta.content ?? "").join(""),
    calls: called(calls),
    finish: choices.at(-1).finish_reason,
    usage: counted(events.at(-1).usage),
    parts: parts.filter((part, at) => part !== parts[at - 1]),
  };
}

function ofEvents(events) {
  const types = events.map(({ type }) => type);
  return {
    response: ofResponse(events.at(-1).response),
    deltas: events.map(({ type, delta }) => (type === "response.output_text.delta" ? delta : "")).join(""),
    types: types.filter((type, at) => type !== types[at - 1]),
  };
}

function part({ choices: [choice], usage }) {
  if (!choice) return usage && "usage";
  if (choice.finish_reason) return "finish";
  return ["role", "tool_calls", "content"].find((part) => choice.delta[part]);
}

function called(calls = []) {
  return calls.map(({ function: { name, arguments: text } }) => [name, JSON.parse(text || "{}")]);
}

function counted(usage) {
  return usage && [usage.prompt_tokens, usage.completion_tokens, usage.total_tokens];
}

/** Returns the names of the deviations. */
function deviations() {
  const lines = readFileSync(process.env.DEVIATIONS, "utf8").split("\n");
  return lines.filter((line) => line && !line.startsWith("#")).map((line) => line.split(":")[0]);
}

async function compare(name, deviates) {
  const [theirs, ours] = [await send(openclaw, cases[name]), await send(tidegate, cases[name])];
  if (deviates) assert.notDeepEqual(ours, theirs, "it no longer differs");
  else assert.deepEqual(ours, theirs);
}

const differing = deviations();
const checks = Object.keys(cases).map((name) => {
  const deviates = differing.includes(name);
  return [deviates ? `${name} differs on purpose` : name, () => compare(name, deviates)];
});
await run({
  ...Object.fromEntries(checks),
  "every deviation is a case"() {
    assert.deepEqual(differing.filter((name) => !cases[name]), []);
  },
});
