// The checks of every host, with the scripted LLM as Tidegate's backend.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { apiKey, baseURL, leftWithin, run, Skip, weather, word } from "../clients/check.mjs";

/** The number of concurrent streams. */
const BURST = 200;

/** The number of whole responses, and how many of them must arrive in one read. */
const ANSWERS = 100;
const IN_ONE_READ = 95;

const ask = (text, stream, more = {}) =>
  fetch(`${baseURL}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${more.key ?? apiKey}` },
    body: JSON.stringify({
      model: "openclaw",
      stream,
      messages: [{ role: "user", content: text }],
      tools: more.tools,
    }),
    signal: more.signal,
  });

/** Returns the data of a stream's events. */
async function events(answer) {
  const events = (await answer.text()).replace(/^:.*\n/gm, "").split("\n\n").filter((event) => event.startsWith("data: "));
  return events.map((event) => event.slice(6));
}

/** Reads a stream, checks that it is complete, and returns its text. */
async function streamed(answer) {
  assert.equal(answer.status, 200);
  const data = await events(answer);
  assert.equal(data.pop(), "[DONE]");
  const choices = data.map((event) => JSON.parse(event).choices[0]);
  assert.equal(choices.at(-1).finish_reason, "stop");
  return choices.map((choice) => choice.delta.content ?? "").join("");
}

const words = (count) => Array.from({ length: count }, (_, n) => `word${n} `).join("");

/** Waits until no minute ends within the next seconds, because rate limits count per minute. */
async function withinMinute(seconds) {
  const left = 60_000 - (Date.now() % 60_000);
  if (left < seconds * 1000) await new Promise((resolve) => setTimeout(resolve, left));
}

const checks = {
  async alive() {
    const answer = await fetch(new URL("/healthz", baseURL));
    assert.deepEqual(await answer.json(), { ok: true, status: "live" });
  },
  async whole() {
    const answer = await (await ask("{{say Hello from the agent}}", false)).json();
    assert.equal(answer.choices[0].message.content, "Hello from the agent");
    assert.equal(answer.choices[0].finish_reason, "stop");
  },
  async stream() {
    assert.equal(await streamed(await ask("{{words 12 10}}", true)), words(12));
  },
  async tool() {
    const tools = [{ type: "function", function: weather }];
    const answer = await (await ask('{{tool get_weather {"city":"Paris"}}}', false, { tools })).json();
    const [choice] = answer.choices;
    assert.equal(choice.finish_reason, "tool_calls");
    const [{ function: call }] = choice.message.tool_calls;
    assert.deepEqual([call.name, JSON.parse(call.arguments)], ["get_weather", { city: "Paris" }]);
  },
  async models() {
    const answer = await fetch(`${baseURL}/models`, { headers: { authorization: `Bearer ${apiKey}` } });
    const { data } = await answer.json();
    assert.ok(data.some(({ id }) => id === "openclaw"), JSON.stringify(data));
  },
  async leave() {
    for (const script of ["{{hang}}", "{{words 1000 20}}"]) {
      const mine = word();
      const leave = new AbortController();
      const answer = await ask(`${script} ${mine}`, true, { signal: leave.signal });
      await answer.body.getReader().read();
      leave.abort();
      assert.ok(await leftWithin(2000, mine), `${script}: the model's side is still open`);
    }
  },
  async broken() {
    const whole = await ask("{{break}}", false);
    assert.equal(whole.status, 502);
    const data = await events(await ask("{{break}}", true));
    const parsed = data.filter((event) => event !== "[DONE]").map((event) => JSON.parse(event));
    assert.ok(parsed.at(-1).error, JSON.stringify(parsed));
    assert.ok(parsed.every((event) => !event.choices?.[0].finish_reason), JSON.stringify(parsed));
  },
  async burst() {
    const streams = Array.from({ length: BURST }, async () => streamed(await ask("{{words 10 100}}", true)));
    for (const text of await Promise.all(streams)) assert.equal(text, words(10));
  },
  async 401() {
    const answer = await ask("Hello", false, { key: "wrong" });
    assert.equal(answer.status, 401);
    assert.equal((await answer.json()).error.code, "invalid_api_key");
  },
  // Twenty concurrent requests with a key of five requests per minute.
  async limits() {
    await withinMinute(5);
    const headers = { authorization: `Bearer ${process.env.LIMITED_KEY}` };
    const calls = Array.from({ length: 20 }, async () => {
      const answer = await fetch(`${baseURL}/models`, { headers });
      return answer.ok ? "passed" : (await answer.json()).error.code;
    });
    const outcomes = await Promise.all(calls);
    const passed = outcomes.filter((outcome) => outcome === "passed");
    assert.equal(passed.length, 5, JSON.stringify(outcomes));
    assert.equal(outcomes.filter((outcome) => outcome === "rate_limit_exceeded").length, 15);
  },
  // Without TCP_NODELAY, a body that is written after its head waits for the acknowledgement of the head, which the
  // client delays by 40 ms.
  async packet() {
    const together = await inOneRead(ANSWERS);
    const found = `${together} of ${ANSWERS} answers in one read`;
    if (!process.env.WITHOUT_NODELAY) throw new Skip(found);
    console.log(`# ${found}`);
    assert.ok(together >= IN_ONE_READ, found);
  },
};

/** Requests whole responses on one connection, and returns how many arrived together with their heads. */
async function inOneRead(count) {
  const { hostname, port } = new URL(baseURL);
  const socket = connect({ host: hostname, port, noDelay: true });
  const body = JSON.stringify({ model: "openclaw", messages: [{ role: "user", content: "{{say Hello}}" }] });
  const request = [
    "POST /v1/chat/completions HTTP/1.1",
    `Host: ${hostname}:${port}`,
    `Authorization: Bearer ${apiKey}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    "",
    body,
  ].join("\r\n");
  const reads = socket.iterator({ destroyOnReturn: false });
  let together = 0;
  for (let n = 0; n < count; n++) {
    socket.write(request);
    let answer = "";
    let needed = 0;
    do {
      const { value, done } = await reads.next();
      assert.ok(!done, "the connection is closed");
      answer += value;
      needed += 1;
    } while (!isWhole(answer));
    assert.match(answer, /^HTTP\/1.1 200 /);
    together += needed === 1 ? 1 : 0;
  }
  socket.destroy();
  return together;
}

function isWhole(answer) {
  const [head, body] = answer.split("\r\n\r\n");
  const length = /^content-length: (\d+)/im.exec(head)?.[1];
  return body !== undefined && Buffer.byteLength(body) === Number(length);
}

await run(checks);
