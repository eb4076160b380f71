//! One event of a backend's stream: a chunk, an error, or the end mark.
//!
//! Unknown members are ignored and `null` counts as missing, because backends differ in
//! both.
//!
//! Source: OpenAI's `ChatCompletionChunk`.

mod wire;

use tidegate_json::{Kind, Member, RawValue};

use crate::error_object::ErrorObject;
use crate::sse::Event;
use crate::types::{StopReason, Usage};

/// The data that ends a stream.
const DONE: &[u8] = b"[DONE]";

/// The content of an event.
#[derive(Debug, PartialEq)]
pub enum Payload {
    /// A chunk of the reply.
    Chunk(Chunk),
    /// The run failed.
    Error(ErrorObject),
    /// The end mark.
    Done,
}

/// The event's data is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl From<Kind> for Malformed {
    fn from(_: Kind) -> Self {
        Self
    }
}

/// A finish reason that is not known to be a success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownReason(pub String);

/// A chunk of the reply.
#[derive(Debug, Default, PartialEq)]
pub struct Chunk {
    /// Reasoning; not empty.
    pub reasoning: Option<String>,
    /// Text; not empty.
    pub text: Option<String>,
    /// Deltas of tool calls.
    pub tool_calls: Vec<ToolCallDelta>,
    /// Why the reply ends, if it ends with this chunk.
    pub stop: Option<Result<StopReason, UnknownReason>>,
    /// The tokens, so far or in total.
    pub usage: Option<Usage>,
}

/// A delta of a tool call. All members are optional.
#[derive(Debug, Default, PartialEq)]
pub struct ToolCallDelta {
    /// The index of the call in the reply.
    pub index: Option<u64>,
    /// The id of the call.
    pub id: Option<String>,
    /// The function.
    pub function: Option<FunctionDelta>,
}

/// A delta of the function of a tool call.
#[derive(Debug, Default, PartialEq)]
pub struct FunctionDelta {
    /// The function's name, or a part of it.
    pub name: Option<String>,
    /// A part of the arguments' JSON text.
    pub arguments: Option<String>,
}

impl Payload {
    /// Parses an event. Returns `None` for an event without data.
    ///
    /// # Errors
    /// Data that is neither a chunk, nor an error, nor the end mark.
    pub fn parse(event: &Event<'_>) -> Result<Option<Self>, Malformed> {
        let data = event.data.trim_ascii();
        if event.name == b"error" {
            return Ok(Some(Self::Error(named_error(data))));
        }
        if data.is_empty() {
            return Ok(None);
        }
        if data == DONE {
            return Ok(Some(Self::Done));
        }
        let text = str::from_utf8(data).map_err(|_| Malformed)?;
        let Ok(Member::Is(wire)) = tidegate_json::parse::<wire::Chunk<'_>>(text) else {
            return Err(Malformed);
        };
        Ok(Some(match ErrorObject::of(wire.error) {
            Some(error) => Self::Error(error),
            None => Self::Chunk(Chunk::new(wire.choices, wire.usage)?),
        }))
    }
}

/// Parses the data of an event with the name `error`.
fn named_error(data: &[u8]) -> ErrorObject {
    let is_wrapped = ErrorObject::from_body(data);
    is_wrapped.unwrap_or_else(|| ErrorObject::parse(str::from_utf8(data).unwrap_or_default()))
}

impl Chunk {
    fn new(choices: wire::Choices<'_>, usage: Member<wire::Usage>) -> Result<Self, Malformed> {
        let mut chunk = Self::default();
        if let Some(usage) = usage.optional()? {
            chunk.usage = Some(usage.read()?);
        }
        for choice in choices.optional()?.into_iter().flatten() {
            let choice = choice.optional()?.unwrap_or_default();
            // The request asks for one choice. Of several, the first one counts.
            if choice.index.optional()?.unwrap_or(0) == 0 {
                chunk.stop = filled(choice.finish_reason)?.map(stop);
                chunk.add(choice.delta.optional()?.unwrap_or_default())?;
                break;
            }
        }
        Ok(chunk)
    }

