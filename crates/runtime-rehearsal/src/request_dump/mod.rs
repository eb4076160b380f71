//! A request as JSON, for people and tests: every field in the order of the interface.
//! Images appear with their type and size only.

mod types;

use crate::types::{
    Authority, ContentPart, Continuity, Message, ResponseFormat, Role, RunRequest, Sampling, Tool,
    ToolCall, ToolChoice,
};

use types::{
    FormatDump, Json, MessageDump, Part, RequestDump, SamplingDump, ToolCallDump, ToolChoiceDump,
    ToolDump,
};

/// Writes a request as JSON.
pub(crate) fn dump(request: &RunRequest) -> String {
    // Serialization cannot fail: all keys are strings, and no type returns an error.
    serde_json::to_string_pretty(&RequestDump::from(request)).unwrap_or_default()
}

impl<'a> From<&'a RunRequest> for RequestDump<'a> {
    fn from(request: &'a RunRequest) -> Self {
        Self {
            run_id: &request.run_id,
            agent: &request.agent,
            upstream: request.upstream.as_deref(),
            authority: authority(request.authority),
            session: &request.session,
            continuity: continuity(request.continuity),
            messages: request.messages.iter().map(MessageDump::from).collect(),
            tools: request.tools.iter().map(ToolDump::from).collect(),
            tool_choice: ToolChoiceDump::from(&request.tool_choice),
            parallel_tool_calls: request.parallel_tool_calls,
            sampling: SamplingDump::from(&request.sampling),
            response_format: request.response_format.as_ref().map(FormatDump::from),
            reasoning_effort: request.reasoning_effort.as_deref(),
            model: request.model.as_deref(),
            channel: request.channel.as_deref(),
            traceparent: request.traceparent.as_deref(),
        }
    }
}

impl<'a> From<&'a Message> for MessageDump<'a> {
    fn from(message: &'a Message) -> Self {
        Self {
            role: role(message.role),
            name: message.name.as_deref(),
            tool_call_id: message.tool_call_id.as_deref(),
            content: message.content.iter().map(Part::from).collect(),
            tool_calls: message.tool_calls.iter().map(ToolCallDump::from).collect(),
        }
    }
}

fn authority(authority: Authority) -> &'static str {
    match authority {
        Authority::Owner => "owner",
        Authority::Restricted => "restricted",
    }
}

fn continuity(continuity: Continuity) -> &'static str {
    match continuity {
        Continuity::Fresh => "fresh",
        Continuity::Opening => "opening",
        Continuity::Continued => "continued",
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::Developer => "developer",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    }
}

impl<'a> From<&'a ContentPart> for Part<'a> {
    fn from(part: &'a ContentPart) -> Self {
        match part {
            ContentPart::Text(text) => Self::Text(text),
            ContentPart::Image(image) => Self::Image {
                media_type: &image.media_type,
                bytes: image.data.len(),
            },
            ContentPart::ImageUrl(address) => Self::ImageUrl(address),
        }
    }
}

impl<'a> From<&'a ToolCall> for ToolCallDump<'a> {
    fn from(call: &'a ToolCall) -> Self {
        Self {
            id: &call.id,
            name: &call.name,
            arguments: &call.arguments,
        }
    }
}

impl<'a> From<&'a Tool> for ToolDump<'a> {
    fn from(tool: &'a Tool) -> Self {
        Self {
            name: &tool.name,
            description: tool.description.as_deref(),
            parameters: tool.parameters.as_deref().map(Json::from),
            strict: tool.strict,
        }
    }
}

impl<'a> From<&'a ToolChoice> for ToolChoiceDump<'a> {
    fn from(choice: &'a ToolChoice) -> Self {
        match choice {
            ToolChoice::Auto => Self::Auto,
            ToolChoice::None => Self::None,
            ToolChoice::Required => Self::Required,
            ToolChoice::Named(name) => Self::Named(name),
        }
    }
}

impl<'a> From<&'a Sampling> for SamplingDump<'a> {
    fn from(sampling: &'a Sampling) -> Self {
        Self {
            temperature: sampling.temperature,
            top_p: sampling.top_p,
            frequency_penalty: sampling.frequency_penalty,
            presence_penalty: sampling.presence_penalty,
            seed: sampling.seed,
            stop: &sampling.stop,
            max_tokens: sampling.max_tokens,
        }
    }
}

impl<'a> From<&'a ResponseFormat> for FormatDump<'a> {
    fn from(format: &'a ResponseFormat) -> Self {
        match format {
            ResponseFormat::Text => Self::Text,
            ResponseFormat::JsonObject => Self::JsonObject,
            ResponseFormat::JsonSchema(schema) => Self::JsonSchema(Json::from(schema.as_str())),
        }
    }
}

