// What the JavaScript clients share: where Tidegate is, what the LLM behind it saw, and how a check is told.
import { randomUUID } from "node:crypto";

/** Tidegate before a real OpenClaw gateway, and the key that it asks for. */
export const baseURL = process.env.TIDEGATE_BASE_URL;
export const apiKey = process.env.TIDEGATE_API_KEY;

/** Tidegate before the scripted LLM alone: its failures come at once. */
export const faultsURL = process.env.FAULTS_BASE_URL;

/** A tool that clients offer. */
export const weather = {
  name: "get_weather",
  description: "Tells the weather of a city.",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};

/** Returns a word by which the calls of a check are found again. */
export function word() {
  return `word-${randomUUID().slice(0, 13)}`;
}

/** Returns the calls of the LLM whose newest message has the word. */
export function calls(word) {
  return llm("calls", word);
}

/** Tells whether a call with the word is hung up on within that time. */
export async function leftWithin(milliseconds, word) {
  const begun = performance.now();
  const left = await llm("left", word);
  return left.length > 0 && performance.now() - begun < milliseconds;
}

/** Tells whether the LLM was called twice, a second apart: once, and as `Retry-After` says. */
export async function waitedASecond(word) {
  const [first, second, ...more] = await calls(word);
  return more.length === 0 && second?.at - first.at >= 1000;
}

async function llm(path, word) {
  const answer = await fetch(`${process.env.LLM_URL}/${path}?with=${word}`);
  return answer.json();
}

/** Says that there is nothing to check, for the reason. */
export class Skip extends Error {}

/** Runs each check and prints its line. */
export async function run(checks) {
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
      console.log(`ok - ${name}`);
    } catch (error) {
      if (error instanceof Skip) {
        console.log(`ok - ${name} # SKIP ${error.message}`);
        continue;
      }
      console.log(`not ok - ${name}`);
      for (const line of String(error.stack ?? error).split("\n")) console.log(`# ${line}`);
    }
  }
}
