//! An ordinary client: its gateway's configuration, its requests, and checks that
//! hold for every response.

use serde_json::{Value, json};

use super::request::Request;
use super::response::Response;
use super::server::Server;
use super::wire::Headers;

/// The token of [`config`].
pub(crate) const TOKEN: &str = "front-door-token-5e1f";

/// Returns a configuration that enables chat completions and responses, has the agents
/// `main` and `research`, and these members of `tidegate`.
pub(crate) fn config(tidegate: &str) -> String {
    format!(
        "{{ gateway: {{ auth: {{ token: '{TOKEN}' }},
             http: {{ endpoints: {{ chatCompletions: {{ enabled: true }},
                                    responses: {{ enabled: true }} }} }} }},
           agents: {{ entries: {{ main: {{}}, research: {{}} }} }},
           tidegate: {{ {tidegate} }} }}"
    )
}

/// Returns a request with one user message to the default agent.
pub(crate) fn ask(text: &str) -> Value {
    json!({ "model": "openclaw", "messages": [{ "role": "user", "content": text }] })
}

/// Requests a stream.
pub(crate) fn streamed(mut body: Value) -> Value {
    body["stream"] = json!(true);
    body
}

impl Request {
    /// Adds a credential.
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }
}

impl Server {
    /// Prepares a chat completion with the right token.
    pub(crate) fn chat(&self, body: &Value) -> Request {
        let request = self.request("POST", "/v1/chat/completions");
        request.bearer(TOKEN).json(body)
    }

    /// Prepares a request of the Responses API with the right token.
    pub(crate) fn respond(&self, body: &Value) -> Request {
        let request = self.request("POST", "/v1/responses");
        request.bearer(TOKEN).json(body)
    }

    /// Waits for the access log line of a response, and returns it. Asserts that
    /// the log contains only one.
    pub(crate) fn access_log(&self, headers: &Headers) -> Value {
        let id = headers.get("x-request-id").expect("the request's id");
        let log = self.wait_for_log(|log| log.contains(id));
        let lines: Vec<_> = log.lines().filter(|line| line.contains(id)).collect();
        let [line] = lines.as_slice() else {
            panic!("{id} is logged more than once:\n{log}");
        };
        serde_json::from_str(line).unwrap_or_else(|error| panic!("not JSON ({error}): {line}"))
    }

    /// Asserts that the server still answers, that no component has trapped, and
    /// that the log contains no secret.
    pub(crate) fn assert_unharmed(&self, secrets: &[&str]) {
        let answer = self.request("GET", "/v1/models").bearer(TOKEN).send();
        assert_eq!(answer.status, 200, "{answer:?}");
        self.access_log(&answer.headers);
        let log = self.log();
        for word in ["trap", "panicked", "unreachable executed"] {
            assert!(!log.contains(word), "{word}:\n{log}");
        }
        for secret in secrets {
            assert!(!log.contains(secret), "{secret:?} is logged:\n{log}");
        }
    }
}

/// Returns the error object of a response. Asserts that it has exactly OpenAI's
/// members.
pub(crate) fn error(response: &Response) -> Value {
    let kind = response.headers.get("content-type");
    assert_eq!(
        kind,
        Some("application/json; charset=utf-8"),
        "{response:?}"
    );
    let document = response.json();
    let error = document["error"].as_object();
    let error = error.unwrap_or_else(|| panic!("no error object: {response:?}"));
    let members: Vec<_> = error.keys().map(String::as_str).collect();
    assert_eq!(
        members,
        ["code", "message", "param", "type"],
        "{response:?}"
    );
    assert!(error["message"].is_string() && error["type"].is_string());
    document["error"].clone()
}

/// Returns the chunks of a streamed reply. Asserts that it ends with `[DONE]`.
pub(crate) fn chunks(response: &Response) -> Vec<Value> {
    let mut events = response.events();
    assert_eq!(events.pop().as_deref(), Some("[DONE]"), "{response:?}");
    let chunks = events.iter().map(|event| serde_json::from_str(event));
    let chunks: Result<Vec<_>, _> = chunks.collect();
    chunks.unwrap_or_else(|error| panic!("not JSON ({error}): {response:?}"))
}

/// Returns the text of the chunks.
pub(crate) fn text(chunks: &[Value]) -> String {
    let contents = chunks.iter();
    let contents = contents.filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str());
    contents.collect()
}

/// Returns the finish reasons of the chunks.
pub(crate) fn finishes(chunks: &[Value]) -> Vec<&str> {
    let reasons = chunks.iter();
    let reasons = reasons.filter_map(|chunk| chunk["choices"][0]["finish_reason"].as_str());
    reasons.collect()
}

/// Returns the events of a streamed response. Asserts that they have names and numbers, that
/// one response ends, and that `[DONE]` follows.
pub(crate) fn response_events(response: &Response) -> Vec<Value> {
    assert_eq!(response.status, 200, "{response:?}");
    let events = chunks(response);
    let body = response.text();
    let names = body.lines().filter_map(|line| line.strip_prefix("event: "));
    let types = events.iter().filter_map(|event| event["type"].as_str());
    assert!(names.eq(types), "{response:?}");
    let numbers = events.iter().map(|event| event["sequence_number"].as_u64());
    assert!(
        numbers.eq((0..).map(Some).take(events.len())),
        "{response:?}"
    );
    let is_end = |event: &&Value| {
        let ends = [
            "response.completed",
            "response.incomplete",
            "response.failed",
        ];
        ends.iter().any(|end| event["type"] == *end)
    };
    assert_eq!(events.iter().filter(is_end).count(), 1, "{response:?}");
    assert!(events.last().as_ref().is_some_and(is_end), "{response:?}");
    events
}

/// Returns the text of a response object.
pub(crate) fn output_text(response: &Value) -> String {
    let items = response["output"].as_array().into_iter().flatten();
    let parts = items.flat_map(|item| item["content"].as_array().into_iter().flatten());
    parts.filter_map(|part| part["text"].as_str()).collect()
}
