// Requests that do not start a run, of Tidegate at least. `differences.mjs` has the defaults, a valid request.
const hello = { role: "user", content: "{{say Hello.}}" };

export default {
  "auth-missing": { headers: { authorization: null } },
  "auth-wrong": { headers: { authorization: "Bearer not-the-token" } },
  "auth-basic": { headers: { authorization: "Basic dXNlcjpwYXNz" } },
  "auth-no-token-after-the-scheme": { headers: { authorization: "Bearer " } },
  "auth-scheme-in-lower-case": { scheme: "bearer" },

  "route-method": { method: "PUT", headers: { accept: "text/plain" } },
  "route-get": { method: "GET", body: null, headers: { accept: "text/plain" } },
  "route-nothing-through-a-proxy": { method: "GET", path: "/nothing", body: null, headers: { "x-forwarded-for": "192.0.2.1" } },
  "route-query": { path: "/v1/chat/completions?trace=1" },
  "models-list": { method: "GET", path: "/v1/models", body: null },
  "models-agent": { method: "GET", path: "/v1/models/openclaw%2Fmain", body: null },
  "models-unknown": { method: "GET", path: "/v1/models/openclaw%2Fnobody", body: null },
  "models-no-agent": { method: "GET", path: "/v1/models/gpt-unknown", body: null },

  "body-empty": { raw: "" },
  "body-cut-off": { raw: '{"messages":[{"role":"us' },
  "body-list": { raw: "[]" },
  "body-with-a-byte-order-mark": { raw: '\ufeff{"messages":[]}' },

  "field-messages-missing": { body: { messages: undefined } },
  "field-messages-empty": { body: { messages: [] } },
  "field-messages-text": { body: { messages: "Hello" } },
  "field-instructions-alone": { body: { messages: [{ role: "system", content: "Be brief." }] } },
  "field-temperature-high": { body: { temperature: 2.01 } },
  "field-temperature-text": { body: { temperature: "warm" } },
  "field-top-p-negative": { body: { top_p: -0.1 } },
  "field-presence-penalty-high": { body: { presence_penalty: 3 } },
  "field-seed-fraction": { body: { seed: 1.5 } },
  "field-max-tokens-zero": { body: { max_tokens: 0 } },
  "field-stop-five": { body: { stop: ["a", "b", "c", "d", "e"] } },
  "field-stop-empty-text": { body: { stop: "" } },
  "field-stream-text": { body: { stream: "yes" } },
  "field-response-format-unknown": { body: { response_format: { type: "yaml" } } },
  "field-user-number": { body: { user: 42 } },

  "message-role-unknown": { body: { messages: [{ role: "narrator", content: "Once." }, hello] } },
  "message-without-a-role": { body: { messages: [{ content: "Once." }, hello] } },
  "message-part-unknown": {
    body: { messages: [{ role: "user", content: [{ type: "text", text: hello.content }, { type: "input_audio", input_audio: {} }] }] },
  },
  "message-call-without-an-id": {
    body: { messages: [{ role: "assistant", tool_calls: [{ id: "", type: "function", function: { name: "f" } }] }, hello] },
  },
  "field-response-format-no-schema": { body: { response_format: { type: "json_schema" } } },
  "field-seed-big": { body: { seed: 1e20 } },

  "model-unknown": { body: { model: "gpt-unknown" } },
  "model-unknown-agent": { body: { model: "openclaw/nobody" } },
  "agentheader-unknown": { headers: { "x-openclaw-agent-id": "nobody" } },
  "session-reserved": { headers: { "x-openclaw-session-key": "cron:tonight" } },
  "session-header-agent-short": { headers: { "x-openclaw-session-key": "agent:main" } },
  "session-header-agent-empty": { headers: { "x-openclaw-session-key": "agent::tonight" } },

  "tool-not-a-function": { body: { tools: [{ type: "web_search" }] } },
  "tool-without-a-name": { body: { tools: [{ type: "function", function: {} }] } },
  "tool-choice-unknown-tool": {
    body: { tools: ["weather"], tool_choice: { type: "function", function: { name: "get_time" } } },
  },
  "tool-required-of-none": { body: { tool_choice: "required" } },
  "image-of-no-kind": {
    body: { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "data:text/plain;base64,aGk=" } }] }] },
  },
  "image-without-an-address": {
    body: { messages: [{ role: "user", content: [{ type: "text", text: "See." }, { type: "image_url" }] }] },
  },
  "image-that-is-null": {
    body: { messages: [{ role: "user", content: [{ type: "text", text: "See." }, { type: "image_url", image_url: null }] }] },
  },

  "duo-model-empty": { body: { model: "" } },
  "duo-model-missing": { body: { model: undefined } },
  "duo-model-openclaw": { body: { model: "openclaw" } },
  "duo-model-case-default": { body: { model: "OpenClaw/Default" } },
  "duo-embeddings-openclaw": { path: "/v1/embeddings", body: { model: "openclaw" } },
};
