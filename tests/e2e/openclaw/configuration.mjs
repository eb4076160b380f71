// OpenClaw's configuration: its endpoint is enabled, and its agents use the scripted LLM.
import { mkdirSync, writeFileSync } from "node:fs";
import { runInNewContext } from "node:vm";

// Agents whose LLM fails in the tests. Each has its own provider, because OpenClaw pauses a provider that failed.
const FAILING = ["refused", "limited", "failing"];

// OpenClaw refuses a client's tool with the name of one of its own. These are the tools of Codex CLI.
const CODEX = { tools: { deny: ["view_image", "get_goal", "create_goal", "update_goal"] } };

/** Returns the document of `openclaw.json`. */
export function configuration(port, llm, folder) {
  const providers = ["llm", ...FAILING].map((name) => [name, provider(llm)]);
  const failing = FAILING.map((name) => [name, { model: { primary: `${name}/scripted` } }]);
  return {
    gateway: {
      mode: "local",
      port,
      bind: "loopback",
      auth: { mode: "token", token: "${OPENCLAW_GATEWAY_TOKEN}" },
      http: { endpoints: { chatCompletions: { enabled: true }, responses: { enabled: true } } },
      controlUi: { enabled: false },
    },
    logging: { file: `${folder}/openclaw.log` },
    agents: {
      defaults: {
        model: { primary: "llm/scripted" },
        workspace: `${folder}/workspace`,
        skipBootstrap: true,
        heartbeat: { every: "0m" },
      },
      entries: { main: {}, research: {}, codex: CODEX, ...Object.fromEntries(failing) },
    },
    // Features that the tests do not need are disabled, so that the agents start faster.
    memory: { search: { enabled: false } },
    plugins: { enabled: false },
    // The model gets the client's tools instead of a tool that searches them.
    tools: { toolSearch: false },
    models: {
      mode: "replace",
      catalogRefresh: { enabled: false },
      providers: Object.fromEntries(providers),
    },
  };
}

/** Returns the settings in the block `json5 openclaw.json` of a page. JSON5 is JavaScript. */
export function settingsOf(page) {
  const [, settings] = /```json5 openclaw.json\n(.*?)```/s.exec(page);
  return JSON.parse(JSON.stringify(runInNewContext(`(${settings})`)));
}

/** Returns a document with the members of another one. */
export function merged(document, more) {
  if (Object.getPrototypeOf(document ?? 0) !== Object.prototype) return more;
  const members = Object.entries(more).map(([name, value]) => [name, merged(document[name], value)]);
  return { ...document, ...Object.fromEntries(members) };
}

/** Disables the retries of the failing agents: OpenClaw would retry for minutes. */
export function forbidRetries(state) {
  for (const name of FAILING) {
    const agent = `${state}/agents/${name}/agent`;
    mkdirSync(agent, { recursive: true });
    writeFileSync(`${agent}/settings.json`, JSON.stringify({ retry: { enabled: false, provider: { maxRetries: 0 } } }));
  }
}

function provider(llm) {
  return {
    baseUrl: `${llm}/v1`,
    apiKey: "e2e-key-of-the-llm",
    api: "openai-completions",
    models: [{
      id: "scripted",
      name: "Scripted",
      reasoning: false,
      input: ["text", "image"],
      cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
      contextWindow: 128_000,
      maxTokens: 8192,
    }],
  };
}
