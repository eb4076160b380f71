// Requests of the Responses API. `differences.mjs` has the defaults, a valid request.
const path = "/v1/responses";
const hello = { type: "message", role: "user", content: "{{say Hello.}}" };
const paris = '{{tool get_weather {"city":"Paris"}}}';

const cases = {
  "auth-missing": { headers: { authorization: null } },
  "auth-wrong": { headers: { authorization: "Bearer not-the-token" } },
  "route-method": { method: "PUT", headers: { accept: "text/plain" } },
  "route-get": { method: "GET", body: null, headers: { accept: "text/plain" } },
  "body-cut-off": { raw: '{"input":"He' },
  "body-list": { raw: "[]" },
  "input-missing": { body: { input: undefined } },
  "input-number": { body: { input: 42 } },
  "input-empty-list": { body: { input: [] } },
  "input-blank": { body: { input: " " } },
  "item-unknown": { body: { input: [hello, { type: "poem" }] } },
  "item-role-unknown": { body: { input: [{ ...hello, role: "narrator" }] } },
  "item-part-unknown": { body: { input: [{ ...hello, content: [{ type: "input_smell" }] }] } },
  "item-call-without-an-id": { body: { input: [{ type: "function_call", name: "f", arguments: "{}" }, hello] } },
  "image-without-an-address": { body: { input: [{ ...hello, content: [{ type: "input_image" }] }] } },
  "field-temperature-high": { body: { temperature: 2.01 } },
  "field-temperature-text": { body: { temperature: "warm" } },
  "field-top-p-negative": { body: { top_p: -0.1 } },
  "field-max-output-tokens-zero": { body: { max_output_tokens: 0 } },
  "field-stream-text": { body: { stream: "yes" } },
  "field-user-number": { body: { user: 42 } },
  "model-missing": { body: { model: undefined } },
  "model-unknown": { body: { model: "gpt-unknown" } },
  "model-unknown-agent": { body: { model: "openclaw/nobody" } },
  "session-reserved": { headers: { "x-openclaw-session-key": "cron:tonight" } },
  "previous-unknown": { body: { previous_response_id: "resp_00000000-0000-0000-0000-000000000000" } },
  "tool-without-a-name": { body: { tools: [{ type: "function" }] } },
  "tool-choice-unknown-tool": { body: { tools: ["weather"], tool_choice: { type: "function", name: "get_time" } } },
  "tool-required-of-none": { body: { tool_choice: "required" } },

  "run-whole": { say: "{{say Good morning.}}" },
  "run-stream": { say: "{{words 12 5}}", body: { stream: true } },
  "run-items": { body: { input: [{ type: "message", role: "developer", content: "Be brief." }, hello] } },
  "run-parts": { body: { input: [{ ...hello, content: [{ type: "input_text", text: "{{say Parts.}}" }] }] } },
  "run-instructions": { say: "{{say Yes.}}", body: { instructions: "Be brief." } },
  "run-metadata": { say: "{{say Yes.}}", body: { metadata: { a: "b" }, store: false, truncation: "auto" } },
  "run-nulls": { say: "{{say Yes.}}", body: { temperature: null, user: null } },
  "run-unknown-fields": { say: "{{say Yes.}}", body: { colour: "blue" } },
  "run-what-clients-send": {
    say: "{{say Yes.}}", body: { include: [], parallel_tool_calls: true, prompt_cache_key: "k", text: { format: { type: "text" } } },
  },
  "run-message-without-a-type": { body: { input: [{ role: "user", content: "{{say Yes.}}" }] } },
  "tool-call": { say: paris, body: { tools: ["weather"] } },
  "tool-call-stream": { say: paris, body: { tools: ["weather"], stream: true } },
  "tool-result": {
    body: {
      tools: ["weather"],
      input: [
        hello,
        { type: "function_call", call_id: "call_1", name: "get_weather", arguments: '{"city":"Paris"}' },
        { type: "function_call_output", call_id: "call_1", output: "{{say Sunny.}}" },
      ],
    },
  },
  "tool-withheld": { say: "{{say Without.}}", body: { tools: ["weather"], tool_choice: "none" } },
  "outcome-length": { say: "{{words 4}} {{finish length}}" },
  "outcome-length-stream": { say: "{{words 4}} {{finish length}}", body: { stream: true } },
};

const named = Object.entries(cases).map(([name, test]) => [`responses-${name}`, { path, ...test }]);
export default Object.fromEntries(named);
