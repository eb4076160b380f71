// Sessions: which requests continue a conversation, and the messages that the model receives.
import assert from "node:assert/strict";
import OpenAI from "openai";
import { calls, run, word } from "../clients/check.mjs";
import { ask, full, tidegate, user } from "./tidegate.mjs";

const first = { ...tidegate, key: process.env.FIRST_KEY };
const second = { ...tidegate, key: process.env.SECOND_KEY };

/** Sends a message and returns all messages that the model receives. */
async function sees(server, body, text) {
  const mark = word();
  const { status } = await ask(server, { ...body, messages: user(`${text} ${mark}`) });
  assert.equal(status, 200);
  return seen(mark);
}

async function seen(mark) {
  const [call] = await calls(mark);
  return JSON.stringify(call.body.messages);
}

/** Sends a message with one `user`, and returns whether the model receives it with the next request. */
async function isKnown([from, body], [to, next]) {
  const secret = word();
  await sees(from, body, `Remember ${secret}.`);
  return (await sees(to, next, "And?")).includes(secret);
}

const count = (text, part) => text.split(part).length - 1;

await run({
  async "ten turns of a client that resends its history: each once"() {
    const client = new OpenAI({ baseURL: tidegate.url, apiKey: tidegate.key });
    const messages = [];
    const marks = [];
    const alice = word();
    for (let turn = 0; turn < 10; turn++) {
      marks.push(word());
      messages.push({ role: "user", content: `Turn ${turn}: ${marks.at(-1)}` });
      const completion = await client.chat.completions.create({ model: "openclaw", user: alice, messages });
      messages.push(completion.choices[0].message);
    }
    const prompt = await seen(marks.at(-1));
    // The LLM repeats each message, so each turn appears twice: as message and as response.
    const counts = marks.map((mark) => count(prompt, mark));
    assert.deepEqual(counts, [...Array(9).fill(2), 1]);
  },

  async "with history `latest` the agent is told only what is new"() {
    const mark = word();
    const messages = [...user("Earlier words"), { role: "assistant", content: "Indeed" }, ...user(`Now ${mark}`)];
    await ask(tidegate, { user: word(), messages });
    assert.ok(!(await seen(mark)).includes("Earlier words"));
  },

  async "with history `full` the agent is told everything"() {
    const mark = word();
    const messages = [...user("Earlier words"), { role: "assistant", content: "Indeed" }, ...user(`Now ${mark}`)];
    await ask(full, { user: word(), messages });
    assert.ok((await seen(mark)).includes("Earlier words"));
  },

  async "without a `user` the whole conversation is passed on and none is kept"() {
    const mark = word();
    const messages = [...user("Earlier words"), { role: "assistant", content: "Indeed" }, ...user(`Now ${mark}`)];
    await ask(tidegate, { messages });
    assert.ok((await seen(mark)).includes("Earlier words"));
    assert.equal(await isKnown([tidegate, {}], [tidegate, {}]), false);
  },

  async "a user continues the conversation"() {
    const alice = { user: word() };
    assert.equal(await isKnown([tidegate, alice], [tidegate, alice]), true);
  },

  async "two users have two conversations"() {
    const name = word();
    assert.equal(await isKnown([tidegate, { user: name }], [tidegate, { user: `${name}-2` }]), false);
    assert.equal(await isKnown([tidegate, { user: name }], [tidegate, { user: name.toUpperCase() }]), false);
  },

  async "two keys have two conversations with users of one name"() {
    const alice = { user: word() };
    assert.equal(await isKnown([first, alice], [first, alice]), true);
    assert.equal(await isKnown([first, alice], [second, alice]), false);
    assert.equal(await isKnown([first, alice], [tidegate, alice]), false);
  },

  async "two agents have two conversations with one user"() {
    const alice = { user: word() };
    const main = [tidegate, { ...alice, model: "openclaw/main" }];
    const research = [tidegate, { ...alice, model: "openclaw/research" }];
    assert.equal(await isKnown(main, research), false);
    assert.equal(await isKnown(research, research), true);
  },

  async "the agent that is named is the one that answers"() {
    for (const agent of ["main", "research"]) {
      assert.match(await sees(tidegate, { model: `openclaw/${agent}` }, "Who?"), new RegExp(`agent=${agent} `));
    }
  },

  async "a key sees no other agents than its own"() {
    const { status, error } = await ask(second, { model: "openclaw/research", messages: user("Hello") });
    assert.equal(status, 404);
    assert.equal(error.code, "model_not_found");
    const models = await fetch(`${second.url}/models`, { headers: { authorization: `Bearer ${second.key}` } });
    assert.ok(!(await models.text()).includes("research"));
  },
});
