// Starts a real OpenClaw whose agents use the scripted LLM, both on free ports:
//
//   node gateway.mjs FOLDER [SETTINGS]      with OpenClaw's token in OPENCLAW_GATEWAY_TOKEN
//
// SETTINGS apply in addition: a JSON file, or a page of the documentation with OpenClaw's settings.
// It prints "ready OPENCLAW-URL LLM-URL" when both are ready, and ends when its input closes. The folder should be
// empty. It receives OpenClaw's configuration, state and log.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { configuration, forbidRetries, merged, settingsOf } from "./configuration.mjs";
import { startLlm } from "./llm.mjs";

const START_LIMIT = 90_000;
const PROGRAM = path.join(import.meta.dirname, "../../node_modules/openclaw/openclaw.mjs");

const folder = path.resolve(process.argv[2]);
const settings = process.argv[3];
const llm = await startLlm();
const port = await freePort();
const gateway = start(port);
process.stdin.resume().on("end", () => gateway.kill());
gateway.on("exit", (code) => process.exit(code ?? 0));
await ready(`http://127.0.0.1:${port}/ready`);
console.log(`ready http://127.0.0.1:${port} ${llm}`);

function start(port) {
  const home = path.join(folder, "home");
  const state = path.join(folder, "state");
  mkdirSync(home, { recursive: true });
  mkdirSync(state, { recursive: true });
  const config = path.join(state, "openclaw.json");
  const more = settings ? readSettings(settings) : {};
  writeFileSync(config, JSON.stringify(merged(configuration(port, llm, folder), more), null, 2));
  forbidRetries(state);
  const child = spawn(process.execPath, [PROGRAM, "gateway"], {
    env: {
      PATH: process.env.PATH,
      HOME: home,
      TMPDIR: folder,
      OPENCLAW_GATEWAY_TOKEN: process.env.OPENCLAW_GATEWAY_TOKEN,
      OPENCLAW_STATE_DIR: state,
      OPENCLAW_CONFIG_PATH: config,
      // Disables network discovery, announcements and additional services.
      OPENCLAW_DISABLE_BONJOUR: "1",
      OPENCLAW_NO_RESPAWN: "1",
      OPENCLAW_OFFLINE: "1",
      OPENCLAW_SKIP_CHANNELS: "1",
      OPENCLAW_SKIP_CRON: "1",
      OPENCLAW_EXEC_SHELL_SNAPSHOT: "0",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log = createWriteStream(path.join(folder, "gateway.log"));
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  return child;
}

function readSettings(file) {
  const text = readFileSync(file, "utf8");
  return file.endsWith(".json") ? JSON.parse(text) : settingsOf(text);
}

/** Returns a free port, because OpenClaw does not accept port 0. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

async function ready(url) {
  const until = Date.now() + START_LIMIT;
  while (Date.now() < until) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the gateway is not ready: see ${folder}/gateway.log`);
}