impl<'a> From<&'a str> for Json<'a> {
    fn from(text: &'a str) -> Self {
        serde_json::from_str(text).map_or(Self::Text(text), Self::Value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::conversation::tests::{message, request, said};
    use crate::types::Image;

    fn dumped(request: &RunRequest) -> Value {
        serde_json::from_str(&dump(request)).expect("a dump is JSON")
    }

    #[test]
    fn missing_fields_are_omitted() {
        let expected = json!({
            "run_id": "chatcmpl_0191e0c8-5a4b-7c3d-8e9f-a1b2c3d4e5f6",
            "agent": "main",
            "authority": "owner",
            "session": "agent:main:openai:1",
            "continuity": "fresh",
            "messages": [{ "role": "user", "content": [{ "text": "/request" }] }],
            "tool_choice": "auto",
        });
        assert_eq!(dumped(&said("/request")), expected);
    }

    #[test]
    fn every_field_is_written() {
        let mut all = said("Hello");
        all.continuity = Continuity::Continued;
        all.parallel_tool_calls = Some(false);
        all.sampling = Sampling {
            temperature: Some(0.5),
            top_p: Some(0.9),
            frequency_penalty: Some(-1.0),
            presence_penalty: Some(1.0),
            seed: Some(-7),
            stop: vec!["END".to_owned()],
            max_tokens: Some(64),
        };
        all.response_format = Some(ResponseFormat::JsonObject);
        all.reasoning_effort = Some("high".to_owned());
        all.model = Some("openai/gpt-5".to_owned());
        all.channel = Some("slack".to_owned());
        all.traceparent = Some("00-0af7-b7ad-01".to_owned());
        let mut expected = dumped(&said("Hello"));
        let more = json!({
            "continuity": "continued",
            "parallel_tool_calls": false,
            "sampling": {
                "temperature": 0.5, "top_p": 0.9, "frequency_penalty": -1.0,
                "presence_penalty": 1.0, "seed": -7, "stop": ["END"], "max_tokens": 64,
            },
            "response_format": "json_object",
            "reasoning_effort": "high",
            "model": "openai/gpt-5",
            "channel": "slack",
            "traceparent": "00-0af7-b7ad-01",
        });
        let more = more.as_object().expect("more fields").clone();
        expected.as_object_mut().expect("fields").extend(more);
        assert_eq!(dumped(&all), expected);
    }

    #[test]
    fn tools_are_written_with_valid_and_invalid_schemas() {
        let tool = |name: &str, parameters: &str| Tool {
            name: name.to_owned(),
            description: Some("Looks.".to_owned()),
            parameters: Some(parameters.to_owned()),
            strict: Some(true),
        };
        let mut offered = said("Hello");
        offered.tools = vec![tool("a", r#"{"type":"object"}"#), tool("b", "{")];
        offered.tool_choice = ToolChoice::Named("a".to_owned());
        offered.response_format = Some(ResponseFormat::JsonSchema(r#"{"name":"n"}"#.to_owned()));
        let dumped = dumped(&offered);
        assert_eq!(
            dumped["tools"][0],
            json!({ "name": "a", "description": "Looks.", "parameters": { "type": "object" }, "strict": true })
        );
        assert_eq!(dumped["tools"][1]["parameters"], "{");
        assert_eq!(dumped["tool_choice"], json!({ "named": "a" }));
        assert_eq!(
            dumped["response_format"],
            json!({ "json_schema": { "name": "n" } })
        );
    }

    #[test]
    fn messages_are_written_with_their_parts_and_calls() {
        let mut user = message(Role::User, "Look");
        user.content.push(ContentPart::Image(Image {
            media_type: "image/png".to_owned(),
            data: vec![0; 70],
        }));
        let address = "https://a.test/b.png".to_owned();
        user.content.push(ContentPart::ImageUrl(address));
        let mut assistant = message(Role::Assistant, "");
        assistant.tool_calls.push(ToolCall {
            id: "call_1".to_owned(),
            name: "f".to_owned(),
            arguments: "{".to_owned(),
        });
        let mut tool = message(Role::Tool, "done");
        tool.tool_call_id = Some("call_1".to_owned());
        tool.name = Some("f".to_owned());
        let dumped = dumped(&request(vec![user, assistant, tool]));
        let expected = json!([
            { "role": "user", "content": [
                { "text": "Look" },
                { "image": { "media_type": "image/png", "bytes": 70 } },
                { "image_url": "https://a.test/b.png" },
            ] },
            { "role": "assistant", "content": [{ "text": "" }],
              "tool_calls": [{ "id": "call_1", "name": "f", "arguments": "{" }] },
            { "role": "tool", "name": "f", "tool_call_id": "call_1", "content": [{ "text": "done" }] },
        ]);
        assert_eq!(dumped["messages"], expected);
    }
}
