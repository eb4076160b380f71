//! The configuration as the running component reads it: JSON5, variables, the
//! authentication modes, and faults that only the log contains.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a missing value fails the test"
)]

mod harness;

use std::fs;

use harness::{Response, Server, TOKEN, ask, config, error};
use serde_json::Value;

/// A part of faulty values that neither log nor response may contain.
const SECRET: &str = "s3cret-value";

/// The members that enable the endpoint.
const ENABLED: &str = "http: { endpoints: { chatCompletions: { enabled: true } } }";

/// Returns a document that enables the endpoint and has these members of
/// `gateway.auth`.
fn with_auth(auth: &str) -> String {
    format!("{{ gateway: {{ auth: {{ {auth} }}, {ENABLED} }} }}")
}

fn start(document: &str) -> Server {
    Server::start("rehearsal", document)
}

/// Sends a request as OpenAI's SDKs do, without `Authorization` if the credential is
/// empty.
fn answer(server: &Server, credential: &str) -> Response {
    let request = server.request("POST", "/v1/chat/completions");
    let request = request.header("Accept", "application/json");
    let request = request.json(&ask("/echo in"));
    match credential {
        "" => request.send(),
        credential => request.bearer(credential).send(),
    }
}

fn assert_accepts(server: &Server, credential: &str) {
    let answer = answer(server, credential);
    assert_eq!(answer.status, 200, "{credential:?}: {answer:?}");
}

fn assert_rejects(server: &Server, credentials: &[&str]) {
    for credential in credentials {
        let answer = answer(server, credential);
        assert_eq!(answer.status, 401, "{credential:?}: {answer:?}");
        error(&answer);
    }
}

/// Asserts that the log lists these faults without the faulty values, and that the
/// response lists no fault.
fn assert_faulty(server: &Server, faults: &[&str]) {
    // A later request gets the same error as the first.
    for path in ["/v1/chat/completions", "/v1/chat/completions", "/v1/models"] {
        let method = if path.ends_with("models") {
            "GET"
        } else {
            "POST"
        };
        let request = server.request(method, path).bearer(SECRET);
        let answer = request.body(ask("Hi").to_string()).send();
        assert_eq!(answer.status, 500, "{faults:?}: {answer:?}");
        let error = error(&answer);
        assert_eq!(error["code"], "misconfigured");
        assert_eq!(
            error["message"],
            "The gateway is misconfigured. Its log lists the faults."
        );
        let record = server.access_log(&answer.headers);
        assert_eq!(record["status"], 500);
        let detail = record["detail"].as_str().unwrap_or_default();
        for fault in faults {
            assert!(detail.contains(fault), "{fault} in {detail}");
        }
    }
    assert!(!server.log().contains(SECRET), "{}", server.log());
    assert_eq!(server.request("GET", "/healthz").send().status, 200);
    let ready = server.request("GET", "/readyz").send();
    assert_eq!(ready.status, 500, "{faults:?}: {ready:?}");
}

#[test]
fn the_endpoint_is_disabled_by_default() {
    for document in [
        String::new(),
        "{}".to_owned(),
        format!("{{ gateway: {{ auth: {{ token: '{TOKEN}' }} }} }}"),
        config("").replace("enabled: true", "enabled: false"),
        // The rest is not validated while the endpoint is disabled.
        "{ tidegate: { nonsense: 1 } }".to_owned(),
    ] {
        let server = start(&document);
        for token in ["", TOKEN] {
            let refused = answer(&server, token);
            assert_eq!(refused.status, 404, "{document}: {refused:?}");
            assert_eq!(error(&refused)["code"], "unknown_url");
        }
        let models = server.request("GET", "/v1/models").send();
        assert_eq!(models.status, 404, "{document}");
        for path in ["/healthz", "/readyz"] {
            assert_eq!(server.request("GET", path).send().status, 200, "{path}");
        }
    }
}

#[test]
fn faults_appear_in_the_log_and_not_in_the_response() {
    let document = format!(
        "{{ gateway: {{ auth: {{ mode: '{SECRET}', token: 7 }}, {ENABLED} }},
           agents: {{ list: [{{ id: 'main' }}, {{ id: '{SECRET} {SECRET}' }}] }},
           tidegate: {{
             defaultAgent: 'nobody',
             session: {{ secret: ['{SECRET}'], history: 1 }},
             stream: {{ heartbeat: '{SECRET}', beat: '{SECRET}' }},
             unknown: 1,
             keyz: '{SECRET}',
           }} }}"
    );
    assert_faulty(
        &start(&document),
        &[
            "gateway.auth.mode: ",
            "gateway.auth.token: ",
            "agents.list[1].id: ",
            "tidegate.defaultAgent: ",
            "tidegate.session.secret: ",
            "tidegate.session.history: ",
            "tidegate.stream.heartbeat: ",
            "tidegate.stream.beat: ",
            "tidegate.unknown: ",
            "tidegate.keyz: ",
        ],
    );
}

