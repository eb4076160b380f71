//! Whole requests for embeddings: types, values, and the order of the checks.

use super::*;
use crate::access::permissions::MODEL_HEADER;
use crate::access::{Key, Permission};
use crate::agents::{AgentId, Agents};
use crate::run::tests::rules;

fn check_by(caller: &Caller, body: &str, headers: &Headers) -> Result<ValidEmbeddings, Rejection> {
    ValidEmbeddings::read(body.as_bytes().to_vec(), headers, caller, &rules())
}

fn check(body: &str) -> Result<ValidEmbeddings, Rejection> {
    check_by(&Caller::for_test("owner"), body, &Headers::default())
}

/// Checks a good request with other members.
fn with(members: &str) -> Result<ValidEmbeddings, Rejection> {
    check(&format!(r#"{{"model":"openclaw","input":"hi",{members}}}"#))
}

/// Checks a request for these texts, as JSON.
fn with_input(input: &str) -> Result<ValidEmbeddings, Rejection> {
    check(&format!(r#"{{"model":"openclaw","input":{input}}}"#))
}

/// Returns the member at fault and the message.
fn rejected(result: Result<ValidEmbeddings, Rejection>) -> (String, String) {
    match result {
        Err(rejection) => match &rejection {
            Rejection::Invalid { param, .. } => {
                let param = param.clone().unwrap_or_default().into_owned();
                (param, rejection.to_string())
            }
            other => panic!("{other:?}"),
        },
        Ok(valid) => panic!("{valid:?}"),
    }
}

#[test]
fn a_plain_request_asks_the_default_agent_for_numbers() {
    let valid = with_input(r#""hi""#).unwrap();
    assert_eq!((valid.model(), valid.texts()), ("openclaw", 1));
    assert_eq!(valid.format(), VectorFormat::Float);
    let request = valid.into_request();
    assert_eq!(request.agent, "main");
    assert_eq!(request.inputs, ["hi"]);
    assert_eq!((request.model, request.dimensions), (None, None));
}

#[test]
fn every_member_is_used() {
    let body = r#"{"model":"OpenClaw/Research","input":["a"," "],"encoding_format":"base64",
        "dimensions":8.0,"user":"u","other":{}}"#;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = Headers::from([(MODEL_HEADER, "openai/small"), ("traceparent", trace)]);
    let valid = check_by(&Caller::for_test("owner"), body, &headers).unwrap();
    assert_eq!(valid.model(), "OpenClaw/Research");
    assert_eq!(valid.format(), VectorFormat::Base64);
    assert_eq!((valid.texts(), valid.dimensions()), (2, Some(8)));
    assert_eq!(valid.trace(), trace.split('-').nth(1));
    let request = valid.into_request();
    assert_eq!(request.agent, "research");
    assert_eq!(request.inputs, ["a", " "]);
    assert_eq!(request.model.as_deref(), Some("openai/small"));
    assert_eq!(request.traceparent.as_deref(), Some(trace));
}

#[test]
fn null_means_absent_where_a_member_is_optional() {
    let valid = with(r#""encoding_format":null,"dimensions":null,"user":null"#).unwrap();
    assert_eq!(
        (valid.format(), valid.dimensions()),
        (VectorFormat::Float, None)
    );
}

#[test]
fn the_root_must_be_an_object() {
    for body in ["[]", "null", "1", "\"x\""] {
        let (_, message) = rejected(check(body));
        assert!(message.contains("must be a JSON object"), "{body}");
    }
}

/// Asserts that each request is rejected with this member at fault, and with this part of
/// the message. The members replace those of a good request.
fn assert_rejected(cases: &[(&str, &str, &str)]) {
    for (members, param, message) in cases {
        let (found, text) = rejected(with(members));
        assert_eq!(found, *param, "{members}: {text}");
        assert!(text.contains(message), "{members}: {text}");
    }
}

#[test]
fn a_model_must_name_an_agent() {
    assert_rejected(&[
        (r#""model":1"#, "model", "must be a string, not a number."),
        (r#""model":null"#, "model", "Missing `model`."),
        (r#""model":" ""#, "model", "Missing `model`."),
        (r#""model":"gpt-4o""#, "model", "Invalid `model`."),
    ]);
}

#[test]
fn an_input_must_have_texts() {
    assert_rejected(&[
        (r#""input":null"#, "input", "array of strings, not null."),
        (r#""input":7"#, "input", "array of strings, not a number."),
        (r#""input":{}"#, "input", "array of strings, not an object."),
        (r#""input":[1,2]"#, "input", "token ids are not supported."),
        (r#""input":[[1]]"#, "input", "token ids are not supported."),
        (r#""input":["a",true]"#, "input", "array with a boolean."),
        (r#""input":["a",null]"#, "input", "not an array with null."),
        (r#""input":"""#, "input", "no empty ones."),
        (r#""input":[]"#, "input", "at least one text"),
        (r#""input":["a",""]"#, "input", "no empty ones."),
    ]);
    let (param, message) = rejected(check(r#"{"model":"openclaw"}"#));
    assert_eq!(param, "input");
    assert_eq!(message, "`input` must be a string or an array of strings.");
}

#[test]
fn an_optional_member_must_be_valid() {
    let (format, dimensions) = ("encoding_format", "dimensions");
    assert_rejected(&[
        (
            r#""encoding_format":"int8""#,
            format,
            "`float` or `base64`.",
        ),
        (r#""encoding_format":1"#, format, "must be a string"),
        (r#""dimensions":0"#, dimensions, "must be at least 1."),
        (r#""dimensions":-1"#, dimensions, "must be at least 1."),
        (r#""dimensions":1.5"#, dimensions, "must be an integer."),
        (
            r#""dimensions":16385"#,
            dimensions,
            "must be at most 16384.",
        ),
        (
            r#""dimensions":1e300"#,
            dimensions,
            "must be at most 16384.",
        ),
        (r#""dimensions":"8""#, dimensions, "not a string."),
        (r#""user":1"#, "user", "`user` must be a string"),
    ]);
}

#[test]
fn the_limits_of_the_texts_are_inclusive() {
    let list = |texts: usize, length: usize| {
        let text = format!("\"{}\"", "x".repeat(length));
        format!("[{}]", vec![text; texts].join(","))
    };
    assert!(with_input(&list(128, 1)).is_ok());
    assert!(with_input(&list(8, 8192)).is_ok());
    for (texts, length, message) in [
        (129, 1, "max 128"),
        (1, 8193, "max 8192 characters"),
        (9, 8192, "max 65536 characters"),
    ] {
        let (param, text) = rejected(with_input(&list(texts, length)));
        assert_eq!(param, "input");
        assert!(text.contains(message), "{texts} {length}: {text}");
    }
}

#[test]
fn the_length_of_a_text_is_in_utf16_code_units() {
    let text = |length: usize| format!("\"{}\"", "\u{1f642}".repeat(length));
    assert!(with_input(&text(4096)).is_ok());
    assert!(with_input(&text(4097)).is_err());
}

#[test]
fn the_checks_have_openclaws_order() {
    let mut body = vec![
        (r#""user":1"#, "user"),
        (r#""dimensions":0"#, "dimensions"),
        (r#""model":"gpt-4o""#, "model"),
        (r#""input":"""#, "input"),
    ];
    while let Some(&(_, param)) = body.first() {
        let members: Vec<_> = body.iter().map(|(member, _)| *member).collect();
        assert_eq!(rejected(with(&members.join(","))).0, param);
        body.remove(0);
    }
    let unknown = check(r#"{"model":"openclaw/nope","input":""}"#);
    assert_eq!(rejected(unknown).0, "input");
    let unknown = check(r#"{"model":"openclaw/nope","input":"a"}"#);
    assert_eq!(
        unknown.unwrap_err(),
        Rejection::UnknownAgent("nope".to_owned())
    );
}

#[test]
fn an_api_key_has_its_agents_and_its_headers() {
    let research = AgentId::parse("research").unwrap();
    let key = Key {
        agents: Agents::new(vec![research], None).into(),
        model: Permission::Denied,
        ..Key::for_test("app")
    };
    let caller = Caller::for_test_with(key);
    let body = |agent: &str| format!(r#"{{"model":"openclaw/{agent}","input":"a"}}"#);
    let none = Headers::default();
    let valid = check_by(&caller, &body("research"), &none).unwrap();
    assert_eq!(valid.agent(), "research");
    let hidden = check_by(&caller, &body("main"), &none).unwrap_err();
    assert_eq!(hidden, Rejection::UnknownModel("main".to_owned()));
    let headers = Headers::from([(MODEL_HEADER, "openai/small")]);
    let refused = check_by(&caller, &body("research"), &headers).unwrap_err();
    assert!(matches!(
        refused,
        Rejection::Forbidden {
            param: MODEL_HEADER,
            ..
        }
    ));
}

#[test]
fn a_model_header_must_name_a_model() {
    for value in ["openai/", "/small", "é"] {
        let headers = Headers::from([(MODEL_HEADER, value)]);
        let body = r#"{"model":"openclaw","input":"a"}"#;
        let (param, _) = rejected(check_by(&Caller::for_test("owner"), body, &headers));
        assert_eq!(param, MODEL_HEADER, "{value}");
    }
}
