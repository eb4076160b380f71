// A scripted LLM that speaks the OpenAI protocol. It plays what the newest message asks for, and
// remembers what it was sent and who hung up.
//
//   {{words 50 20}}               says 50 words, 20 ms apart
//   {{tool get_weather {...}}}    calls a tool; the result of the tool is repeated in the next answer
//   {{say text}}                  says the text
//   {{hang}}                      says one word, and nothing more
//   {{break}}                     says three words, and the connection is gone
//   {{fail 429 1}}                fails with this status, and `Retry-After: 1`
//   {{once 429 1}}                does so the first time that it gets this very message, and then answers
//
// A message without a script is repeated. A test finds its calls by a word of its own in the message:
//
//   GET /calls?with=WORD   the calls whose newest message has the word, as JSON
//   GET /left?with=WORD    the same, as soon as the other side of one has hung up
import { createServer } from "node:http";
import { once } from "node:events";

const MODEL = "scripted";
const PATIENCE = 10_000;

/** Starts the LLM on a free port and returns where it is. */
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

/** Waits until somebody has hung up on a call with the word. */
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
  const call = { text, body, key: request.headers.authorization, at: Date.now(), state: "open" };
  calls.push(call);
  response.on("close", () => {
    if (call.state === "open") call.state = "left";
  });
  const [command, argument] = script(text);
  const [status, seconds] = argument.split(" ");
  if (command === "fail" || (command === "once" && !again)) {
    call.state = "whole";
    if (seconds) response.setHeader("retry-after", seconds);
    return json(response, Number(status), error(`scripted failure with status ${status}`));
  }
  const answer = body.stream ? new Streamed(response, body) : new Whole(response);
  await play(answer, command, argument, body.messages, () => call.state === "open");
  if (call.state === "open" && !response.destroyed && command !== "hang") {
    call.state = command === "break" ? "broken" : "whole";
    answer.end(command === "break");
  }
}

/** Plays a script into an answer, as long as somebody listens. */
async function play(answer, command, argument, messages, listening) {
  const text = newest(messages);
  if (result(messages) !== undefined) return answer.say(`The tool said: ${result(messages)}`);
  switch (command) {
    case "words": {
      const [count, delay] = argument.split(" ").map(Number);
      for (let i = 0; i < count && listening(); i++) {
        answer.say(`word${i} `);
        if (delay) await pause(delay);
      }
      return;
    }
    case "tool": {
      const [name, ...rest] = argument.split(" ");
      return answer.call(name, rest.join(" ") || "{}");
    }
    case "say":
      return answer.say(argument);
    case "hang":
      return answer.say("Wait");
    case "break":
      for (const word of ["This ", "is ", "half"]) answer.say(word);
      return pause(50);
    default:
      for (const word of `You said: ${text}`.match(/\S+\s*/g)) answer.say(word);
  }
}

/** An answer in one piece. */
class Whole {
  text = "";
  calls = [];

  constructor(response) {
    this.response = response;
  }

  say(text) {
    this.text += text;
  }

  call(name, args) {
    this.calls.push({ id: `call_${name}`, type: "function", function: { name, arguments: args } });
  }

  end(broken) {
    if (broken) return this.response.destroy();
    const message = { role: "assistant", content: this.text || null };
    if (this.calls.length) message.tool_calls = this.calls;
    const finish_reason = this.calls.length ? "tool_calls" : "stop";
    json(this.response, 200, {
      id: "chatcmpl-e2e", object: "chat.completion", created: 1_700_000_000, model: MODEL,
      choices: [{ index: 0, message, finish_reason }], usage: usage(this.text),
    });
  }
}

/** An answer as server-sent events. */
class Streamed {
  text = "";
  finish = "stop";

  constructor(response, body) {
    this.response = response;
    this.usage = body.stream_options?.include_usage === true;
    response.writeHead(200, { "content-type": "text/event-stream" });
    this.delta({ role: "assistant", content: "" });
  }

  say(content) {
    this.text += content;
    this.delta({ content });
  }

  call(name, args) {
    const half = Math.floor(args.length / 2);
    const head = { index: 0, id: `call_${name}`, type: "function", function: { name, arguments: "" } };
    this.delta({ tool_calls: [head] });
    for (const piece of [args.slice(0, half), args.slice(half)]) {
      this.delta({ tool_calls: [{ index: 0, function: { arguments: piece } }] });
    }
    this.finish = "tool_calls";
  }

  delta(delta, finish_reason = null) {
    this.chunk({ choices: [{ index: 0, delta, finish_reason }] });
  }

  chunk(rest) {
    const chunk = { id: "chatcmpl-e2e", object: "chat.completion.chunk", created: 1_700_000_000, model: MODEL, ...rest };
    this.response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  }

  end(broken) {
    if (broken) return this.response.destroy();
    this.delta({}, this.finish);
    if (this.usage) this.chunk({ choices: [], usage: usage(this.text) });
    this.response.end("data: [DONE]\n\n");
  }
}

/** Counts words as tokens; the prompt always has 100, of which 40 were known. */
function usage(text) {
  const words = text.split(/\s+/).filter(Boolean).length;
  return {
    prompt_tokens: 100, completion_tokens: words, total_tokens: 100 + words,
    prompt_tokens_details: { cached_tokens: 40 },
  };
}

/** Returns the newest message; where OpenClaw flattens a conversation into one, its last part. */
function newest(messages) {
  const texts = messages.filter((message) => message.role === "user").map(content);
  // What OpenClaw tells the model of itself comes after the user's message.
  const text = texts.findLast((text) => !text.startsWith("<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>")) ?? "";
  return text.split("[Current message - respond to this]").at(-1).trim();
}

/** Returns the result of a tool, if that is what the newest message is. */
function result(messages) {
  const last = messages.at(-1);
  if (last?.role === "tool") return content(last);
  return /^Tool:[^ ]+: (.*)/.exec(newest(messages))?.[1];
}

function content(message) {
  const parts = message?.content ?? "";
  return typeof parts === "string" ? parts : parts.map((part) => part.text ?? "").join("\n");
}

function script(text) {
  const [, command = "", argument = ""] = /\{\{(\w+) ?(.*?)\}\}(?!\})/s.exec(text) ?? [];
  return [command, argument];
}

function error(message) {
  return { error: { message, type: "scripted" } };
}

function json(response, status, document) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(document));
}

async function read(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
