//! The body of a request.

use tidegate_json::{Member, Shape, SyntaxError, Value, object_shape};

use crate::openai::request::{Raw, Text};

use super::input::Input;
use super::tool::ToolChoice;

/// The body of `POST /v1/responses`.
#[derive(Debug, Default)]
pub struct ResponseRequest<'de> {
    /// The model, which names the agent.
    pub model: Member<Text<'de>>,
    /// The conversation, or its next part.
    pub input: Member<Input<'de>>,
    /// Instructions of this run alone.
    pub instructions: Member<Text<'de>>,
    /// The response whose session continues.
    pub previous_response_id: Member<Text<'de>>,
    /// The conversation that names the session.
    pub conversation: Member<Conversation<'de>>,
    /// The client's id of its user.
    pub user: Member<Text<'de>>,
    /// Whether a later request may continue the response.
    pub store: Member<bool>,
    /// Whether to stream the reply.
    pub stream: Member<bool>,
    /// Whether the run outlives the connection.
    pub background: Member<bool>,
    /// A template at OpenAI.
    pub prompt: Raw<'de>,
    /// The tools that the client offers, an array.
    pub tools: Raw<'de>,
    /// Which tool the agent must call, if any.
    pub tool_choice: Member<ToolChoice<'de>>,
    /// Whether the agent may call several tools at once.
    pub parallel_tool_calls: Member<bool>,
    /// The maximum number of tokens of the reply.
    pub max_output_tokens: Member<f64>,
    /// Sampling temperature.
    pub temperature: Member<f64>,
    /// Nucleus sampling.
    pub top_p: Member<f64>,
    /// The format of the text.
    pub text: Member<TextConfig<'de>>,
    /// The settings of reasoning.
    pub reasoning: Member<ReasoningConfig<'de>>,
    /// The members that a run cannot use, which have no effect.
    pub no_effect: Vec<(&'static str, Raw<'de>)>,
}

/// The members of OpenAI's API that an agent run cannot use.
const NO_EFFECT: [&str; 14] = [
    "client_metadata",
    "context_management",
    "include",
    "max_tool_calls",
    "metadata",
    "moderation",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "stream_options",
    "top_logprobs",
    "truncation",
];

object_shape!(ResponseRequest<'de> {
    "model" => model,
    "input" => input,
    "instructions" => instructions,
    "previous_response_id" => previous_response_id,
    "conversation" => conversation,
    "user" => user,
    "store" => store,
    "stream" => stream,
    "background" => background,
    "prompt" => prompt,
    "tools" => tools,
    "tool_choice" => tool_choice,
    "parallel_tool_calls" => parallel_tool_calls,
    "max_output_tokens" => max_output_tokens,
    "temperature" => temperature,
    "top_p" => top_p,
    "text" => text,
    "reasoning" => reasoning,
} else no_effect: NO_EFFECT);

/// The member `conversation`: an id, or an object with an `id`.
#[derive(Debug)]
pub struct Conversation<'de> {
    /// The id.
    pub id: Member<Text<'de>>,
}

impl<'de> Shape<'de> for Conversation<'de> {
    fn read(value: Value<'_, 'de>) -> Result<Option<Self>, SyntaxError> {
        if let Value::String(id) = value {
            let id = Member::Is(id);
            return Ok(Some(Self { id }));
        }
        let object: Option<ConversationObject<'_>> = value.object()?;
        Ok(object.map(|object| Self { id: object.id }))
    }
}

#[derive(Debug, Default)]
struct ConversationObject<'de> {
    id: Member<Text<'de>>,
}

object_shape!(ConversationObject<'de> {
    "id" => id,
});

/// The member `text`.
#[derive(Debug, Default)]
pub struct TextConfig<'de> {
    /// The format.
    pub format: Member<TextFormat<'de>>,
    /// How long the reply should be, which has no effect.
    pub verbosity: Member<Text<'de>>,
}

object_shape!(TextConfig<'de> {
    "format" => format,
    "verbosity" => verbosity,
});

/// The member `text.format`.
#[derive(Debug, Default)]
pub struct TextFormat<'de> {
    /// `text`, `json_object` or `json_schema`.
    pub kind: Member<Text<'de>>,
    /// The name of the schema.
    pub name: Member<Text<'de>>,
    /// What the schema is for.
    pub description: Member<Text<'de>>,
    /// The schema.
    pub schema: Raw<'de>,
    /// Whether the reply must match the schema exactly.
    pub strict: Member<bool>,
}

object_shape!(TextFormat<'de> {
    "type" => kind,
    "name" => name,
    "description" => description,
    "schema" => schema,
    "strict" => strict,
});

/// The member `reasoning`.
#[derive(Debug, Default)]
pub struct ReasoningConfig<'de> {
    /// How much reasoning the model should do.
    pub effort: Member<Text<'de>>,
    /// The kind of summary, which has no effect.
    pub summary: Member<Text<'de>>,
}

object_shape!(ReasoningConfig<'de> {
    "effort" => effort,
    "summary" => summary,
});
