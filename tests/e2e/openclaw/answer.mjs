// The responses of the scripted LLM: whole, or as server-sent events.

export const MODEL = "scripted";

const HEAD = { id: "chatcmpl-e2e", created: 1_700_000_000, model: MODEL };

/** Shared by both kinds: the text, the tool calls, and the finish reason. */
class Answer {
  text = "";
  calls = [];
  finish = undefined;

  constructor(response) {
    this.response = response;
  }

  /** The finish reason of the script, or the default for the content. */
  get reason() {
    return this.finish ?? (this.calls.length ? "tool_calls" : "stop");
  }

  /** Counts words as tokens. The prompt always has 100 tokens, of which 40 are cached. */
  get usage() {
    const words = this.text.split(/\s+/).filter(Boolean).length;
    return {
      prompt_tokens: 100, completion_tokens: words, total_tokens: 100 + words,
      prompt_tokens_details: { cached_tokens: 40 },
    };
  }

  /** Disconnects. */
  cut() {
    this.response.destroy();
  }
}

/** A whole response. */
export class Whole extends Answer {
  say(text) {
    this.text += text;
  }

  call(name, args) {
    const id = `call_${name}_${this.calls.length}`;
    this.calls.push({ id, type: "function", function: { name, arguments: args } });
  }

  end() {
    const message = { role: "assistant", content: this.text || null };
    if (this.calls.length) message.tool_calls = this.calls;
    const choices = [{ index: 0, message, finish_reason: this.reason }];
    json(this.response, 200, { ...HEAD, object: "chat.completion", choices, usage: this.usage });
  }
}

/** A response as server-sent events. */
export class Streamed extends Answer {
  constructor(response, body) {
    super(response);
    this.wantsUsage = body.stream_options?.include_usage === true;
    response.writeHead(200, { "content-type": "text/event-stream" });
    this.delta({ role: "assistant", content: "" });
  }

  say(content) {
    this.text += content;
    this.delta({ content });
  }

  call(name, args) {
    const index = this.calls.push(name) - 1;
    const half = Math.floor(args.length / 2);
    const start = { id: `call_${name}_${index}`, type: "function", function: { name, arguments: "" } };
    this.delta({ tool_calls: [{ index, ...start }] });
    for (const piece of [args.slice(0, half), args.slice(half)]) {
      this.delta({ tool_calls: [{ index, function: { arguments: piece } }] });
    }
  }

  delta(delta, finish_reason = null) {
    this.chunk({ choices: [{ index: 0, delta, finish_reason }] });
  }

  chunk(rest) {
    const chunk = { ...HEAD, object: "chat.completion.chunk", ...rest };
    this.response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  }

  end() {
    this.delta({}, this.reason);
    if (this.wantsUsage) this.chunk({ choices: [], usage: this.usage });
    this.response.end("data: [DONE]\n\n");
  }
}

/** Sends a document. */
export function json(response, status, document) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(document));
}
