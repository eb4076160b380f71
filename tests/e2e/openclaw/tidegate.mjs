// Calls Tidegate without an SDK, so that the tests see the whole response.

/** Tidegate with OpenClaw as its backend. */
export const tidegate = { url: process.env.TIDEGATE_BASE_URL, key: process.env.TIDEGATE_API_KEY };

/** The same, with `session.history: "full"`. */
export const full = { url: process.env.FULL_BASE_URL, key: process.env.TIDEGATE_API_KEY };

/** Returns a conversation of one message. */
export const user = (content) => [{ role: "user", content }];

/** Requests a completion, and returns the response. */
export function request(server, body, options = {}) {
  return fetch(`${server.url}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.key}`, ...options.headers },
    body: JSON.stringify({ model: "openclaw", ...body }),
    signal: options.signal,
  });
}

/** Requests a whole completion, and returns its status, error and choice. */
export async function ask(server, body) {
  const response = await request(server, body);
  const document = await response.json();
  const [choice] = document.choices ?? [];
  return {
    status: response.status,
    retry: response.headers.get("x-should-retry"),
    error: document.error,
    message: choice?.message,
    finish: choice?.finish_reason,
    usage: document.usage,
  };
}

/** Requests a stream, reads it to its end, and returns its status and events. */
export async function stream(server, body) {
  const response = await request(server, { ...body, stream: true });
  const text = await response.text();
  if (response.status !== 200) return { status: response.status, error: JSON.parse(text).error, events: [] };
  const lines = text.split("\n").filter((line) => line.startsWith("data: {"));
  const events = lines.map((line) => JSON.parse(line.slice("data: ".length)));
  return {
    status: 200,
    events,
    error: events.find((event) => event.error)?.error,
    choices: events.flatMap((event) => event.choices ?? []),
    text: events.map((event) => event.choices?.[0]?.delta.content ?? "").join(""),
    done: text.trimEnd().endsWith("data: [DONE]"),
  };
}
