//! Requests as they go over the wire.

use serde_json::{Value, json};
use tidegate_agent::fixtures::{self, message};
use tidegate_config::Document;

use super::*;
use crate::types::{
    ContentPart, Image, Message, ResponseFormat, Role, Sampling, Tool, ToolCall, ToolChoice,
};

/// An ordinary run request: a test states only its difference.
pub(crate) fn request() -> RunRequest {
    let session = "tidegate:1".to_owned();
    let messages = vec![message(Role::User, &["hi"])];
    RunRequest {
        session,
        ..fixtures::request(messages)
    }
}

fn tool(name: &str) -> Tool {
    Tool {
        name: name.to_owned(),
        description: None,
        parameters: None,
        strict: None,
    }
}

fn headers(request: Request) -> Vec<(String, String)> {
    let text = |value| String::from_utf8(value).unwrap();
    let headers = request.headers.into_iter();
    headers.map(|(name, value)| (name, text(value))).collect()
}

fn complete(run: &RunRequest) -> Result<Request, RunError> {
    Request::complete(run, &Models::default())
}

fn encode(run: &RunRequest) -> Result<Vec<u8>, RunError> {
    body::encode(run, &Models::default())
}

fn body(run: &RunRequest) -> Value {
    serde_json::from_slice(&encode(run).unwrap()).unwrap()
}

