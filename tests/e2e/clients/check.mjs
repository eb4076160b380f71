// Shared by the JavaScript clients: Tidegate's URLs, the calls of the LLM, and the output of checks.
import { randomUUID } from "node:crypto";

/** Tidegate with a real OpenClaw, and the clients' API key. */
export const baseURL = process.env.TIDEGATE_BASE_URL;
export const apiKey = process.env.TIDEGATE_API_KEY;

/** Tidegate with only the scripted LLM, which fails immediately. */
export const faultsURL = process.env.FAULTS_BASE_URL;

/** A tool of the client. */
export const weather = {
  name: "get_weather",
  description: "Tells the weather of a city.",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};

/** Returns a word that identifies the calls of a check. */
export function word() {
  return `word-${randomUUID().slice(0, 13)}`;
}

/** Returns the LLM's calls whose last message contains the word. */
export function calls(word) {
  return llm("calls", word);
}

/** Returns the messages that the model received in the first call with the word, as JSON. */
export async function seen(word) {
  const [call] = await calls(word);
  return JSON.stringify(call.body.messages);
}

/** Returns whether a call with the word is disconnected within the time limit. */
export async function leftWithin(milliseconds, word) {
  const begun = performance.now();
  const left = await llm("left", word);
  return left.length > 0 && performance.now() - begun < milliseconds;
}

/** Returns whether the LLM was called twice with a second between the calls, as `Retry-After` requests. */
export async function waitedASecond(word) {
  const [first, second, ...more] = await calls(word);
  return more.length === 0 && second?.at - first.at >= 1000;
}

async function llm(path, word) {
  const answer = await fetch(`${process.env.LLM_URL}/${path}?with=${word}`);
  return answer.json();
}

/** Skips the check, with a reason. */
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
