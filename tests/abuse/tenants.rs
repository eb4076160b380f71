//! Sessions of other tenants: no name opens them. Two requests share a conversation if
//! and only if the runtime receives the same session key.

use serde_json::json;

use super::{APP, NAMER, Stage, WEB, WEB_APP, WEB2, research, session};
use crate::harness::{Request, TOKEN};

const SESSION: &str = "X-OpenClaw-Session-Key";
const CHAT: &str = "X-OpenWebUI-Chat-Id";

/// The reserved namespaces of the runtime and of the gateway.
const RESERVED: [&str; 8] = [
    "subagent:",
    "cron:",
    "acp:",
    "harness:",
    "openai:",
    "openai-user:",
    "openai-chat:",
    "openai-named:",
];

/// A key, a `user`, and a header that names a session or a chat.
type Named<'s> = (&'s str, Option<&'s str>, Option<(&'s str, &'s str)>);

fn request(stage: &Stage, (key, user, header): Named<'_>) -> Request {
    let mut body = research();
    if let Some(user) = user {
        body["user"] = json!(user);
    }
    let request = stage.post(key).json(&body);
    match header {
        Some((name, value)) => request.header(name, value),
        None => request,
    }
}

fn reached(stage: &Stage, named: Named<'_>) -> String {
    session(&stage.served(request(stage, named))).to_owned()
}

