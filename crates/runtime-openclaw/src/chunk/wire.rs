//! The members of a chunk in the JSON text.

use std::borrow::Cow;

use tidegate_json::{Member, RawValue, object_shape};

use crate::error_object::ErrorObject;

pub(super) type Text<'de> = Cow<'de, str>;
pub(super) type Choices<'de> = Member<Vec<Member<Choice<'de>>>>;

#[derive(Default)]
pub(super) struct Chunk<'de> {
    pub(super) choices: Choices<'de>,
    pub(super) usage: Member<Usage>,
    pub(super) error: Member<ErrorObject>,
}

object_shape!(Chunk<'de> {
    "choices" => choices,
    "usage" => usage,
    "error" => error,
});

#[derive(Default)]
pub(super) struct Choice<'de> {
    pub(super) index: Member<u64>,
    pub(super) delta: Member<Delta<'de>>,
    pub(super) finish_reason: Member<Text<'de>>,
}

object_shape!(Choice<'de> {
    "index" => index,
    "delta" => delta,
    "finish_reason" => finish_reason,
});

#[derive(Default)]
pub(super) struct Delta<'de> {
    pub(super) content: Member<Text<'de>>,
    pub(super) refusal: Member<Text<'de>>,
    pub(super) reasoning_content: Member<Text<'de>>,
    pub(super) reasoning: Member<Text<'de>>,
    pub(super) tool_calls: Member<Vec<Member<ToolCall<'de>>>>,
}

object_shape!(Delta<'de> {
    "content" => content,
    "refusal" => refusal,
    "reasoning_content" => reasoning_content,
    "reasoning" => reasoning,
    "tool_calls" => tool_calls,
});

#[derive(Default)]
pub(super) struct ToolCall<'de> {
    pub(super) index: Member<u64>,
    pub(super) id: Member<Text<'de>>,
    pub(super) function: Member<Function<'de>>,
}

object_shape!(ToolCall<'de> {
    "index" => index,
    "id" => id,
    "function" => function,
});

#[derive(Default)]
pub(super) struct Function<'de> {
    pub(super) name: Member<Text<'de>>,
    pub(super) arguments: Option<&'de RawValue>,
}

object_shape!(Function<'de> {
    "name" => name,
    "arguments" => arguments,
});

#[derive(Default)]
pub(super) struct Usage {
    pub(super) prompt_tokens: Member<u64>,
    pub(super) completion_tokens: Member<u64>,
    pub(super) total_tokens: Member<u64>,
    pub(super) prompt_tokens_details: Member<Details>,
    pub(super) completion_tokens_details: Member<Details>,
}

object_shape!(Usage {
    "prompt_tokens" => prompt_tokens,
    "completion_tokens" => completion_tokens,
    "total_tokens" => total_tokens,
    "prompt_tokens_details" => prompt_tokens_details,
    "completion_tokens_details" => completion_tokens_details,
});

#[derive(Default)]
pub(super) struct Details {
    pub(super) cached_tokens: Member<u64>,
    pub(super) reasoning_tokens: Member<u64>,
}

object_shape!(Details {
    "cached_tokens" => cached_tokens,
    "reasoning_tokens" => reasoning_tokens,
});
