//! Cases in which the run breaks or does not start.

use std::time::Duration;

use serde_json::json;

use super::cases::{
    Case, breaks, breaks_after_text, cut, events, greeting, leaky_error, raw, refuses,
};
use super::expected::{Expected, Refusal};
use super::harness::{
    Step, broken_stream, delta, finish, raw_stream, refusal, refusal_with, says, steps, stream,
};

/// Failures before any text.
pub(crate) fn before_any_text() -> Vec<Case> {
    [refusals(), wrong_protocols(), broken_at_once()]
        .into_iter()
        .flatten()
        .collect()
}

fn refusals() -> Vec<Case> {
    let not_run = || Refusal::new(502, "api_error");
    let busy = || Refusal::new(429, "rate_limit_error");
    let page = "<html>Not found</html>";
    vec![
        breaks("500", refusal(500, &leaky_error())),
        breaks("502", refusal(502, page)),
        breaks("504", refusal(504, "")),
        refuses("401", refusal(401, &leaky_error()), not_run()),
        refuses("403", refusal(403, &leaky_error()), not_run()),
        refuses("404 of another server", refusal(404, page), not_run()),
        refuses("429", refusal(429, &leaky_error()), busy().no_retry()),
        refuses(
            "429 with a time",
            refusal_with(429, "Retry-After: 7"),
            busy().after("7"),
        ),
        breaks("503", refusal(503, &leaky_error())),
        refuses(
            "503 with a time",
            refusal_with(503, "Retry-After: 9"),
            Refusal::new(503, "api_error").after("9"),
        ),
    ]
}

/// Responses of servers that do not implement the protocol.
fn wrong_protocols() -> Vec<Case> {
    let page = steps::answer(200, "text/html", "<html>It works!</html>");
    let gzip = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip";
    // The first bytes of a gzip file.
    let zipped = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b\x49\x2c\x49\xb4\x52";
    let location = "Location: http://127.0.0.1:1/v1/chat/completions";
    vec![
        breaks("301", refusal_with(301, location)),
        breaks("302", refusal_with(302, location)),
        breaks("307", refusal_with(307, location)),
        breaks("201", refusal(201, "{\"choices\":[]}")),
        breaks(
            "204",
            vec![Step::Write(b"HTTP/1.1 204 Nothing\r\n\r\n".to_vec())],
        ),
        breaks("a page", vec![Step::Write(page)]),
        breaks("a document", refusal(200, "{\"choices\":[]}")),
        breaks("no type", raw("HTTP/1.1 200 OK\r\nX: y", greeting())),
        breaks("unrequested gzip", raw(gzip, zipped)),
        breaks(
            "no HTTP",
            vec![Step::Write(b"220 smtp ready\r\n\r\n".to_vec()), Step::Close],
        ),
        breaks(
            "half a head",
            vec![
                Step::Write(b"HTTP/1.1 200 OK\r\nConte".to_vec()),
                Step::Close,
            ],
        ),
        breaks(
            "a switch of protocols",
            raw("HTTP/1.1 101 Switching\r\nUpgrade: x", ""),
        ),
    ]
}

fn broken_at_once() -> Vec<Case> {
    vec![
        breaks("a cut instead of an answer", vec![Step::Close]),
        breaks("a cut before the events", broken_stream(&[])),
        breaks("a cut within the first event", cut("data: {\"choi")),
        breaks("nothing at all", stream(&[])),
        breaks("no finish", stream(&["[DONE]"])),
        breaks("an error event", stream(&[&leaky_error(), "[DONE]"])),
        breaks("no JSON", raw_stream("data: {oops\n\n")),
        breaks("other JSON", stream(&["[1,2]", "[DONE]"])),
        breaks("binary", raw_stream([0, 255, 10, 10, 254])),
        breaks("an event of 9 MiB", stream(&[&says(&"x".repeat(9 << 20))])),
        breaks("a line of 9 MiB", raw_stream(vec![b'x'; 9 << 20])),
    ]
}

