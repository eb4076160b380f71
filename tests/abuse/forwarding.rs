//! The request to the upstream: it has only headers and members that the runtime
//! writes, and nothing else from the client.

use serde_json::json;

use super::{NAMER, RUNTIME_TOKEN, Stage, WEB, hello_upstream, research, tenants_and};
use crate::harness::{self, RecordedRequest, Server, TOKEN};

/// The value that marks headers and members of the client.
const MARK: &str = "of-the-client";

/// The headers of every request to the upstream.
const OWN: [&str; 9] = [
    "accept",
    "authorization",
    "content-length",
    "content-type",
    "host",
    "user-agent",
    "x-openclaw-agent-id",
    "x-openclaw-scopes",
    "x-openclaw-session-key",
];

/// Headers that clients, browsers and proxies send, and that the gateway does not read.
const HEADERS: &[&str] = &[
    // Hop-by-hop headers (RFC 9110, section 7.6.1), and headers treated as such.
    "X-Hop",
    "Keep-Alive",
    "Proxy-Connection",
    "Proxy-Authorization",
    "Proxy-Authenticate",
    "Trailer",
    "Alt-Used",
    // From proxies.
    "Via",
    "True-Client-IP",
    "CF-Connecting-IP",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "X-Original-URL",
    "X-Original-Host",
    "X-Host",
    "X-ProxyUser-IP",
    "X-Envoy-External-Address",
    "Client-Cert",
    "X-SSL-Client-Cert",
    // From browsers, and credentials.
    "Cookie",
    "Cookie2",
    "Origin",
    "Referer",
    "User-Agent",
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Cache-Control",
    "Sec-Fetch-Site",
    "Sec-WebSocket-Protocol",
    "X-Api-Key",
    "Api-Key",
    "X-Auth-Token",
    "X-CSRF-Token",
    "X-User",
    "Remote-User",
    "X-Remote-User",
    "X-WEBAUTH-USER",
    // From OpenAI's SDKs and other API clients.
    "OpenAI-Organization",
    "OpenAI-Project",
    "OpenAI-Beta",
    "X-Stainless-Lang",
    "Idempotency-Key",
    "X-Request-Id",
    "X-Client-Request-Id",
    "Helicone-Auth",
    "HTTP-Referer",
    "X-Title",
    // Tracing headers other than `traceparent`.
    "Tracestate",
    "Baggage",
    "B3",
    "X-B3-TraceId",
    "X-Amzn-Trace-Id",
    "X-Cloud-Trace-Context",
    "Uber-Trace-Id",
    "Sentry-Trace",
    "Traceparent2",
    // The runtime's headers that the gateway does not read.
    "X-OpenClaw-Scopes",
    "X-OpenClaw-Token",
    "X-OpenClaw-Sender",
    "X-OpenClaw-Sender-Is-Owner",
    "X-OpenClaw-Session-Id",
    "X-OpenClaw-Model-Override",
    "X_OpenClaw_Model",
    "X_OpenClaw_Message_Channel",
    "X-OpenClaw-Message-Channel-",
    "Content-Language",
    "Content-Disposition",
    "Digest",
    "Signature",
    "X-HTTP-Method-Override",
    "X-Custom",
];

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Starts gateway and upstream with a trusted proxy on the loopback address.
fn behind_a_proxy() -> Stage {
    let upstream = hello_upstream();
    let config = harness::config(&tenants_and(&upstream));
    let config = config.replacen("http:", "trustedProxies: ['127.0.0.1'], http:", 1);
    let server = Server::start("openclaw", &config);
    Stage { server, upstream }
}

fn names(arrived: &RecordedRequest) -> Vec<&str> {
    let mut names: Vec<_> = arrived.headers.0.iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    names
}

#[test]
fn no_client_header_is_forwarded() {
    let stage = behind_a_proxy();
    let mut request = stage.post(WEB);
    for name in HEADERS {
        request = request.header(name, MARK);
    }
    let request = request
        .header(
            "Connection",
            "close, X-Hop, Authorization, X-OpenClaw-Agent-Id",
        )
        .header("TE", "trailers")
        .header("Upgrade", "h2c")
        .header("HTTP2-Settings", "AAMAAABkAAQAAP__")
        .header("X-Forwarded-For", "203.0.113.7")
        .header("X-Forwarded-Host", "of-the-client.example")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Port", "8443")
        .header("X-Forwarded-Prefix", "/of-the-client")
        .header("X-Forwarded-User", MARK)
        .header("X-Forwarded-Client-Cert", MARK)
        .header("X-Real-IP", "203.0.113.7")
        .header("Forwarded", "for=203.0.113.7;host=of-the-client.example")
        .header("Host", "of-the-client.example");
    let arrived = stage.served(request.json(&research()));
    assert_eq!(names(&arrived), OWN);
    let sent = format!("{arrived:?}");
    for word in [MARK, "203.0.113.7", "8443", WEB, TOKEN, "h2c", "gzip"] {
        assert!(!sent.contains(word), "{word}: {sent}");
    }
    let host = stage.upstream.address().to_string();
    assert_eq!(arrived.headers.all("host"), [host]);
    let authorization = format!("Bearer {RUNTIME_TOKEN}");
    assert_eq!(arrived.headers.all("authorization"), [authorization]);
    stage.assert_unharmed();
}

