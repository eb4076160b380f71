// Requests that start a run of the scripted LLM.
export default {
  "run-whole": { say: "{{say Good morning.}}" },
  "run-stream": { say: "{{words 12 5}}", body: { stream: true } },
  "run-stream-with-usage": { say: "{{words 3}}", body: { stream: true, stream_options: { include_usage: true } } },
  "run-model-in-capitals": { say: "{{say Yes.}}", body: { model: " OpenClaw/MAIN " } },
  "run-agent-by-header": { say: "{{say Yes.}}", headers: { "x-openclaw-agent-id": "research" } },
  "run-nulls": { say: "{{say Yes.}}", body: { temperature: null, stop: null, stream: null, max_tokens: null } },
  "run-unknown-fields": { say: "{{say Yes.}}", body: { n: 3, logprobs: true, colour: "blue" } },
  "run-instructions-after-the-message": {
    body: { messages: [{ role: "user", content: "{{say Yes.}}" }, { role: "developer", content: "Be brief." }] },
  },
  "run-content-in-parts": {
    body: { messages: [{ role: "user", content: [{ type: "text", text: "{{say One" }, { type: "text", text: "two.}}" }] }] },
  },
  "run-content-in-indented-parts": {
    body: { messages: [{ role: "user", content: [{ type: "text", text: " {{say One\n" }, { type: "text", text: "    two.}} " }] }] },
  },
  "run-after-an-image-without-an-address": {
    body: { messages: [{ role: "user", content: [{ type: "image_url" }] }, { role: "user", content: "{{say Yes.}}" }] },
  },
  "session-header-long": { say: "{{say Yes.}}", headers: { "x-openclaw-session-key": `agent:main:${"k".repeat(2000)}` } },
  "session-header-openai-user": { say: "{{say Yes.}}", headers: { "x-openclaw-session-key": "openai-user:alice" } },

  "tool-call": { say: '{{tool get_weather {"city":"Paris"}}}', body: { tools: ["weather"] } },
  "tool-call-stream": { say: '{{tool get_weather {"city":"Paris"}}}', body: { tools: ["weather"], stream: true } },
  "tool-two-calls": {
    say: '{{tool get_weather {"city":"Paris"}}} {{tool get_weather {"city":"Rome"}}}', body: { tools: ["weather"] },
  },
  "tool-withheld": { say: "{{say Without.}}", body: { tools: ["weather"], tool_choice: "none" } },
  "tool-required-and-not-called": { say: "{{say No.}}", body: { tools: ["weather"], tool_choice: "required" } },
  "tool-required-and-not-called-stream": {
    say: "{{say No.}}", body: { tools: ["weather"], tool_choice: "required", stream: true },
  },
  "tool-noparams-call": { say: "{{tool get_hour}}", body: { tools: ["hour"] } },
  "tool-noparams-call-stream": { say: "{{tool get_hour}}", body: { tools: ["hour"], stream: true } },
  "tool-prose-slow": {
    say: '{{words 3 300}} {{tool get_weather {"city":"Paris"}}}', body: { tools: ["weather"] },
  },
  "tool-required-prose-slow": {
    say: '{{words 3 300}} {{tool get_weather {"city":"Paris"}}}', body: { tools: ["weather"], tool_choice: "required" },
  },
  "outcome-length": { say: "{{words 4}} {{finish length}}" },
  "outcome-length-stream": { say: "{{words 4}} {{finish length}}", body: { stream: true } },
};