/// Asserts that all requests have separate sessions, and that each has the same
/// session again when it is repeated.
fn assert_apart(stage: &Stage, all: &[Named<'_>]) {
    let mut sessions: Vec<(String, Named<'_>)> = Vec::new();
    for named in all {
        let session = reached(stage, *named);
        if let Some((_, other)) = sessions.iter().find(|(known, _)| *known == session) {
            panic!("{named:?} and {other:?} share {session}");
        }
        assert_eq!(reached(stage, *named), session, "{named:?}");
        sessions.push((session, *named));
    }
    stage.assert_unharmed();
}

#[test]
fn the_same_user_has_separate_sessions_for_each_tenant() {
    let stage = Stage::start();
    let keys = [WEB, WEB2, WEB_APP, NAMER, APP, TOKEN];
    let users = keys.map(|key| (key, Some("alice"), None));
    let chats = keys.map(|key| (key, None, Some((CHAT, "alice"))));
    let both = keys.map(|key| (key, Some("alice"), Some((CHAT, "alice"))));
    let names = [NAMER, APP, TOKEN].map(|key| (key, None, Some((SESSION, "alice"))));
    assert_apart(&stage, &[&users[..], &chats, &both, &names].concat());
}

#[test]
fn separators_cannot_make_two_names_collide() {
    let stage = Stage::start();
    let user = |user| (WEB, Some(user), None);
    let chat = |user, chat| (WEB, user, Some((CHAT, chat)));
    assert_apart(
        &stage,
        &[
            user("ab"),
            chat(Some("a"), "b"),
            chat(Some("ab"), "b"),
            chat(None, "ab"),
            user("a:b"),
            chat(Some("a:"), "b"),
            user("a\u{0}b"),
            user("a\nb"),
            // The gateway joins the parts like this before it hashes them.
            user("\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{2}ab"),
            user("ab\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{1}b"),
            user("a\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{1}b"),
            // The name of another tenant, alone and with its user.
            user("key:app"),
            (APP, Some("ab"), None),
            user("key:app:ab"),
            (WEB, Some("2"), None),
            (WEB2, Some("2"), None),
            (WEB, Some(":app"), None),
            (WEB, Some("app:x"), None),
            (WEB_APP, Some("x"), None),
            user("owner"),
        ],
    );
}

#[test]
fn lookalikes_cannot_make_two_names_collide() {
    let stage = Stage::start();
    let users = [
        "alice",
        "Alice",
        "ALICE",
        "al\u{131}ce",
        "al\u{456}ce",
        "ali\u{200b}ce",
        "\u{feff}alice",
        "alice\u{ad}",
        "ａｌｉｃｅ",
        "al\u{69}\u{307}ce",
        "\u{e9}",
        "e\u{301}",
        "\u{fb01}",
        "fi",
        "\u{212a}",
        "k",
        "K",
        "stra\u{df}e",
        "strasse",
    ];
    let named = users.map(|user| (WEB, Some(user), None));
    assert_apart(&stage, &named);
}

#[test]
fn knowing_a_session_key_does_not_open_the_session() {
    let stage = Stage::start();
    let victims = [
        reached(&stage, (WEB, Some("alice"), None)),
        reached(&stage, (WEB, None, Some((CHAT, "trip")))),
        reached(&stage, (NAMER, None, Some((SESSION, "trip")))),
        reached(&stage, (TOKEN, Some("alice"), None)),
    ];
    for victim in &victims {
        let name = victim.strip_prefix("agent:research:").unwrap();
        let upper = victim.to_uppercase();
        let encoded = victim.replace(':', "%3A");
        for spelling in [
            victim.as_str(),
            name,
            &upper,
            &encoded,
            &format!("agent:RESEARCH:{name}"),
            &format!("agent:research::{name}"),
            &format!("agent:research: {name}"),
            &format!("agent:research:  {}", name.to_uppercase()),
            &format!(": {name}"),
            &format!("agent: research:{name}"),
            &format!("agent:research:agent:research:{name}"),
            &format!("agent:research:x:{name}"),
            &format!("{victim} "),
            &format!("\"{victim}\""),
            &format!("{victim},x"),
        ] {
            for key in [NAMER, APP, TOKEN] {
                assert_opens_no_victim(&stage, key, spelling, &victims);
            }
            for named in [
                (APP, Some(spelling), None),
                (APP, None, Some((CHAT, spelling))),
                (TOKEN, Some(spelling), None),
            ] {
                let session = reached(&stage, named);
                assert!(!victims.contains(&session), "{named:?}");
            }
        }
    }
    stage.assert_unharmed();
}

/// Asserts that a session header is refused, or that its session key is not a
/// victim's, even if the runtime trims the parts of a key.
fn assert_opens_no_victim(stage: &Stage, key: &str, spelling: &str, victims: &[String]) {
    let before = stage.runs();
    let answer = request(stage, (key, None, Some((SESSION, spelling)))).send();
    if answer.status == 400 {
        assert_eq!(stage.runs(), before);
        return;
    }
    assert_eq!(answer.status, 200, "{spelling}: {answer:?}");
    let arrived = stage.upstream.requests().pop().unwrap();
    let session = session(&arrived);
    assert!(!victims.iter().any(|v| v == session), "{spelling}");
    let name = session.strip_prefix("agent:research:").unwrap();
    let name = name.trim_matches([' ', ':']);
    // The gateway puts a tenant's session names into `openai-named:`.
    let reserved = RESERVED.iter().any(|space| name.starts_with(space));
    let own = key != TOKEN && name.starts_with("openai-named:");
    assert!(own || !reserved, "{spelling} became {session}");
}

#[test]
fn names_in_reserved_namespaces_are_refused() {
    let stage = Stage::start();
    for space in RESERVED {
        for spelling in [
            format!("{space}x"),
            format!(" {space}x"),
            format!("agent:research:{space}x"),
            format!("agent:research: {space}x"),
            format!("agent:research:\t{space}x"),
            format!("agent:research: :{space}x"),
            format!("agent:research:: {space}x"),
            format!("agent:research:{}x", space.to_uppercase()),
        ] {
            for key in [NAMER, TOKEN] {
                let named = (key, None, Some((SESSION, spelling.as_str())));
                stage.refused(400, request(&stage, named));
            }
        }
    }
    stage.assert_unharmed();
}

#[test]
fn every_spelling_of_the_session_header_needs_the_permission() {
    let stage = Stage::start();
    for name in [
        "x-openclaw-session-key",
        "X-OPENCLAW-SESSION-KEY",
        "X-OpenClaw-Session-KEY",
    ] {
        for value in [
            "alice",
            "agent:research:alice",
            "agent:main:alice",
            "cron:x",
        ] {
            let refused = stage.refused(403, request(&stage, (WEB, None, Some((name, value)))));
            assert_eq!(
                refused["param"], "x-openclaw-session-key",
                "{name}: {value}"
            );
        }
    }
    let named = |name, value| reached(&stage, (NAMER, None, Some((name, value))));
    let alice = named("X-OPENCLAW-SESSION-KEY", "Alice");
    assert_eq!(
        named("x-openclaw-session-key", "agent:Research:alice"),
        alice
    );
    // Headers with similar names are ignored.
    for name in [
        "X_OpenClaw_Session_Key",
        "X-OpenClaw-Session_Key",
        "X-OpenClaw-SessionKey",
        "OpenClaw-Session-Key",
    ] {
        let fresh = reached(&stage, (WEB, None, Some((name, "alice"))));
        assert!(fresh.starts_with("agent:research:openai:"), "{fresh}");
    }
    stage.assert_unharmed();
}