#[test]
fn only_known_members_are_forwarded() {
    let stage = Stage::start();
    let mut body = research();
    for member in [
        "user",
        "metadata",
        "safety_identifier",
        "prompt_cache_key",
        "service_tier",
        "store",
        "modalities",
        "prediction",
        "web_search_options",
        "functions",
        "function_call",
        "api_key",
        "base_url",
        "extra_body",
        "extra_headers",
        "agent",
        "agentId",
        "session",
        "sessionKey",
        "senderIsOwner",
        "authToken",
        "x-openclaw-model",
        "__proto__",
        "constructor",
    ] {
        body[member] = json!(MARK);
    }
    body["messages"][0]["name"] = json!(MARK);
    body["messages"][0]["senderIsOwner"] = json!(true);
    let arrived = stage.served(stage.post(WEB).json(&body));
    let document = arrived.json();
    let members: Vec<_> = document.as_object().unwrap().keys().collect();
    assert_eq!(members, ["messages", "model", "stream", "stream_options"]);
    assert_eq!(document["model"], "openclaw/research");
    let messages = json!([{ "role": "user", "content": "Hi" }]);
    assert_eq!(document["messages"], messages);
    assert!(!format!("{arrived:?}").contains(MARK), "{arrived:?}");
    stage.assert_unharmed();
}

#[test]
fn only_a_valid_traceparent_is_forwarded() {
    let stage = Stage::start();
    let traced = |value: &str| {
        let request = stage.post(WEB).header("TraceParent", value);
        let request = request.header("Tracestate", "vendor=of-the-client");
        let arrived = stage.served(request.json(&research()));
        assert!(!format!("{arrived:?}").contains(MARK), "{arrived:?}");
        let values = arrived.headers.all("traceparent");
        assert!(values.len() <= 1, "{arrived:?}");
        values.first().map(|value| (*value).to_owned())
    };
    assert_eq!(traced(TRACEPARENT).as_deref(), Some(TRACEPARENT));
    let padded = format!(" {TRACEPARENT}\t");
    assert_eq!(traced(&padded).as_deref(), Some(TRACEPARENT));
    for value in [
        TRACEPARENT.to_uppercase(),
        format!("{TRACEPARENT}-00"),
        format!("{TRACEPARENT},{TRACEPARENT}"),
        format!("{TRACEPARENT} of-the-client"),
        TRACEPARENT.replacen("00-", "ff-", 1),
        TRACEPARENT.replacen("00-", "01-", 1),
        TRACEPARENT.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
        TRACEPARENT.replace("00f067aa0ba902b7", &"0".repeat(16)),
        TRACEPARENT.replace("4bf9", "4bf"),
        TRACEPARENT.replace("4bf9", "4bfg"),
        "of-the-client".to_owned(),
    ] {
        assert_eq!(traced(&value), None, "{value}");
    }
    stage.assert_unharmed();
}

#[test]
fn a_forwarded_header_cannot_inject_another() {
    let stage = Stage::start();
    for (name, value) in [
        ("X-OpenClaw-Model", "a/b\tX-Injected: y"),
        ("X-OpenClaw-Message-Channel", "slack\tx"),
        ("X-OpenClaw-Session-Key", "mine\tX-Injected: y"),
        ("X-OpenClaw-Model", "a/\u{85}b"),
        ("X-OpenClaw-Message-Channel", "sl\u{e4}ck"),
    ] {
        let request = stage.post(TOKEN).header(name, value);
        let refused = stage.refused(400, request.json(&research()));
        assert!(
            refused["message"].as_str().unwrap().contains("header")
                || refused["param"] == name.to_lowercase()
        );
    }
    // A key's session name may contain any byte, because only its digest is sent.
    let request = stage
        .post(NAMER)
        .header("X-OpenClaw-Session-Key", "mine\tX-Injected: y");
    let arrived = stage.served(request.json(&research()));
    assert_eq!(names(&arrived), OWN);
    assert!(!format!("{arrived:?}").contains("njected"));
    let mut body = research();
    body["user"] = json!("alice\r\nX-Injected: y\u{0}");
    let arrived = stage.served(stage.post(WEB).json(&body));
    assert_eq!(names(&arrived), OWN);
    assert!(!format!("{arrived:?}").contains("njected"));
    stage.assert_unharmed();
}