    fn add(&mut self, delta: wire::Delta<'_>) -> Result<(), Malformed> {
        let (older, newer) = (filled(delta.reasoning_content)?, filled(delta.reasoning)?);
        // The member's older and newer name. Some backends send both.
        self.reasoning = older.or(newer);
        let (content, refusal) = (filled(delta.content)?, filled(delta.refusal)?);
        // The user reads a refusal like any text.
        self.text = content.or(refusal);
        for call in delta.tool_calls.optional()?.into_iter().flatten() {
            self.tool_calls
                .push(call.optional()?.unwrap_or_default().read()?);
        }
        Ok(())
    }
}

fn filled(text: Member<wire::Text<'_>>) -> Result<Option<String>, Kind> {
    Ok(owned(text)?.filter(|text| !text.is_empty()))
}

fn owned(text: Member<wire::Text<'_>>) -> Result<Option<String>, Kind> {
    Ok(text.optional()?.map(wire::Text::into_owned))
}

/// Reads a finish reason: OpenAI's, and those of other servers with this API.
fn stop(reason: String) -> Result<StopReason, UnknownReason> {
    match reason.as_str() {
        "stop" | "eos" | "eos_token" | "end_turn" | "stop_sequence" => Ok(StopReason::EndTurn),
        "length" | "max_tokens" => Ok(StopReason::MaxTokens),
        "tool_calls" | "function_call" | "tool_use" => Ok(StopReason::ToolCalls),
        "content_filter" => Ok(StopReason::ContentFilter),
        _ => Err(UnknownReason(reason)),
    }
}

/// Returns arguments as JSON text. Some servers write a value instead of a string.
fn json_text(arguments: &RawValue) -> String {
    match tidegate_json::parse::<wire::Text<'_>>(arguments.get()) {
        Ok(Member::Is(text)) => text.into_owned(),
        Ok(Member::Not(_) | Member::Absent | Member::Null) | Err(_) => {
            tidegate_json::without_whitespace(arguments)
        }
    }
}

impl wire::ToolCall<'_> {
    fn read(self) -> Result<ToolCallDelta, Kind> {
        let function = self.function.optional()?;
        Ok(ToolCallDelta {
            index: self.index.optional()?,
            id: owned(self.id)?,
            function: function.map(wire::Function::read).transpose()?,
        })
    }
}

impl wire::Function<'_> {
    fn read(self) -> Result<FunctionDelta, Kind> {
        Ok(FunctionDelta {
            name: owned(self.name)?,
            arguments: self.arguments.map(json_text),
        })
    }
}

