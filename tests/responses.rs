//! The Responses API over real connections, through the gateway with the rehearsal runtime:
//! whole and streamed responses, tools, sessions, failures and limits.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a missing value fails the test"
)]

mod harness;

use harness::{
    Server, TOKEN, ask, config, error, hello_upstream, output_text, response_events, streamed,
};
use serde_json::{Value, json};

const SECRET: &str = "session: { secret: 'a secret of 16 bytes or more' }";

fn server() -> Server {
    start("")
}

/// Starts a server with these members of `tidegate`, and a secret.
fn start(tidegate: &str) -> Server {
    Server::start("rehearsal", &config(&format!("{SECRET}, {tidegate}")))
}

/// Returns a request with a script for the rehearsal and further members.
fn say(script: &str, members: Value) -> Value {
    let mut body = json!({ "model": "openclaw", "input": script });
    for (name, value) in members.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn plain(script: &str) -> Value {
    say(script, json!({}))
}

fn whole(server: &Server, body: &Value) -> Value {
    let answer = server.respond(body).send();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn events(server: &Server, body: &Value) -> Vec<Value> {
    response_events(&server.respond(&streamed(body.clone())).send())
}

/// Returns the run that the runtime received.
fn received(server: &Server, body: &Value) -> Value {
    let response = whole(server, body);
    let said = output_text(&response);
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// Removes what differs between two runs of one request.
fn normal(mut response: Value) -> Value {
    let id = |at: usize| json!(format!("item {at}"));
    for (at, item) in response["output"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .enumerate()
    {
        item["id"] = id(at);
        item.as_object_mut().unwrap().remove("call_id");
    }
    for name in ["id", "created_at", "completed_at"] {
        response[name] = Value::Null;
    }
    response
}

const SCRIPTS: [&str; 12] = [
    "/echo Hello",
    "/unicode",
    "/json",
    "/tokens 20",
    "/say one two\n/length",
    "/say one two\n/filter",
    "/empty",
    "/echo a\n/usage 7 5 3 2",
    "/echo a\n/nousage",
    "/reasoning because\n/echo so",
    "/say Looking.\n/tool look {\"q\":\"tides\"}\n/tool other {}",
    "/bytes 200000",
];

#[test]
fn a_streamed_response_equals_a_whole_one() {
    for members in ["", "reasoning: true"] {
        let server = start(members);
        for script in SCRIPTS {
            let body = plain(script);
            let last = events(&server, &body).pop().unwrap();
            let response = whole(&server, &body);
            let kind = format!("response.{}", response["status"].as_str().unwrap());
            assert_eq!(last["type"], kind, "{script}");
            assert_eq!(
                normal(last["response"].clone()),
                normal(response),
                "{script}"
            );
        }
        server.assert_unharmed(&[TOKEN]);
    }
}

#[test]
fn the_deltas_of_an_item_add_up_to_it() {
    let server = start("reasoning: true");
    for script in SCRIPTS {
        let events = events(&server, &plain(script));
        let done = events
            .iter()
            .filter(|event| event["type"] == "response.output_item.done");
        for item in done.map(|event| &event["item"]) {
            let deltas = events.iter().filter(|event| event["item_id"] == item["id"]);
            let text: String = deltas.filter_map(|event| event["delta"].as_str()).collect();
            let parts = [
                &item["content"][0]["text"],
                &item["summary"][0]["text"],
                &item["arguments"],
            ];
            let expected: String = parts.into_iter().filter_map(Value::as_str).collect();
            assert_eq!(text, expected, "{script}");
        }
    }
}

#[test]
fn a_failed_run_never_says_completed() {
    let server = server();
    for (script, code) in [
        ("/silence 1500ms\n/break", "server_error"),
        ("/say a\n/silence 1500ms\n/vanish", "server_error"),
        ("/say a\n/silence 1500ms\n/fail failed", "server_error"),
        ("/silence 1500ms\n/fail busy", "rate_limit_exceeded"),
        ("/silence 1500ms\n/fail invalid", "invalid_prompt"),
    ] {
        let last = events(&server, &plain(script)).pop().unwrap();
        assert_eq!(last["type"], "response.failed", "{script}");
        let response = &last["response"];
        assert_eq!(response["status"], "failed", "{script}");
        assert_eq!(response["error"]["code"], code, "{script}");
        assert!(response["error"]["message"].is_string());
        for item in response["output"].as_array().unwrap() {
            assert_eq!(item["status"], "incomplete", "{script}");
        }
    }
    // A run that fails at once, and a whole one, have their own status.
    for (script, status) in [
        ("/fail failed", 502),
        ("/fail busy 3", 429),
        ("/break", 502),
    ] {
        let answer = server.respond(&plain(script)).send();
        assert_eq!(answer.status, status, "{script}");
        error(&answer);
    }
    let answer = server.respond(&streamed(plain("/fail busy 3"))).send();
    assert_eq!(answer.status, 429);
}

#[test]
fn only_codex_reads_that_a_run_which_began_is_not_to_be_repeated() {
    let server = server();
    let failed = |script: &str, header: Option<(&str, &str)>| {
        let mut request = server.respond(&streamed(plain(script)));
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let last = response_events(&request.send()).pop().unwrap();
        last["response"]["error"]["code"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let codex = Some(("x-codex-turn-metadata", "{}"));
    assert_eq!(failed("/silence 1500ms\n/break", codex), "invalid_prompt");
    assert_eq!(failed("/silence 1500ms\n/break", None), "server_error");
    // No run began, so the client may repeat it.
    assert_eq!(
        failed("/silence 1500ms\n/fail unreachable", codex),
        "server_error"
    );
}

#[test]
fn a_custom_tools_text_arrives_raw() {
    let server = server();
    let patch = "*** Begin Patch\n+ \"a\\b\"\n*** End Patch";
    let arguments = json!({ "input": patch });
    let tools = json!([{ "type": "custom", "name": "apply_patch" }]);
    let body = say(
        &format!("/tool apply_patch {arguments}"),
        json!({ "tools": tools }),
    );
    let events = events(&server, &body);
    let deltas = events
        .iter()
        .filter(|event| event["type"] == "response.custom_tool_call_input.delta");
    let text: String = deltas.filter_map(|event| event["delta"].as_str()).collect();
    assert_eq!(text, patch);
    let call = &events.last().unwrap()["response"]["output"][0];
    assert_eq!(
        (&call["type"], &call["input"]),
        (&json!("custom_tool_call"), &json!(patch))
    );
    // Sent back, it is the call that the runtime knows.
    let output =
        json!({ "type": "custom_tool_call_output", "call_id": call["call_id"], "output": "Done." });
    let input = json!([{ "role": "user", "content": "q" }, call, output, { "role": "user", "content": "/request" }]);
    let run = received(&server, &json!({ "input": input, "tools": tools }));
    let sent = &run["messages"][1]["tool_calls"][0];
    let arguments: Value = serde_json::from_str(sent["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&sent["name"], arguments),
        (&json!("apply_patch"), json!({ "input": patch }))
    );
}

#[test]
fn ten_turns_by_previous_response_are_one_session() {
    let mut server = server();
    let mut id = Value::Null;
    let mut sessions = Vec::new();
    for turn in 0..10 {
        // The id survives a restart, and is good at another instance.
        if turn == 5 {
            server = self::server();
        }
        let response = whole(
            &server,
            &say("/request", json!({ "previous_response_id": id })),
        );
        let run: Value = serde_json::from_str(&output_text(&response)).unwrap();
        let expected = if turn == 0 { "opening" } else { "continued" };
        assert_eq!(run["continuity"], expected);
        assert_eq!(run["messages"].as_array().unwrap().len(), 1);
        sessions.push(run["session"].clone());
        id = response["id"].clone();
    }
    sessions.dedup();
    assert_eq!(sessions.len(), 1, "{sessions:?}");
}

#[test]
fn an_id_that_is_not_the_callers_is_not_found() {
    let key = "tg_app-c55b";
    let digest = {
        use sha2::{Digest as _, Sha256};
        let digest: [u8; 32] = Sha256::digest(key).into();
        digest
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let server = start(&format!(
        "keys: [{{ name: 'app', sha256: '{digest}', agents: ['*'] }}]"
    ));
    let id = whole(&server, &plain("Hello"))["id"].clone();
    let next = say("And?", json!({ "previous_response_id": id }));
    let mut other = next.clone();
    other["model"] = json!("openclaw/research");
    let mut forged = next.clone();
    forged["previous_response_id"] = json!("resp_forged");
    let as_app = server
        .request("POST", "/v1/responses")
        .bearer(key)
        .json(&next);
    for request in [as_app, server.respond(&other), server.respond(&forged)] {
        let answer = request.send();
        assert_eq!(answer.status, 400, "{answer:?}");
        let error = error(&answer);
        assert_eq!(error["code"], "previous_response_not_found");
        assert_eq!(error["param"], "previous_response_id");
    }
    let none = Server::start("rehearsal", &config(""));
    let answer = none.respond(&next).send();
    let message = error(&answer)["message"].as_str().unwrap().to_owned();
    assert!(message.contains("tidegate.session.secret"), "{message}");
}

#[test]
fn a_user_has_one_session_in_both_apis() {
    let server = server();
    let run = received(&server, &say("/request", json!({ "user": "alice" })));
    let mut body = ask("/request");
    body["user"] = json!("alice");
    let answer = server.chat(&body).send();
    let said = answer.json()["choices"][0]["message"]["content"]
        .as_str()
        .unwrap()
        .to_owned();
    let chat: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(run["session"], chat["session"]);
}

#[test]
fn a_silent_stream_repeats_the_response_so_far() {
    let server = start("responses: { progress: '1s' }, stream: { heartbeat: '1s' }");
    let body = plain("/echo so far\n/silence 2500ms\n/echo and on");
    let events = events(&server, &body);
    let progress: Vec<_> = events
        .iter()
        .skip(2)
        .filter(|event| event["type"] == "response.in_progress")
        .collect();
    assert!(!progress.is_empty(), "{events:?}");
    for event in progress {
        assert_eq!(output_text(&event["response"]), "so far");
        assert_eq!(event["response"]["status"], "in_progress");
    }
    // Chat completions have no such event.
    let answer = server
        .chat(&streamed(ask(
            "/echo so far\n/silence 1500ms\n/echo and on",
        )))
        .send();
    assert!(!answer.text().contains("in_progress"), "{answer:?}");
}

#[test]
fn a_response_larger_than_its_limit_fails() {
    let server = start("responses: { limit: 65536 }");
    let last = events(&server, &plain("/bytes 200000")).pop().unwrap();
    assert_eq!(last["type"], "response.failed");
    assert_eq!(server.respond(&plain("/bytes 200000")).send().status, 502);
    assert_eq!(server.respond(&plain("/bytes 30000")).send().status, 200);
    server.assert_unharmed(&[TOKEN]);
}

#[test]
fn no_delta_is_longer_than_64_kib() {
    let server = server();
    let answer = server
        .respond(&streamed(plain(&format!(
            "/echo {}",
            "é\u{1}".repeat(60_000)
        ))))
        .send();
    for line in answer
        .text()
        .lines()
        .filter(|line| line.contains(".delta\""))
    {
        assert!(line.len() <= 64 * 1024, "{}", line.len());
    }
}

#[test]
fn a_web_socket_is_refused_with_426() {
    let server = server();
    let get = || server.request("GET", "/v1/responses").bearer(TOKEN);
    let answer = get().header("Sec-WebSocket-Version", "13").send();
    assert_eq!(answer.status, 426, "{answer:?}");
    assert_eq!(get().send().status, 405);
}

#[test]
fn the_access_log_names_what_has_no_effect() {
    let server = server();
    let tools = json!([{ "type": "web_search" }]);
    let answer = server
        .respond(&say("Hi", json!({ "include": [], "tools": tools })))
        .send();
    let line = server.access_log(&answer.headers);
    assert_eq!(line["ignored"], json!(["include", "tools.web_search"]));
    assert_eq!(line["finish"], "stop");
}

#[test]
fn a_session_that_others_will_continue_begins_at_its_own_backend() {
    let good = hello_upstream();
    let urls = json!(["http://127.0.0.1:1", good.url()]);
    let runtime = format!("{SECRET}, runtime: {{ urls: {urls}, token: 'own-token-1' }}");
    let server = Server::start("openclaw", &config(&runtime));
    let statuses = |body: &Value| -> Vec<u16> {
        (0..24)
            .map(|_| server.respond(body).send().status)
            .collect()
    };
    // Half of the sessions belong to the backend that refuses connections.
    let opening = statuses(&plain("Hi"));
    assert!(
        opening.contains(&200) && opening.contains(&502),
        "{opening:?}"
    );
    let unkept = statuses(&say("Hi", json!({ "store": false })));
    assert!(unkept.iter().all(|status| *status == 200), "{unkept:?}");
}

#[test]
fn the_runtime_gets_the_same_request_in_both_apis() {
    let upstream = hello_upstream();
    let runtime = format!(
        "runtime: {{ url: '{}', token: 'own-token-1' }}",
        upstream.url()
    );
    let server = Server::start("openclaw", &config(&runtime));
    let tool =
        json!({ "name": "look", "description": "Looks.", "parameters": { "type": "object" } });
    let mut flat = tool.clone();
    flat["type"] = json!("function");
    let response = json!({
        "input": [{ "role": "user", "content": "Hi" }], "instructions": "Be brief.",
        "tools": [flat], "max_output_tokens": 64, "user": "alice", "temperature": 0.5,
        "text": { "format": { "type": "json_object" } },
    });
    let chat = json!({
        "messages": [{ "role": "system", "content": "Be brief." }, { "role": "user", "content": "Hi" }],
        "tools": [{ "type": "function", "function": tool }], "max_completion_tokens": 64,
        "user": "alice", "temperature": 0.5, "response_format": { "type": "json_object" },
    });
    assert_eq!(server.respond(&response).send().status, 200);
    assert_eq!(server.chat(&chat).send().status, 200);
    let sent: Vec<Value> = upstream
        .requests()
        .iter()
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect();
    let [first, second] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    assert_eq!(first, second);
}
