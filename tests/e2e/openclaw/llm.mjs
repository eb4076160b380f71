// A scripted LLM with OpenAI's API. The last message contains the script. The LLM records its calls and
// disconnects.
//
//   {{say text}}                  sends the text
//   {{words 50 20}}               sends 50 words, 20 ms apart
//   {{pause 300}}                 sends nothing for 300 ms
//   {{tool get_weather {...}}}    calls a tool; the next response repeats its result
//   {{finish length}}             ends with this finish reason
//   {{hang}}                      sends one word, and nothing more
//   {{break}}                     sends three words, and disconnects
//   {{fail 429 1}}                fails with this status, and `Retry-After: 1`
//   {{once 429 1}}                fails only for the first request with this message
//
// Several scripts run in order. Without a script, the response repeats the message. A test identifies its calls
// with a unique word in the message:
//
//   GET /calls?with=WORD   the calls whose last message contains the word, as JSON
//   GET /left?with=WORD    the same, after a client of one of them has disconnected
import { createServer } from "node:http";
import { once } from "node:events";
import { json, MODEL, Streamed, Whole } from "./answer.mjs";

const PATIENCE = 10_000;

/** Starts the LLM on a free port and returns its URL. */
export async function startLlm() {
  const calls = [];
  const server = createServer((request, response) => {
    serve(calls, request, response).catch((error) => response.destroy(error));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${server.address().port}`;
}

async function serve(calls, request, response) {
  const url = new URL(request.url, "http://llm");
  const word = url.searchParams.get("with");
  switch (url.pathname) {
    case "/calls":
      return json(response, 200, calls.filter((call) => call.text.includes(word)));
    case "/left":
      return json(response, 200, await left(calls, word));
    case "/v1/models":
      return json(response, 200, { object: "list", data: [{ id: MODEL, object: "model", created: 0, owned_by: "e2e" }] });
    case "/v1/chat/completions":
      return complete(calls, request, response);
    default:
      return json(response, 404, error("there is no such path"));
  }
}

/** Waits until the client of a call with the word has disconnected. */
async function left(calls, word) {
  const gone = () => calls.filter((call) => call.text.includes(word) && call.state === "left");
  const until = Date.now() + PATIENCE;
  while (gone().length === 0 && Date.now() < until) await pause(5);
  return gone();
}

async function complete(calls, request, response) {
  const body = JSON.parse(await read(request));
  const text = newest(body.messages);
  const again = calls.some((call) => call.text === text);
  const call = { text, body, at: Date.now(), state: "open" };
  calls.push(call);
  response.on("close", () => {
    if (call.state === "open") call.state = "left";
  });
  const played = scripts(body.messages, text);
  const failure = played.find(([command]) => command === "fail" || (command === "once" && !again));
  if (failure) {
    call.state = "over";
    return fail(response, failure[1]);
  }
  const answer = body.stream ? new Streamed(response, body) : new Whole(response);
  for (const [command, argument] of played) {
    await play(answer, command, argument, call);
  }
  if (call.state === "open") {
    call.state = "over";
    answer.end();
  }
}

/** Returns the script, as pairs of a command and its argument. */
function scripts(messages, text) {
  const result = resultOfTool(messages, text);
  if (result !== undefined) return [["say", `The tool said: ${result}`]];
  const found = [...text.matchAll(/\{\{(\w+) ?(.*?)\}\}(?!\})/gs)].map(([, command, argument]) => [command, argument]);
  const silent = found.every(([command]) => command === "once" || command === "finish");
  return silent ? [...found, ["repeat", text]] : found;
}

/** Sends the response of a script until the client disconnects. */
async function play(answer, command, argument, call) {
  switch (command) {
    case "say":
      return answer.say(argument);
    case "repeat":
      for (const word of `You said: ${argument}`.match(/\S+\s*/g)) answer.say(word);
      return;
    case "words": {
      const [count, delay] = argument.split(" ").map(Number);
      for (let i = 0; i < count && call.state === "open"; i++) {
        answer.say(`word${i} `);
        if (delay) await pause(delay);
      }
      return;
    }
    case "pause":
      return pause(Number(argument));
    case "tool": {
      const [name, ...rest] = argument.split(" ");
      return answer.call(name, rest.join(" ") || "{}");
    }
    case "finish":
      answer.finish = argument;
      return;
    case "hang":
      answer.say("Wait");
      return once(answer.response, "close");
    case "break":
      for (const word of ["This ", "is ", "half"]) answer.say(word);
      await pause(50);
      call.state = "over";
      return answer.cut();
  }
}

function fail(response, argument) {
  const [status, seconds] = argument.split(" ");
  if (seconds) response.setHeader("retry-after", seconds);
  json(response, Number(status), error(`scripted failure with status ${status}`));
}

/** Returns the last message. If OpenClaw merged a conversation into one message, returns its last part. */
function newest(messages) {
  const text = content(messages.findLast(isOfUser));
  return text.split("[Current message - respond to this]").at(-1).trim();
}

/** Returns whether a message is the user's, and not context that OpenClaw appended. */
function isOfUser(message) {
  return message.role === "user" && !content(message).startsWith("<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>");
}

/** Returns the last tool result, if it is newer than the last message of the user. */
function resultOfTool(messages, text) {
  const later = messages.slice(messages.findLastIndex(isOfUser) + 1);
  const result = later.findLast((message) => message.role === "tool");
  // OpenClaw sends a client's result as text. Before it can be the time, after it the agent's runtime.
  return result ? content(result) : /^(?:\[[^\]]*\] )?Tool:[^ ]+: (.*?)(?:\n\nRuntime: .*)?$/s.exec(text)?.[1];
}

function content(message) {
  const parts = message?.content ?? "";
  return typeof parts === "string" ? parts : parts.map((part) => part.text ?? "").join("\n");
}

function error(message) {
  return { error: { message, type: "scripted" } };
}

async function read(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
