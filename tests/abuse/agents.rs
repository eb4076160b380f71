//! Forbidden agents: a key that may not use an agent cannot reach it, and cannot learn
//! that it exists.

use serde_json::json;

use super::{NAMER, Stage, WEB, message, research};
use crate::harness::{RecordedRequest, Request, TOKEN};

/// Aliases for two agents. The keys in these tests may not use `main`.
const ALIASES: &str = "models: { 'gpt-4o': 'main', 'gpt-5': 'research' }";

fn stage() -> Stage {
    Stage::start_with(ALIASES)
}

fn with_model(stage: &Stage, model: &str) -> Request {
    let mut body = research();
    body["model"] = json!(model);
    stage.post(WEB).json(&body)
}

fn agent(arrived: &RecordedRequest) -> &str {
    arrived.headers.get("x-openclaw-agent-id").unwrap()
}

#[test]
fn no_spelling_of_the_model_reaches_a_forbidden_agent() {
    let stage = stage();
    for model in [
        "openclaw/main",
        "OpenClaw/Main",
        " openclaw/main\t",
        "openclaw:main",
        "agent:main",
        "AGENT:MAIN",
    ] {
        let refused = stage.refused(404, with_model(&stage, model));
        assert_eq!(refused["code"], "model_not_found", "{model}");
    }
    // These are not valid models for this key. Neither is an alias of a forbidden agent.
    for model in [
        "gpt-4o",
        " gpt-4o ",
        "GPT-4O",
        "gpt-3.5",
        "main",
        "openclaw%2Fmain",
        "openclaw/research/../main",
        "openclaw/research,openclaw/main",
        "openclaw/research\u{0}main",
        "openclaw/main\u{200b}",
        "openclaw/ｍain",
        "openclaw//main",
        "agent:main:main",
    ] {
        stage.refused(400, with_model(&stage, model));
    }
    for model in ["openclaw", "", "openclaw/default", "gpt-5"] {
        let arrived = stage.served(with_model(&stage, model));
        assert_eq!(agent(&arrived), "research", "{model}");
    }
    stage.assert_unharmed();
}

#[test]
fn no_header_reaches_a_forbidden_agent() {
    let stage = stage();
    let post = || stage.post(WEB).json(&research());
    for name in [
        "x-openclaw-agent-id",
        "X-OPENCLAW-AGENT",
        "x-OpenClaw-Agent",
    ] {
        for value in [
            "main",
            "MAIN",
            "  main ",
            "nowhere",
            "ma in",
            "research,main",
        ] {
            let refused = stage.refused(404, post().header(name, value));
            assert_eq!(refused["code"], "model_not_found", "{name}: {value}");
        }
    }
    // The first of two headers counts, and `…-Agent-Id` overrides `…-Agent`.
    let refused = post()
        .header("X-OpenClaw-Agent-Id", "main")
        .header("X-OpenClaw-Agent-Id", "research");
    stage.refused(404, refused);
    let served = post()
        .header("X-OpenClaw-Agent-Id", "research")
        .header("X-OpenClaw-Agent-Id", "main")
        .header("X-OpenClaw-Agent", "main");
    assert_eq!(agent(&stage.served(served)), "research");
    // Headers with similar names are ignored.
    let served = post()
        .header("X_OpenClaw_Agent_Id", "main")
        .header("X-OpenClaw-Agent-Id-", "main");
    assert_eq!(agent(&stage.served(served)), "research");
    stage.assert_unharmed();
}

#[test]
fn no_session_key_reaches_a_forbidden_agent() {
    let stage = stage();
    let name = |key: &str, value: &str| {
        let request = stage.post(key).header("X-OpenClaw-Session-Key", value);
        request.json(&research())
    };
    for value in [
        "agent:main:x",
        "AGENT:MAIN:x",
        " agent:main:x",
        "agent:main:main",
        "agent:nowhere:x",
        "agent:main",
        "agent::x",
        "agent: main:x",
        "agent:\u{a0}main:x",
    ] {
        for key in [NAMER, TOKEN] {
            stage.refused(400, name(key, value));
        }
    }
    // An `agent:` that is not at the beginning is part of the name.
    let arrived = stage.served(name(NAMER, "x:agent:main:y"));
    assert_eq!(agent(&arrived), "research");
    assert!(super::session(&arrived).starts_with("agent:research:openai-named:"));
    stage.assert_unharmed();
}

#[test]
fn a_forbidden_agent_is_indistinguishable_from_an_unknown_one() {
    let stage = stage();
    let response = |request: Request, name: &str| {
        let answer = request.send();
        let mut headers = answer.headers.0.clone();
        headers.retain(|(name, _)| !["x-request-id", "date", "content-length"].contains(&&**name));
        (answer.status, headers, message(&answer).replace(name, "*"))
    };
    let by_model = |name: &str| response(with_model(&stage, &format!("openclaw/{name}")), name);
    let by_header = |name: &str| {
        let request = stage.post(WEB).header("X-OpenClaw-Agent-Id", name);
        response(request.json(&research()), name)
    };
    let by_path = |name: &str| {
        let path = format!("/v1/models/openclaw/{name}");
        response(stage.server.request("GET", &path).bearer(WEB), name)
    };
    assert_eq!(by_model("main"), by_model("none"));
    assert_eq!(by_header("main"), by_header("none"));
    assert_eq!(by_path("main"), by_path("none"));
    assert_eq!(stage.runs(), 0);
}

#[test]
fn the_models_endpoint_hides_forbidden_agents() {
    let stage = stage();
    let list = stage.server.request("GET", "/v1/models").bearer(WEB).send();
    let models = list.json()["data"].clone();
    let ids: Vec<_> = models
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["id"])
        .collect();
    assert_eq!(
        ids,
        ["openclaw", "openclaw/default", "openclaw/research", "gpt-5"]
    );
    for (id, status) in [
        ("openclaw/main", 404),
        ("openclaw%2Fmain", 404),
        ("openclaw%2fmain", 404),
        ("%6f%70enclaw/m%61in", 404),
        ("OPENCLAW/MAIN", 404),
        ("agent:main", 404),
        ("openclaw/research/../main", 404),
        ("openclaw%252Fmain", 400),
        ("gpt-4o", 400),
        ("openclaw/main%00", 400),
        ("..%2Fmodels", 400),
    ] {
        let path = format!("/v1/models/{id}");
        stage.refused(status, stage.server.request("GET", &path).bearer(WEB));
    }
    stage.assert_unharmed();
}