impl wire::Usage {
    fn read(self) -> Result<Usage, Kind> {
        let input_tokens = self.prompt_tokens.optional()?.unwrap_or(0);
        let output_tokens = self.completion_tokens.optional()?.unwrap_or(0);
        let total_tokens = self.total_tokens.optional()?.unwrap_or(0);
        let prompt = self.prompt_tokens_details.optional()?.unwrap_or_default();
        let completion = self.completion_tokens_details.optional()?;
        let completion = completion.unwrap_or_default();
        Ok(Usage {
            input_tokens,
            output_tokens,
            total_tokens: total_tokens.max(input_tokens.saturating_add(output_tokens)),
            cached_input_tokens: prompt.cached_tokens.optional()?,
            reasoning_tokens: completion.reasoning_tokens.optional()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn parse(data: &str) -> Result<Option<Payload>, Malformed> {
        parse_named("", data)
    }

    fn parse_named(name: &str, data: impl AsRef<[u8]>) -> Result<Option<Payload>, Malformed> {
        Payload::parse(&Event {
            name: name.as_bytes(),
            data: data.as_ref(),
        })
    }

    fn chunk(data: &str) -> Chunk {
        match parse(data) {
            Ok(Some(Payload::Chunk(chunk))) => chunk,
            other => panic!("{data}: {other:?}"),
        }
    }

    fn delta(delta: &str) -> Chunk {
        chunk(&format!(
            r#"{{"choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#
        ))
    }

    #[test]
    fn an_openclaw_chunk_with_text() {
        let data = r#"{"id":"chatcmpl_1","object":"chat.completion.chunk","created":1795382840,"model":"openclaw/main","choices":[{"index":0,"delta":{"content":" tok1"},"finish_reason":null}]}"#;
        let expected = Chunk {
            text: Some(" tok1".to_owned()),
            ..Chunk::default()
        };
        assert_eq!(chunk(data), expected);
    }

    #[test]
    fn a_delta_without_content_is_empty() {
        let empty = [
            r#"{"role":"assistant"}"#,
            r#"{"role":"assistant","content":""}"#,
            r#"{"content":null,"tool_calls":null,"reasoning":null,"refusal":null}"#,
            "{}",
            "null",
        ];
        for text in empty {
            assert_eq!(delta(text), Chunk::default(), "{text}");
        }
        for text in ["{}", r#"{"choices":null,"error":null,"usage":null}"#] {
            assert_eq!(chunk(text), Chunk::default(), "{text}");
        }
    }

    #[test]
    fn reasoning_has_two_names_and_counts_once() {
        let cases = [
            (r#"{"reasoning_content":"a"}"#, "a"),
            (r#"{"reasoning":"b"}"#, "b"),
            (r#"{"reasoning_content":"a","reasoning":"a"}"#, "a"),
            (r#"{"reasoning_content":"","reasoning":"b"}"#, "b"),
        ];
        for (text, expected) in cases {
            assert_eq!(delta(text).reasoning.as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_refusal_is_text() {
        let text = delta(r#"{"content":null,"refusal":"I will not."}"#).text;
        assert_eq!(text.as_deref(), Some("I will not."));
    }

    #[test]
    fn only_the_first_choice_counts() {
        let data = r#"{"choices":[{"index":1,"delta":{"content":"b"}},{"index":0,"delta":{"content":"a"}}]}"#;
        assert_eq!(chunk(data).text.as_deref(), Some("a"));
        let data = r#"{"choices":[{"index":1,"delta":{"content":"b"},"finish_reason":"stop"}]}"#;
        assert_eq!(chunk(data), Chunk::default());
    }

    #[test]
    fn every_finish_reason_has_its_stop_reason() {
        let cases = [
            ("stop", StopReason::EndTurn),
            ("length", StopReason::MaxTokens),
            ("tool_calls", StopReason::ToolCalls),
            ("function_call", StopReason::ToolCalls),
            ("content_filter", StopReason::ContentFilter),
            ("eos", StopReason::EndTurn),
            ("eos_token", StopReason::EndTurn),
            ("end_turn", StopReason::EndTurn),
            ("stop_sequence", StopReason::EndTurn),
            ("max_tokens", StopReason::MaxTokens),
            ("tool_use", StopReason::ToolCalls),
        ];
        for (reason, expected) in cases {
            assert_eq!(stop_of(reason), Some(Ok(expected)), "{reason}");
        }
        assert_eq!(stop_of(""), None);
    }

    #[test]
    fn an_unknown_finish_reason_is_not_a_success() {
        for reason in [
            "error",
            "abort",
            "cancelled",
            "insufficient_system_resource",
            "malformed_function_call",
            "Stop",
        ] {
            let unknown = UnknownReason(reason.to_owned());
            assert_eq!(stop_of(reason), Some(Err(unknown)), "{reason}");
        }
    }

    fn stop_of(reason: &str) -> Option<Result<StopReason, UnknownReason>> {
        chunk(&format!(
            r#"{{"choices":[{{"finish_reason":"{reason}"}}]}}"#
        ))
        .stop
    }

    #[test]
    fn arguments_may_be_any_json_value() {
        for (json, expected) in [
            (r#""{\"a\":1}""#, Some(r#"{"a":1}"#)),
            (r#"{"a": [1, 2]}"#, Some(r#"{"a":[1,2]}"#)),
            ("[1]", Some("[1]")),
            (r#""""#, Some("")),
            ("null", None),
        ] {
            let call = delta(&format!(
                r#"{{"tool_calls":[{{"function":{{"arguments":{json}}}}}]}}"#
            ));
            let function = call.tool_calls.into_iter().next().unwrap().function;
            assert_eq!(function.unwrap().arguments.as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn usage_has_its_details_and_a_consistent_total() {
        let full = r#"{"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":9,"total_tokens":120,"prompt_tokens_details":{"cached_tokens":64,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":5}}}"#;
        let usage = Usage {
            input_tokens: 100,
            output_tokens: 9,
            total_tokens: 120,
            cached_input_tokens: Some(64),
            reasoning_tokens: Some(5),
        };
        assert_eq!(chunk(full).usage, Some(usage));
        let short = r#"{"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":2,"prompt_tokens_details":null,"completion_tokens_details":{}}}"#;
        let usage = Usage {
            input_tokens: 7,
            output_tokens: 3,
            total_tokens: 10,
            cached_input_tokens: None,
            reasoning_tokens: None,
        };
        assert_eq!(chunk(short).usage, Some(usage));
    }

    #[test]
    fn an_error_is_recognized_in_every_shape() {
        let errors = [
            ("", r#"{"error":{"message":"m","type":"api_error"}}"#),
            ("", r#"{"error":"m"}"#),
            ("", r#"{"choices":[],"error":{"message":"m"}}"#),
            ("error", r#"{"error":{"message":"m"}}"#),
            ("error", r#"{"message":"m"}"#),
        ];
        for (name, data) in errors {
            match parse_named(name, data) {
                Ok(Some(Payload::Error(error))) => {
                    assert_eq!(error.message.as_deref(), Some("m"), "{data}");
                }
                other => panic!("{data}: {other:?}"),
            }
        }
        let broken = parse_named("error", "oops");
        assert_eq!(broken, Ok(Some(Payload::Error(ErrorObject::default()))));
    }

    #[test]
    fn the_end_mark_is_recognized() {
        for data in ["[DONE]", " [DONE] ", "[DONE]\n"] {
            assert_eq!(parse(data), Ok(Some(Payload::Done)), "{data:?}");
        }
    }

    #[test]
    fn blank_data_is_ignored() {
        for data in ["", " ", "\n"] {
            assert_eq!(parse(data), Ok(None), "{data:?}");
        }
    }

    #[test]
    fn other_data_is_malformed() {
        let data = [
            "{not json",
            "5",
            "[]",
            "null",
            "[DONE]x",
            r#"{"choices":5}"#,
            r#"{"choices":[{"delta":{"content":["a"]}}]}"#,
        ];
        for data in data {
            assert_eq!(parse(data), Err(Malformed), "{data}");
        }
        let no_utf8 = b"{\"choices\":[{\"delta\":{\"content\":\"a\xE2\x82\"}}]}";
        assert_eq!(parse_named("", no_utf8), Err(Malformed));
    }

    proptest! {
        #[test]
        fn any_data_is_a_payload_or_malformed(
            data in "(\\PC|[{}\\[\\]:,\"]|\"choices\":|\"delta\":|null|0){0,24}", name in "(error)?"
        ) {
            if let Ok(Some(Payload::Done)) = parse_named(&name, &data) {
                prop_assert_eq!(data.trim().as_bytes(), DONE);
            }
        }

        #[test]
        fn text_is_unchanged(text: String, arguments: String, index: u64) {
            let call = json!({ "index": index, "function": { "arguments": arguments } });
            let whole = delta(&json!({ "content": text, "tool_calls": [call] }).to_string());
            prop_assert_eq!(whole.text.unwrap_or_default(), text);
            let call = &whole.tool_calls[0];
            prop_assert_eq!(call.index, Some(index));
            let function = call.function.as_ref().unwrap();
            prop_assert_eq!(function.arguments.as_deref(), Some(arguments.as_str()));
        }

        #[test]
        fn a_total_is_never_less_than_its_parts(input: u64, output: u64, total: u64) {
            let usage = json!({ "prompt_tokens": input, "completion_tokens": output,
                "total_tokens": total });
            let usage = chunk(&json!({ "usage": usage }).to_string()).usage.unwrap();
            prop_assert!(usage.total_tokens >= input.saturating_add(output));
        }
    }
}
