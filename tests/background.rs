//! Responses in the background and stored responses, over real connections: runs that go on
//! without their client, and all that another request can do with them.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a missing value fails the test"
)]

mod harness;

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use harness::{Response, Server, TOKEN, config, error, output_text, response_events, streamed};
use serde_json::{Value, json};

const SECRET: &str = "session: { secret: 'a secret of 16 bytes or more' }";

/// How long a test waits for something that is to happen.
const PATIENCE: Duration = Duration::from_secs(30);

fn server() -> Server {
    start("")
}

/// Starts a gateway with a store, a secret and these members of `tidegate`.
fn start(tidegate: &str) -> Server {
    Server::builder("rehearsal-files")
        .config(&config(&format!("{SECRET}, {tidegate}")))
        .store()
        .start()
}

/// Returns a request in the background, with a script for the rehearsal.
fn in_background(script: &str) -> Value {
    json!({ "model": "openclaw", "input": script, "background": true })
}

fn create(server: &Server, body: &Value) -> Value {
    let answer = server.respond(body).send();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn id(response: &Value) -> &str {
    response["id"].as_str().unwrap()
}

fn of_id(server: &Server, method: &str, id: &str, rest: &str) -> Response {
    let path = format!("/v1/responses/{id}{rest}");
    server.request(method, &path).bearer(TOKEN).send()
}

fn get(server: &Server, id: &str) -> Value {
    let answer = of_id(server, "GET", id, "");
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// Waits until a response has a status other than `in_progress`.
fn wait(server: &Server, id: &str) -> Value {
    let begin = Instant::now();
    loop {
        let response = get(server, id);
        if response["status"] != "in_progress" {
            return response;
        }
        assert!(begin.elapsed() < PATIENCE, "{response}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn followed(server: &Server, id: &str, query: &str) -> Vec<Value> {
    response_events(&of_id(server, "GET", id, &format!("?stream=true{query}")))
}

#[test]
fn a_response_in_the_background_is_answered_at_once_and_completes() {
    let server = server();
    let begun = create(&server, &in_background("/tokens 10 100ms"));
    assert_eq!(begun["status"], "in_progress");
    assert_eq!(begun["background"], true);
    assert_eq!(begun["store"], true);
    assert_eq!(begun["usage"], Value::Null);
    let so_far = get(&server, id(&begun));
    assert_eq!(so_far["status"], "in_progress");
    let mut members: Vec<_> = so_far.as_object().unwrap().keys().collect();
    let mut first: Vec<_> = begun.as_object().unwrap().keys().collect();
    members.sort();
    first.sort();
    assert_eq!(members, first);
    let response = wait(&server, id(&begun));
    assert_eq!(response["status"], "completed");
    assert_eq!(response["created_at"], begun["created_at"]);
    assert_eq!(output_text(&response).split_whitespace().count(), 10);
    assert_eq!(get(&server, id(&begun)), response);
    server.assert_unharmed(&[TOKEN]);
}

#[test]
fn a_run_whose_client_left_at_once_comes_to_its_end() {
    let server = server();
    let body = streamed(in_background("/tokens 10 100ms"));
    let mut stream = server.respond(&body).open();
    let created: Value = serde_json::from_str(&stream.data().unwrap()).unwrap();
    let id = id(&created["response"]).to_owned();
    drop(stream);
    let response = wait(&server, &id);
    assert_eq!(response["status"], "completed", "{response}");
    assert_eq!(output_text(&response).split_whitespace().count(), 10);
}

#[test]
fn a_follower_gets_every_event_once_from_any_number_on() {
    let server = server();
    let body = streamed(in_background(
        "/tokens 30 20ms\n/reasoning why\n/tool look {\"a\":1}",
    ));
    let first = response_events(&server.respond(&body).send());
    let id = id(&first[0]["response"]).to_owned();
    assert_eq!(followed(&server, &id, ""), first);
    for after in [0, 1, 7, first.len() - 2] {
        let rest = of_id(
            &server,
            "GET",
            &id,
            &format!("?stream=true&starting_after={after}"),
        );
        let rest: Vec<Value> = rest
            .events()
            .iter()
            .filter_map(|event| serde_json::from_str(event).ok())
            .collect();
        assert_eq!(rest, first[after + 1..], "{after}");
    }
    for after in [first.len() - 1, first.len(), 1_000_000] {
        let rest = of_id(
            &server,
            "GET",
            &id,
            &format!("?stream=true&starting_after={after}"),
        );
        assert_eq!(rest.text(), "data: [DONE]\n\n", "{after}");
    }
}

#[test]
fn a_follower_goes_on_while_the_run_is_under_way() {
    let server = server();
    let begun = create(&server, &in_background("/tokens 20 100ms"));
    let events = followed(&server, id(&begun), "");
    assert_eq!(events.last().unwrap()["type"], "response.completed");
    let response = &events.last().unwrap()["response"];
    assert_eq!(*response, get(&server, id(&begun)));
}

#[test]
fn a_cancelled_response_stays_cancelled() {
    let server = server();
    let body = in_background("/say some text\n/silence 60s\n/say more");
    let begun = create(&server, &body);
    let follower = {
        let path = format!("/v1/responses/{}?stream=true", id(&begun));
        server.request("GET", &path).bearer(TOKEN).open()
    };
    let cancelled = of_id(&server, "POST", id(&begun), "/cancel");
    assert_eq!(cancelled.status, 200, "{cancelled:?}");
    let cancelled = cancelled.json();
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(cancelled["output"][0]["status"], "incomplete");
    assert_eq!(output_text(&cancelled), "some text");
    let again = of_id(&server, "POST", id(&begun), "/cancel");
    assert_eq!(again.json(), cancelled);
    assert_eq!(get(&server, id(&begun)), cancelled);
    let events = response_events(&follower.finish());
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.incomplete");
    assert_eq!(last["response"], cancelled);
}

#[test]
fn only_a_run_in_the_background_is_cancelled() {
    let server = server();
    let stored = create(
        &server,
        &json!({ "model": "openclaw", "input": "/echo hi", "store": true }),
    );
    assert_eq!(stored["store"], true);
    assert_eq!(stored["background"], false);
    let refused = of_id(&server, "POST", id(&stored), "/cancel");
    assert_eq!(
        (refused.status, error(&refused)["code"].clone()),
        (400, Value::Null)
    );
    assert_eq!(get(&server, id(&stored)), stored);
    let ended = create(&server, &in_background("/echo hi"));
    let ended = wait(&server, id(&ended));
    let unchanged = of_id(&server, "POST", id(&ended), "/cancel");
    assert_eq!(unchanged.json(), ended);
}

#[test]
fn a_deleted_response_is_gone_and_its_run_stops() {
    let server = server();
    let begun = create(&server, &in_background("/say a\n/silence 60s"));
    let deleted = of_id(&server, "DELETE", id(&begun), "");
    assert_eq!(deleted.status, 200, "{deleted:?}");
    let expected = json!({ "id": id(&begun), "object": "response", "deleted": true });
    assert_eq!(deleted.json(), expected);
    for (method, rest) in [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/cancel"),
        ("GET", "?stream=true"),
    ] {
        assert_eq!(
            of_id(&server, method, id(&begun), rest).status,
            404,
            "{method} {rest}"
        );
    }
}

#[test]
fn a_failed_run_is_told_as_failed() {
    let server = server();
    let begun = create(&server, &in_background("/say a\n/fail failed"));
    let response = wait(&server, id(&begun));
    assert_eq!(response["status"], "failed");
    assert_eq!(response["error"]["code"], "server_error");
    let events = followed(&server, id(&begun), "");
    assert_eq!(events.last().unwrap()["type"], "response.failed");
}

#[test]
fn nobody_else_learns_that_a_response_exists() {
    let digest = "fd0b8bfac69429908865025c27669d055e2df76897ebe37a50b0ccd686dafda4";
    let server = start(&format!(
        "keys: [{{ name: 'web', sha256: '{digest}', agents: ['*'] }}]"
    ));
    let begun = create(&server, &in_background("/echo hi"));
    wait(&server, id(&begun));
    let mut forged = id(&begun).to_owned();
    forged.pop();
    for (method, rest) in [("GET", ""), ("DELETE", ""), ("POST", "/cancel")] {
        for (key, id) in [
            ("tg_web-3f0c", id(&begun)),
            (TOKEN, &*forged),
            (TOKEN, "resp_00000000-0000-0000-0000-000000000000"),
            (TOKEN, "chatcmpl_1"),
        ] {
            let path = format!("/v1/responses/{id}{rest}");
            let answer = server.request(method, &path).bearer(key).send();
            assert_eq!(answer.status, 404, "{method} {id}");
            assert_eq!(error(&answer)["code"], "response_not_found");
        }
    }
}

#[test]
fn what_is_not_asked_for_is_not_stored() {
    let server = server();
    for body in [
        json!({ "model": "openclaw", "input": "/echo hi" }),
        json!({ "model": "openclaw", "input": "/echo hi", "store": false }),
    ] {
        let response = create(&server, &body);
        assert_eq!(response["store"], false);
        assert_eq!(of_id(&server, "GET", id(&response), "").status, 404);
    }
    let both = json!({ "model": "openclaw", "input": "hi", "background": true, "store": false });
    let refused = server.respond(&both).send();
    assert_eq!(
        (refused.status, error(&refused)["param"].clone()),
        (400, json!("store"))
    );
}

#[test]
fn without_a_store_a_secret_or_the_setting_there_is_no_background() {
    let without_store = Server::start("rehearsal", &config(SECRET));
    let without_secret = Server::builder("rehearsal-files")
        .config(&config(""))
        .store()
        .start();
    for server in [without_store, without_secret, start("runs: { log: 'off' }")] {
        let refused = server.respond(&in_background("/echo hi")).send();
        assert_eq!(refused.status, 400, "{refused:?}");
        assert_eq!(error(&refused)["code"], "background_not_available");
        let whole = create(
            &server,
            &json!({ "model": "openclaw", "input": "/echo hi", "store": true }),
        );
        assert_eq!(whole["store"], false);
    }
}

#[test]
fn no_text_of_a_conversation_is_readable_in_the_store() {
    let server = server();
    let begun = create(&server, &in_background("/say a very secret sentence"));
    wait(&server, id(&begun));
    let mut files = 0;
    for entry in std::fs::read_dir(server.store()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let is_readable = bytes.windows(6).any(|text| text == b"secret");
        assert!(!is_readable, "{}", String::from_utf8_lossy(&bytes));
        files += 1;
    }
    assert!(files > 3, "{files}");
}

#[test]
fn a_run_whose_process_was_killed_is_failed_and_not_carried_out_again() {
    let first = server();
    let begun = create(&first, &in_background("/say some text\n/silence 60s"));
    let store = format!("--dir={}::/store", first.store().display());
    let second = Server::builder("rehearsal-files")
        .config(&config(SECRET))
        .argument(&store)
        .start();
    let deadline = Instant::now() + PATIENCE;
    while get(&second, id(&begun))["output"] == json!([]) {
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(50));
    }
    let kill = Command::new("kill")
        .args(["-9", &first.process().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let response = wait(&second, id(&begun));
    assert_eq!(response["status"], "failed", "{response}");
    assert_eq!(output_text(&response), "some text");
    let events = followed(&second, id(&begun), "");
    assert_eq!(events.last().unwrap()["response"], response);
    let cancelled = of_id(&second, "POST", id(&begun), "/cancel");
    assert_eq!(cancelled.json(), response);
}

#[test]
fn the_access_log_has_how_a_run_without_a_client_ended() {
    let server = server();
    let begun = create(&server, &in_background("/tokens 3 100ms"));
    wait(&server, id(&begun));
    let log = server.wait_for_log(|log| log.contains("\"finish\":\"stop\""));
    assert_eq!(log.matches("\"usage\"").count(), 1, "{log}");
    let begun = create(&server, &in_background("/say a\n/silence 60s"));
    of_id(&server, "POST", id(&begun), "/cancel");
    server.wait_for_log(|log| log.contains("\"cancelled\":true"));
}
