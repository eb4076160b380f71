// What holds on every host, whatever it is: asked of Tidegate before a real OpenClaw gateway.
import assert from "node:assert/strict";
import { apiKey, baseURL, leftWithin, run, Skip, word } from "../clients/check.mjs";

const missing = process.env.MISSING_HOST;

const ask = (text, stream, more = {}) =>
  fetch(`${baseURL}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${more.key ?? apiKey}` },
    body: JSON.stringify({ model: "openclaw", stream, messages: [{ role: "user", content: text }] }),
    signal: more.signal,
  });

const checks = {
  async alive() {
    const answer = await fetch(new URL("/healthz", baseURL));
    assert.deepEqual(await answer.json(), { ok: true, status: "live" });
  },
  async plain() {
    const answer = await (await ask("{{say Hello from the agent}}", false)).json();
    assert.equal(answer.choices[0].message.content, "Hello from the agent");
  },
  async stream() {
    const answer = await ask("{{words 12 10}}", true);
    const events = (await answer.text()).split("\n\n").filter((event) => event.startsWith("data: "));
    assert.equal(events.at(-1), "data: [DONE]");
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event.slice(6)).choices[0]);
    const said = chunks.map((choice) => choice.delta.content ?? "").join("");
    assert.deepEqual(said.trim().split(" "), Array.from({ length: 12 }, (_, n) => `word${n}`));
    assert.equal(chunks.at(-1).finish_reason, "stop");
  },
  async models() {
    const answer = await fetch(`${baseURL}/models`, { headers: { authorization: `Bearer ${apiKey}` } });
    const { data } = await answer.json();
    assert.ok(data.some(({ id }) => id === "openclaw/main"), JSON.stringify(data));
  },
  async cancel() {
    const mine = word();
    const leave = new AbortController();
    const answer = await ask(`{{hang}} ${mine}`, true, { signal: leave.signal });
    await answer.body.getReader().read();
    leave.abort();
    assert.ok(await leftWithin(2000, mine), "the model's side is still open");
  },
  async 401() {
    const answer = await ask("Hello", false, { key: "wrong" });
    assert.equal(answer.status, 401);
    assert.equal((await answer.json()).error.code, "invalid_api_key");
  },
  // One of three calls may fall into a new minute, but not two.
  async limits() {
    const headers = { authorization: `Bearer ${process.env.LIMITED_KEY}` };
    const codes = [];
    for (let call = 0; call < 3; call++) {
      const answer = await fetch(`${baseURL}/models`, { headers });
      codes.push((await answer.json()).error?.code);
    }
    assert.equal(codes[0], undefined);
    assert.ok(codes.includes("rate_limit_exceeded"), JSON.stringify(codes));
  },
};

const skip = async () => {
  throw new Skip(missing);
};
await run(missing ? Object.fromEntries(Object.keys(checks).map((name) => [name, skip])) : checks);