#[test]
fn an_endpoint_without_a_credential_is_a_fault() {
    for auth in [
        "",
        "token: ''",
        "token: '  '",
        "mode: 'token', password: 'x'",
    ] {
        let faults = ["gateway.auth.token: is missing"];
        assert_faulty(&start(&with_auth(auth)), &faults);
    }
    for (auth, fault) in [
        (
            "mode: 'password', token: 'x'",
            "gateway.auth.password: is missing",
        ),
        ("token: 'x', password: 'y'", "gateway.auth.mode: "),
    ] {
        assert_faulty(&start(&with_auth(auth)), &[fault]);
    }
}

#[test]
fn broken_syntax_is_located_and_not_quoted() {
    for (document, fault) in [
        (
            format!("{{\n token: '{SECRET}' oops }}"),
            "the document is not JSON5 at line 2",
        ),
        (format!("'{SECRET}'"), "the document must be an object"),
        (format!("{{ token: '{SECRET}"), "the document is not JSON5"),
        ("[]".to_owned(), "the document must be an object"),
    ] {
        assert_faulty(&start(&document), &[fault]);
    }
}

#[test]
fn a_document_is_json5() {
    let document = format!(
        "/* Comments, */ {{ // bare keys,
           gateway: {{ 'auth': {{ \"token\": 'it\\'s \\x66ine', }}, {ENABLED}, port: +0x10, }},
           agents: {{ entries: {{ main: {{ weight: .5, limit: Infinity, }}, }}, }},
           tidegate: {{ stream: {{ heartbeat: '2\\\ns', }}, }},
         }}"
    );
    assert_accepts(&start(&document), "it's fine");
}

#[test]
fn sections_that_only_openclaw_knows_are_ignored() {
    let document = config("").replacen(
        '{',
        "{ channels: { slack: { token: '${UNSET_VARIABLE}' } }, models: 7, $schema: 'x',",
        1,
    );
    assert_accepts(&start(&document), TOKEN);
}

#[test]
fn variables_fill_in_secrets() {
    let server = Server::builder("rehearsal")
        .config(&with_auth("token: 'a-${FIRST_PART}-${SECOND_2}-$${KEPT}'"))
        .env("FIRST_PART", "one")
        .env("SECOND_2", "two")
        .start();
    assert_accepts(&server, "a-one-two-${KEPT}");
    assert_rejects(
        &server,
        &["", "a-one-two-", "a-${FIRST_PART}-${SECOND_2}-$${KEPT}"],
    );
}

#[test]
fn a_variable_without_a_value_is_named() {
    let document = with_auth("token: '${UNSET_VARIABLE}'");
    let fault = "gateway.auth.token: the variable UNSET_VARIABLE has no value";
    let server = start(&document);
    let refused = answer(&server, "");
    assert_eq!(refused.status, 500, "{refused:?}");
    let record = server.access_log(&refused.headers);
    let detail = record["detail"].as_str().unwrap_or_default();
    assert!(detail.contains(fault), "{record}");
    let empty = Server::builder("rehearsal").config(&document);
    let empty = empty.env("UNSET_VARIABLE", "").start();
    assert_eq!(answer(&empty, "").status, 500);
}

#[test]
fn a_secret_may_reference_a_variable_as_in_openclaw() {
    let document = with_auth("token: { source: 'env', provider: 'default', id: 'FRONT' }");
    let server = Server::builder("rehearsal").config(&document);
    let server = server.env("FRONT", "from-outside").start();
    assert_accepts(&server, "from-outside");
    assert_rejects(&server, &["FRONT"]);
}

#[test]
fn the_well_known_variables_need_no_reference() {
    for (variable, auth) in [
        ("OPENCLAW_GATEWAY_TOKEN", ""),
        ("OPENCLAW_GATEWAY_TOKEN", "mode: 'token'"),
        ("OPENCLAW_GATEWAY_PASSWORD", ""),
        ("OPENCLAW_GATEWAY_PASSWORD", "mode: 'password'"),
    ] {
        let server = Server::builder("rehearsal").config(&with_auth(auth));
        let server = server.env(variable, "from-outside").start();
        assert_accepts(&server, "from-outside");
        assert_rejects(&server, &["", "other"]);
    }
}

#[test]
fn a_token_in_the_document_overrides_the_variable() {
    let server = Server::builder("rehearsal")
        .config(&with_auth("token: 'from-the-document'"))
        .env("OPENCLAW_GATEWAY_TOKEN", "from-outside")
        .start();
    assert_accepts(&server, "from-the-document");
    assert_rejects(&server, &["from-outside"]);
}

/// Starts a server without `TIDEGATE_CONFIG` whose mounted root has this document.
fn start_with_file(document: &[u8]) -> Server {
    let server = Server::builder("rehearsal");
    let server = server.root(|root| {
        fs::write(root.join("tidegate.json5"), document).expect("a document");
    });
    server.start()
}

#[test]
fn without_the_variable_the_document_is_a_mounted_file() {
    // Longer than one read from the host.
    let document = with_auth("token: 'from-the-file'") + &" ".repeat(200_000) + "// the end";
    let server = start_with_file(document.as_bytes());
    assert_accepts(&server, "from-the-file");
    assert_rejects(&server, &["", "other"]);
}

#[test]
fn the_variable_overrides_the_mounted_file() {
    let file = with_auth("token: 'from-the-file'");
    let server = Server::builder("rehearsal")
        .config(&with_auth("token: 'from-the-variable'"))
        .root(|root| fs::write(root.join("tidegate.json5"), file).expect("a document"))
        .start();
    assert_accepts(&server, "from-the-variable");
    assert_rejects(&server, &["from-the-file"]);
    server.wait_for_log(|log| log.contains("/tidegate.json5 is ignored"));
}

#[test]
fn a_mounted_folder_may_lack_the_file() {
    let server = Server::builder("rehearsal").root(|_| ()).start();
    assert_eq!(answer(&server, "").status, 404, "the endpoint is disabled");
}

#[test]
fn a_file_that_is_too_large_or_not_utf8_is_a_fault() {
    const LIMIT: usize = 8 * 1024 * 1024;
    let largest = " ".repeat(LIMIT - 2) + "{}";
    let server = start_with_file(largest.as_bytes());
    assert_eq!(answer(&server, "").status, 404, "the endpoint is disabled");
    for (document, fault) in [
        (
            (largest + " ").as_bytes(),
            "/tidegate.json5 is larger than 8 MiB",
        ),
        (b"{ \xff }", "/tidegate.json5 is not UTF-8"),
    ] {
        assert_faulty(&start_with_file(document), &[fault]);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_a_fault() {
    let server = Server::builder("rehearsal");
    let server = server.root(|root| {
        fs::create_dir(root.join("tidegate.json5")).expect("a folder of that name");
    });
    assert_faulty(&server.start(), &["/tidegate.json5 cannot be read: "]);
}

#[test]
fn a_password_is_sent_like_a_token() {
    for auth in [
        "password: 'open sesame'",
        "mode: 'password', password: 'open sesame', token: 'other'",
    ] {
        let server = start(&with_auth(auth));
        assert_accepts(&server, "open sesame");
        assert_rejects(&server, &["", "other", "open", "Open Sesame"]);
    }
}

#[test]
fn without_authentication_every_request_is_accepted() {
    let server = start(&with_auth("mode: 'none'"));
    assert_accepts(&server, "");
    assert_accepts(&server, "whatever");
}

#[test]
fn agents_may_be_in_the_older_list() {
    let agents = "agents: { list: [{ id: 'Writer' }, { id: 'coder' }] }";
    let document = format!("{{ gateway: {{ auth: {{ mode: 'none' }}, {ENABLED} }}, {agents} }}");
    let list = start(&document).request("GET", "/v1/models").send().json();
    let models = list["data"].as_array().map(Vec::as_slice);
    let ids = models.unwrap_or_default().iter().map(|model| &model["id"]);
    let ids: Vec<_> = ids.filter_map(Value::as_str).collect();
    assert_eq!(ids, ["openclaw/writer", "openclaw/coder"]);
}

#[test]
fn the_runtimes_faults_are_logged_like_the_gateways() {
    let runtime = format!("runtime: {{ url: 'ftp://{SECRET}', token: 7, tokn: '{SECRET}' }}");
    let server = Server::start("openclaw", &config(&runtime));
    let refused = answer(&server, TOKEN);
    assert_eq!(refused.status, 500, "{refused:?}");
    assert_eq!(error(&refused)["code"], "misconfigured");
    let record = server.access_log(&refused.headers);
    let detail = record["detail"].as_str().unwrap_or_default();
    for path in ["url: ", "token: ", "tokn: "] {
        let path = format!("tidegate.runtime.{path}");
        assert!(detail.contains(&path), "{path} in {detail}");
    }
    assert!(!server.log().contains(SECRET), "{}", server.log());
}