/// Failures after `Some text`.
pub(crate) fn after_text() -> Vec<Case> {
    let some = says("Some text");
    let after = |data: &[&str]| stream(&[&[some.as_str()], data].concat());
    let text = events(&[&some]);
    let half_a_character = [
        text.as_bytes(),
        b"data: {\"choices\":[{\"delta\":{\"content\":\"\xE2\x82",
    ];
    let no_utf8 = [
        &half_a_character.concat(),
        b"\"}}]}\n\n".as_slice(),
        greeting().as_bytes(),
    ]
    .concat();
    vec![
        breaks_after_text("a cut", broken_stream(&[&some])),
        breaks_after_text(
            "a cut within an event",
            cut(text.clone() + "data: {\"choices\":[{\"ind"),
        ),
        breaks_after_text("a cut within a character", cut(half_a_character.concat())),
        breaks_after_text(
            "a cut before the event's blank line",
            cut(text + "data: [DONE]\n"),
        ),
        breaks_after_text(
            "a cut after the finish",
            broken_stream(&[&some, &finish("stop")]),
        ),
        breaks_after_text("no finish", after(&[])),
        breaks_after_text("no finish before [DONE]", after(&["[DONE]"])),
        breaks_after_text("an error event", after(&[&leaky_error(), "[DONE]"])),
        breaks_after_text(
            "an error after the finish",
            after(&[&finish("stop"), &leaky_error()]),
        ),
        breaks_after_text("no JSON", after(&["{oops", &finish("stop"), "[DONE]"])),
        breaks_after_text("no UTF-8", raw_stream(no_utf8)),
        breaks_after_text(
            "calls without calls",
            after(&[&finish("tool_calls"), "[DONE]"]),
        ),
        breaks_after_text("an invalid chunk size", {
            let begin = [
                steps::events_head(),
                steps::event(&some),
                b"oops\r\n".to_vec(),
            ];
            vec![Step::Write(begin.concat()), Step::Close]
        }),
    ]
}

/// Failures after the chunk with the role, which shows that the run has begun.
pub(crate) fn after_the_role() -> Vec<Case> {
    let role = delta(&json!({ "role": "assistant", "content": "" }));
    let scripts = [
        ("a cut", broken_stream(&[&role])),
        ("no finish", stream(&[&role, "[DONE]"])),
        ("no JSON", stream(&[&role, "{oops"])),
        ("an error event", stream(&[&role, &leaky_error(), "[DONE]"])),
    ];
    let expected = Expected::broken_after("");
    let case = |(name, script)| Case {
        name,
        script,
        expected: expected.clone(),
    };
    scripts.map(case).into()
}

/// Upstreams that stop sending, after different beginnings.
pub(crate) fn silent() -> Vec<Case> {
    let begins = |bytes: Vec<u8>| vec![Step::Write(bytes), Step::AwaitClose];
    let some = [steps::events_head(), steps::event(&says("Some text"))].concat();
    let mut comments = vec![Step::Write(some.clone())];
    for _ in 0..100 {
        comments.push(Step::Write(steps::chunk(": still here\n\n")));
        comments.push(Step::Pause(Duration::from_millis(100)));
    }
    let broken = || Expected::Broken("Some text", Refusal::timed_out());
    vec![
        refuses("no head", vec![Step::AwaitClose], Refusal::timed_out()),
        refuses(
            "half a head",
            begins(b"HTTP/1.1 200 OK\r\nCont".to_vec()),
            Refusal::timed_out(),
        ),
        refuses(
            "no event",
            begins(steps::events_head()),
            Refusal::timed_out(),
        ),
        Case {
            name: "no end",
            script: begins(some),
            expected: broken(),
        },
        Case {
            name: "comments without an end",
            script: comments,
            expected: broken(),
        },
    ]
}