/// The body of an ordinary request, with more fields.
fn body_with(more: Value) -> Value {
    let mut body = json!({
        "model": "openclaw/main",
        "stream": true,
        "stream_options": { "include_usage": true },
        "messages": [{ "role": "user", "content": "hi" }],
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

#[test]
fn an_ordinary_run_sends_only_what_it_must() {
    assert_eq!(body(&request()), body_with(json!({})));
    let length = encode(&request()).unwrap().len().to_string();
    let expected = [
        ("accept", "text/event-stream"),
        ("user-agent", USER_AGENT),
        ("content-type", "application/json"),
        ("content-length", &length),
        ("x-openclaw-agent-id", "main"),
        ("x-openclaw-session-key", "tidegate:1"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(headers(complete(&request()).unwrap()), expected);
}

#[test]
fn an_agent_is_asked_for_by_the_name_of_its_model() {
    let document = Document::parse("{ models: { main: 'llama3:8b' } }").unwrap();
    let models = document.read(Models::read).unwrap();
    let request = Request::complete(&request(), &models).unwrap();
    let body: Value = serde_json::from_slice(&request.body.unwrap()).unwrap();
    assert_eq!(body["model"], "llama3:8b");
}

#[test]
fn channel_model_trace_and_token_become_headers() {
    let run = RunRequest {
        channel: Some("slack".to_owned()),
        model: Some("mock/mock-two".to_owned()),
        traceparent: Some("00-1-2-01".to_owned()),
        ..request()
    };
    let mut request = complete(&run).unwrap();
    request.authorize(Some(&Secret::new("s3cret")));
    let headers = headers(request);
    let expected = [
        ("x-openclaw-message-channel", "slack"),
        ("x-openclaw-model", "mock/mock-two"),
        ("traceparent", "00-1-2-01"),
        ("authorization", "Bearer s3cret"),
    ];
    for (name, value) in expected {
        assert!(
            headers.contains(&(name.to_owned(), value.to_owned())),
            "{name}"
        );
    }
}

#[test]
fn each_backend_is_told_its_own_token_and_no_other() {
    let mut request = complete(&request()).unwrap();
    let tokens = |request: &Request| {
        let headers = request.headers.iter();
        let tokens = headers.filter(|(name, _)| name == AUTHORIZATION);
        tokens
            .map(|(_, value)| String::from_utf8(value.clone()).unwrap())
            .collect::<Vec<_>>()
    };
    for token in ["one", "two"] {
        request.authorize(Some(&Secret::new(token)));
        assert_eq!(tokens(&request), [format!("Bearer {token}")]);
    }
    request.authorize(None);
    assert_eq!(tokens(&request), [""; 0]);
}

#[test]
fn a_value_that_would_forge_a_header_is_refused() {
    for value in ["a\r\nx-evil: 1", "a\nb", "a\0"] {
        let run = RunRequest {
            channel: Some(value.to_owned()),
            ..request()
        };
        let refused = complete(&run);
        assert!(matches!(refused, Err(RunError::Invalid(_))), "{value:?}");
    }
}

#[test]
fn the_list_of_models_is_asked_for_without_a_body() {
    let request = Request::list_models();
    assert_eq!(request.operation.path(), "/v1/models");
    assert_eq!(request.body, None);
    assert!(
        !request
            .headers
            .iter()
            .any(|(name, _)| name.starts_with("content"))
    );
}

#[test]
fn all_sampling_fields_are_sent_under_their_names() {
    let run = RunRequest {
        sampling: Sampling {
            temperature: Some(0.7),
            top_p: Some(1.0),
            frequency_penalty: Some(-2.0),
            presence_penalty: Some(0.5),
            seed: Some(-7),
            stop: vec!["a".to_owned(), "b\"".to_owned()],
            max_tokens: Some(100),
        },
        reasoning_effort: Some("low".to_owned()),
        ..request()
    };
    let expected = body_with(json!({
        "temperature": 0.7,
        "top_p": 1.0,
        "frequency_penalty": -2.0,
        "presence_penalty": 0.5,
        "seed": -7,
        "stop": ["a", "b\""],
        "max_tokens": 100,
        "reasoning_effort": "low",
    }));
    assert_eq!(body(&run), expected);
}

#[test]
fn every_role_has_its_name() {
    let roles = [
        (Role::System, "system"),
        (Role::Developer, "developer"),
        (Role::User, "user"),
        (Role::Assistant, "assistant"),
        (Role::Tool, "tool"),
    ];
    for (role, name) in roles {
        let run = RunRequest {
            messages: vec![message(role, &["x"])],
            ..request()
        };
        let expected = json!([{ "role": name, "content": "x" }]);
        assert_eq!(body(&run)["messages"], expected, "{name}");
    }
}

#[test]
fn one_text_is_a_string_and_anything_else_a_list_of_parts() {
    let part = |text: &str| json!({ "type": "text", "text": text });
    let cases: [(&[&str], Value); 3] = [
        (&[], json!("")),
        (&["a \"b\"\n"], json!("a \"b\"\n")),
        (&["a", "b"], json!([part("a"), part("b")])),
    ];
    for (texts, expected) in cases {
        let run = RunRequest {
            messages: vec![message(Role::User, texts)],
            ..request()
        };
        assert_eq!(body(&run)["messages"][0]["content"], expected, "{texts:?}");
    }
}

#[test]
fn images_are_data_urls_and_addresses_stay_addresses() {
    let image = |data: &[u8]| {
        ContentPart::Image(Image {
            media_type: "image/png".to_owned(),
            data: data.to_vec(),
        })
    };
    let mut mixed = message(Role::User, &["look"]);
    mixed.content.extend([
        image(b""),
        image(b"a"),
        image(b"abc\xFF"),
        ContentPart::ImageUrl("https://a.example/x.png?a=\"".to_owned()),
    ]);
    let run = RunRequest {
        messages: vec![mixed],
        ..request()
    };
    let part = |url: &str| json!({ "type": "image_url", "image_url": { "url": url } });
    let expected = json!([
        { "type": "text", "text": "look" },
        part("data:image/png;base64,"),
        part("data:image/png;base64,YQ=="),
        part("data:image/png;base64,YWJj/w=="),
        part("https://a.example/x.png?a=\""),
    ]);
    assert_eq!(body(&run)["messages"][0]["content"], expected);
}

#[test]
fn a_large_image_is_encoded_without_growing_the_body() {
    let data: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let encoded_length = data.len().div_ceil(3) * 4;
    let mut picture = message(Role::User, &[]);
    picture.content = vec![ContentPart::Image(Image {
        media_type: "image/png".to_owned(),
        data,
    })];
    let run = RunRequest {
        messages: vec![picture],
        ..request()
    };
    let body = encode(&run).unwrap();
    assert!(body.len() > encoded_length);
    assert!(body.capacity() < encoded_length + encoded_length / 8);
}

#[test]
fn earlier_tool_calls_and_their_results_are_repeated() {
    let call = ToolCall {
        id: "call_1".to_owned(),
        name: "f".to_owned(),
        arguments: "{not json".to_owned(),
    };
    let asked = Message {
        tool_calls: vec![call],
        ..message(Role::Assistant, &[])
    };
    let answered = Message {
        tool_call_id: Some("call_1".to_owned()),
        name: Some("f".to_owned()),
        ..message(Role::Tool, &[])
    };
    let run = RunRequest {
        messages: vec![asked, answered],
        ..request()
    };
    let call = json!({
        "id": "call_1",
        "type": "function",
        "function": { "name": "f", "arguments": "{not json" },
    });
    let expected = json!([
        { "role": "assistant", "content": null, "tool_calls": [call] },
        { "role": "tool", "content": "", "tool_call_id": "call_1", "name": "f" },
    ]);
    assert_eq!(body(&run)["messages"], expected);
}

#[test]
fn tools_are_passed_on_and_never_without_parameters() {
    let full = Tool {
        description: Some("d".to_owned()),
        parameters: Some(r#"{ "type": "object", "x": 1.50 }"#.to_owned()),
        strict: Some(true),
        ..tool("f")
    };
    let run = RunRequest {
        tools: vec![full, tool("g")],
        parallel_tool_calls: Some(false),
        ..request()
    };
    let expected = json!([
        { "type": "function", "function": {
            "name": "f", "description": "d",
            "parameters": { "type": "object", "x": 1.50 }, "strict": true } },
        { "type": "function", "function": {
            "name": "g", "parameters": { "type": "object", "properties": {} } } },
    ]);
    assert_eq!(body(&run)["tools"], expected);
    assert_eq!(body(&run)["parallel_tool_calls"], json!(false));
    // The schema's text is embedded as it came, number formats included.
    let text = String::from_utf8(encode(&run).unwrap()).unwrap();
    assert!(text.contains("1.50"), "{text}");
}

#[test]
fn a_tool_choice_is_sent_unless_it_is_free() {
    let named = json!({ "type": "function", "function": { "name": "f" } });
    let cases = [
        (ToolChoice::Auto, Value::Null),
        (ToolChoice::None, json!("none")),
        (ToolChoice::Required, json!("required")),
        (ToolChoice::Named("f".to_owned()), named),
    ];
    for (tool_choice, expected) in cases {
        let run = RunRequest {
            tools: vec![tool("f")],
            tool_choice,
            ..request()
        };
        assert_eq!(body(&run)["tool_choice"], expected);
    }
}

#[test]
fn without_tools_nothing_is_said_about_them() {
    let run = RunRequest {
        tool_choice: ToolChoice::None,
        parallel_tool_calls: Some(true),
        ..request()
    };
    assert_eq!(body(&run), body_with(json!({})));
}

#[test]
fn each_response_format_has_its_shape() {
    let schema = r#"{"name":"n","schema":{"type":"object"},"strict":true}"#;
    let cases = [
        (ResponseFormat::Text, json!({ "type": "text" })),
        (ResponseFormat::JsonObject, json!({ "type": "json_object" })),
        (
            ResponseFormat::JsonSchema(schema.to_owned()),
            json!({ "type": "json_schema", "json_schema": {
                "name": "n", "schema": { "type": "object" }, "strict": true } }),
        ),
    ];
    for (format, expected) in cases {
        let run = RunRequest {
            response_format: Some(format),
            ..request()
        };
        assert_eq!(body(&run)["response_format"], expected);
    }
}

#[test]
fn a_schema_that_is_no_json_cannot_break_out_of_its_place() {
    let broken = Tool {
        parameters: Some(r#"{}},"model":"other"#.to_owned()),
        ..tool("f")
    };
    let tools = RunRequest {
        tools: vec![broken],
        ..request()
    };
    let format = RunRequest {
        response_format: Some(ResponseFormat::JsonSchema("{".to_owned())),
        ..request()
    };
    for run in [tools, format] {
        assert!(matches!(encode(&run), Err(RunError::Invalid(_))));
    }
}

fn embeddings() -> EmbeddingsRequest {
    EmbeddingsRequest {
        agent: "main".to_owned(),
        upstream: None,
        authority: Authority::Owner,
        model: None,
        inputs: vec!["one".to_owned(), "two \"\u{1f642}\"".to_owned()],
        dimensions: None,
        traceparent: None,
    }
}

#[test]
fn embeddings_are_requested_as_numbers_for_an_agent() {
    let request = Request::embed(&embeddings(), &Models::default()).unwrap();
    assert_eq!(request.operation.path(), "/v1/embeddings");
    let body = request.body.clone().unwrap();
    let names: Vec<_> = headers(request).into_iter().map(|(name, _)| name).collect();
    let expected = [
        "accept",
        "user-agent",
        "content-type",
        "content-length",
        "x-openclaw-agent-id",
    ];
    assert_eq!(names, expected);
    let body: Value = serde_json::from_slice(&body).unwrap();
    let expected = json!({ "model": "openclaw/main", "input": ["one", "two \"\u{1f642}\""],
        "encoding_format": "float" });
    assert_eq!(body, expected);
}

#[test]
fn embeddings_have_the_model_the_scopes_and_the_dimensions_of_their_request() {
    let request = EmbeddingsRequest {
        authority: Authority::Restricted,
        model: Some("openai/small".to_owned()),
        dimensions: Some(8),
        traceparent: Some("00-1-2-03".to_owned()),
        ..embeddings()
    };
    let request = Request::embed(&request, &Models::default()).unwrap();
    let body: Value = serde_json::from_slice(request.body.as_ref().unwrap()).unwrap();
    assert_eq!(body["dimensions"], 8);
    let headers = headers(request);
    for (name, value) in [
        ("x-openclaw-scopes", "operator.write"),
        ("x-openclaw-model", "openai/small"),
        ("traceparent", "00-1-2-03"),
    ] {
        let expected = (name.to_owned(), value.to_owned());
        assert!(headers.contains(&expected), "{name}: {headers:?}");
    }
}

#[test]
fn a_model_of_embeddings_cannot_end_its_header() {
    let request = EmbeddingsRequest {
        model: Some("a\r\nb: c".to_owned()),
        ..embeddings()
    };
    let request = Request::embed(&request, &Models::default());
    assert!(matches!(request, Err(RunError::Invalid(_))), "{request:?}");
}
