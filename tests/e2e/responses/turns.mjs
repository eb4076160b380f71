// Continues a conversation by `previous_response_id` for some turns, and checks that the model sees each turn once.
//
//   node turns.mjs FILE      the file has the conversation so far, if there is one
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import OpenAI from "openai";
import { apiKey, baseURL, run, seen, word } from "../clients/check.mjs";

const TURNS = 10;

const file = process.argv[2];
const client = new OpenAI({ baseURL, apiKey });
const conversation = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { id: undefined, marks: [] };
const before = conversation.marks.length;

await run({
  async [`turns ${before + 1} to ${before + TURNS} by previous_response_id: each once`]() {
    for (let turn = 0; turn < TURNS; turn++) {
      const mark = word();
      const { id } = await client.responses.create({
        model: "openclaw",
        input: `Turn ${conversation.marks.length}: ${mark}`,
        previous_response_id: conversation.id,
      });
      conversation.id = id;
      conversation.marks.push(mark);
    }
    writeFileSync(file, JSON.stringify(conversation));
    const prompt = await seen(conversation.marks.at(-1));
    // The LLM repeats each message, so each earlier turn appears twice: as message and as reply.
    const counts = conversation.marks.map((mark) => prompt.split(mark).length - 1);
    assert.deepEqual(counts, [...Array(counts.length - 1).fill(2), 1]);
  },
});
