// Requests of the Embeddings API that no provider of embeddings gets. `differences.mjs` has the defaults.
const path = "/v1/embeddings";

const cases = {
  "auth-missing": { headers: { authorization: null } },
  "route-method": { method: "PUT", headers: { accept: "text/plain" } },
  "body-cut-off": { raw: '{"input":"He' },
  "input-missing": { body: { input: undefined } },
  "input-number": { body: { input: 42 } },
  "input-empty-list": { body: { input: [] } },
  "input-with-an-empty-text": { body: { input: ["Hello", ""] } },
  "input-too-many": { body: { input: Array(129).fill("Hello") } },
  "input-too-long": { body: { input: "x".repeat(8193) } },
  "input-too-long-in-all": { body: { input: Array(9).fill("x".repeat(8000)) } },
  "format-unknown": { body: { encoding_format: "hex" } },
  "dimensions-zero": { body: { dimensions: 0 } },
  "model-missing": { body: { model: undefined } },
  "model-unknown": { body: { model: "gpt-unknown" } },
  "model-unknown-agent": { body: { model: "openclaw/nobody" } },
};

const named = Object.entries(cases).map(([name, test]) => [`embeddings-${name}`, { path, ...test }]);
export default Object.fromEntries(named);
