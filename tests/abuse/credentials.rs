//! Credentials in valid and invalid spellings, and expired credentials.

use super::{APP, OLD, Stage, WEB, research};
use crate::harness::TOKEN;

#[test]
fn valid_spellings_of_a_credential_are_accepted() {
    let stage = Stage::start();
    for value in [
        format!("Bearer {WEB}"),
        format!("bearer {WEB}"),
        format!("bEaReR    {WEB}   "),
        format!("Bearer \t{WEB}\t"),
        format!("BEARER {TOKEN}"),
    ] {
        let request = stage.server.request("POST", "/v1/chat/completions");
        stage.served(request.header("aUTHORIZATION", &value).json(&research()));
    }
    stage.assert_unharmed();
}

#[test]
fn other_spellings_of_a_credential_are_refused() {
    let stage = Stage::start();
    let upper = WEB.to_uppercase();
    let mixed = WEB.replacen("tg_", "Tg_", 1);
    let bare = WEB.trim_start_matches("tg_");
    let digest = "0".repeat(64);
    for value in [
        String::new(),
        "Bearer".to_owned(),
        WEB.to_owned(),
        format!("Bearer{WEB}"),
        format!("Bearer\t{WEB}"),
        format!("Bearer:{WEB}"),
        format!("Bearer={WEB}"),
        format!("Bearer \"{WEB}\""),
        format!("Bearer token={WEB}"),
        format!("Bearer Bearer {WEB}"),
        format!("Bearer {WEB},"),
        format!("Bearer {WEB}, Bearer {WEB}"),
        format!("Bearer {TOKEN} {TOKEN}"),
        format!("Bearer wrong\tBearer {TOKEN}"),
        format!("Basic {WEB}"),
        format!("Basic Bearer {WEB}"),
        format!("Token {WEB}"),
        format!("Bearer\u{a0}{WEB}"),
        format!("Bearer {WEB}\u{a0}"),
        format!("Ｂearer {WEB}"),
        format!("Bearer {upper}"),
        format!("Bearer {mixed}"),
        format!("Bearer {bare}"),
        format!("Bearer {WEB}0"),
        format!("Bearer {}", WEB.split_at(WEB.len() - 1).0),
        format!("Bearer {}", WEB.replace('_', "%5F")),
        format!("Bearer {digest}"),
        "Bearer web".to_owned(),
        "Bearer key:web".to_owned(),
        "Bearer owner".to_owned(),
        "Bearer ${OPENCLAW_GATEWAY_TOKEN}".to_owned(),
        "Bearer *".to_owned(),
        "Bearer undefined".to_owned(),
        "Bearer null".to_owned(),
    ] {
        let request = stage.server.request("POST", "/v1/chat/completions");
        let request = request.header("Authorization", &value).json(&research());
        let refused = stage.refused(401, request);
        assert_eq!(refused["code"], "invalid_api_key", "{value}");
    }
    stage.assert_unharmed();
}

#[test]
fn a_credential_is_accepted_only_in_its_header() {
    let stage = Stage::start();
    let post = |path: &str| stage.server.request("POST", path).json(&research());
    let plain = || post("/v1/chat/completions");
    let mut inside = research();
    inside["api_key"] = TOKEN.into();
    let requests = [
        plain(),
        plain().header("X-Api-Key", TOKEN),
        plain().header("Api-Key", TOKEN),
        plain().header("X-Authorization", &format!("Bearer {TOKEN}")),
        plain().header("Proxy-Authorization", &format!("Bearer {TOKEN}")),
        plain().header("Authorization_", &format!("Bearer {TOKEN}")),
        plain().header("Cookie", &format!("Authorization=Bearer {TOKEN}")),
        plain().header("X-OpenClaw-Token", TOKEN),
        plain().header("Sec-WebSocket-Protocol", &format!("bearer, {TOKEN}")),
        post(&format!("/v1/chat/completions?token={TOKEN}")),
        post(&format!("/v1/chat/completions?api_key={TOKEN}&key={TOKEN}")),
        plain().json(&inside),
    ];
    for request in requests {
        stage.refused(401, request);
    }
    stage.assert_unharmed();
}

#[test]
fn an_expired_key_is_refused_everywhere() {
    let stage = Stage::start();
    let refused = stage.refused(401, stage.post(OLD).json(&research()));
    assert_eq!(refused["code"], "expired_api_key");
    for path in ["/v1/models", "/v1/models/openclaw"] {
        stage.refused(401, stage.server.request("GET", path).bearer(OLD));
    }
    stage.refused(
        401,
        stage.server.request("POST", "/v1/embeddings").bearer(OLD),
    );
    // A valid credential after an expired one does not help.
    let both = stage.post(OLD).bearer(APP);
    stage.refused(400, both.json(&research()));
    stage.assert_unharmed();
}
