// The AI SDK: `ai` with the provider `@ai-sdk/openai-compatible`.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { checks } from "./ai_sdk_checks.mjs";
import { run, Skip } from "./check.mjs";

const create = (options) => createOpenAICompatible({ name: "tidegate", includeUsage: true, ...options });
const { text: plain, ...others } = checks(create);

await run({
  plain,
  ...others,

  models() {
    throw new Skip("the AI SDK lists none");
  },
});
