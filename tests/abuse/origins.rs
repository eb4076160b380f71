//! Cross-origin requests: a foreign web page uses the browser of a user who can reach
//! a gateway without authentication.

use serde_json::json;

use super::message;
use crate::harness::{Response, Server, ask, error};

fn without_auth(members: &str) -> Server {
    Server::start(
        "rehearsal",
        &format!(
            "{{ gateway: {{ auth: {{ mode: 'none' }},
                 http: {{ endpoints: {{ chatCompletions: {{ enabled: true }} }} }} }},
               agents: {{ entries: {{ main: {{}} }} }}, tidegate: {{ {members} }} }}"
        ),
    )
}

fn send(server: &Server, headers: &[(&str, &str)]) -> Response {
    let mut request = server.request("POST", "/v1/chat/completions");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    // With this type, a browser sends the request without a preflight.
    let request = request.header("Content-Type", "text/plain");
    request.body(ask("/echo ok").to_string()).send()
}

#[test]
fn a_foreign_page_cannot_start_a_run() {
    let server = without_auth("");
    for origin in [
        "https://evil.example",
        "http://127.0.0.1:1",
        "http://localhost",
        "https://127.0.0.1",
        "file://",
        "null",
        "",
        "chrome-extension://abcdef",
        "http://evil.example@127.0.0.1",
        "http://[::1",
        "http://\u{ff4c}ocalhost",
    ] {
        let refused = send(&server, &[("Origin", origin)]);
        assert_eq!(refused.status, 401, "{origin}: {refused:?}");
        assert_eq!(error(&refused)["type"], "unauthorized");
        assert_eq!(refused.headers.get("access-control-allow-origin"), None);
        assert!(!message(&refused).contains("evil"));
    }
    assert_eq!(send(&server, &[]).status, 200);
}

#[test]
fn a_page_that_uses_dns_rebinding_is_foreign() {
    let server = without_auth("");
    let port = server.address().port();
    for name in [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
    ] {
        let host = format!("{name}:{port}");
        let origin = format!("http://{host}");
        let rebound = [
            ("Host", host.as_str()),
            ("Origin", origin.as_str()),
            ("Sec-Fetch-Site", "same-origin"),
        ];
        assert_eq!(send(&server, &rebound).status, 401, "{name}");
    }
    let models = |host: &str| server.request("GET", "/v1/models").header("Host", host);
    for site in ["cross-site", "same-site"] {
        let embedded = models(&format!("localhost:{port}")).header("Sec-Fetch-Site", site);
        assert_eq!(embedded.send().status, 401, "{site}");
    }
    assert_eq!(models(&format!("localhost:{port}")).send().status, 200);
    for name in ["127.0.0.1", "localhost", "gate.local", "[::1]"] {
        let host = format!("{name}:{port}");
        let origin = format!("http://{host}");
        let own = [
            ("Host", host.as_str()),
            ("Origin", origin.as_str()),
            ("Sec-Fetch-Site", "same-origin"),
        ];
        assert_eq!(send(&server, &own).status, 200, "{name}");
    }
}

#[test]
fn an_allowed_origin_allows_no_other_origin() {
    let server = without_auth("cors: { origins: ['https://app.example'] }");
    let preflight = |origin: &str| {
        let request = server.request("OPTIONS", "/v1/chat/completions");
        let request = request.header("Origin", origin);
        request
            .header("Access-Control-Request-Method", "POST")
            .send()
    };
    assert_eq!(preflight("https://app.example").status, 204);
    assert_eq!(
        send(&server, &[("Origin", "https://app.example")]).status,
        200
    );
    for origin in [
        "https://app.example.evil.example",
        "https://evil.example/https://app.example",
        "http://app.example",
        "https://app.example:444",
        "https://sub.app.example",
        "https://app.example, https://evil.example",
        "*",
    ] {
        let refused = preflight(origin);
        assert_eq!(refused.status, 405, "{origin}");
        let names = refused.headers.0.iter().map(|(name, _)| name.as_str());
        let granted = |name: &str| name.starts_with("access-control-");
        assert!(!names.clone().any(granted), "{refused:?}");
        assert_eq!(send(&server, &[("Origin", origin)]).status, 401, "{origin}");
    }
    // A browser never sends two origins.
    let twice = [
        ("Origin", "https://evil.example"),
        ("Origin", "https://app.example"),
    ];
    assert_eq!(send(&server, &twice).status, 401);
    let models = server
        .request("GET", "/v1/models")
        .header("Origin", "https://evil.example");
    assert_eq!(error(&models.send())["code"], json!("invalid_api_key"));
}
