//! The plays that break a run, or never let it begin.

use std::time::Duration;

use serde_json::json;

use super::cases::{Play, breaks, breaks_late, cut, events, greeting, raw, refuses, talkative};
use super::expected::{Refusal, Seen};
use super::harness::{
    Step, broken_stream, delta, finish, raw_stream, refusal, refusal_with, says, steps, stream,
};

/// What goes wrong before anything is shown.
pub(crate) fn before_any_text() -> Vec<Play> {
    [refusals(), strangers(), broken_at_once()]
        .into_iter()
        .flatten()
        .collect()
}

fn refusals() -> Vec<Play> {
    let not_run = || Refusal::new(502, "api_error");
    let busy = || Refusal::new(429, "rate_limit_error");
    let page = "<html>Not found</html>";
    vec![
        breaks("500", refusal(500, &talkative())),
        breaks("502", refusal(502, page)),
        breaks("504", refusal(504, "")),
        refuses("401", refusal(401, &talkative()), not_run()),
        refuses("403", refusal(403, &talkative()), not_run()),
        refuses("404 of a stranger", refusal(404, page), not_run()),
        refuses("429", refusal(429, &talkative()), busy().not_again()),
        refuses(
            "429 with a time",
            refusal_with(429, "Retry-After: 7"),
            busy().after("7"),
        ),
        breaks("503", refusal(503, &talkative())),
        refuses(
            "503 with a time",
            refusal_with(503, "Retry-After: 9"),
            Refusal::new(503, "api_error").after("9"),
        ),
    ]
}

/// Answers of something that does not speak the protocol.
fn strangers() -> Vec<Play> {
    let page = steps::answer(200, "text/html", "<html>It works!</html>");
    let gzip = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip";
    // The first bytes of any such file.
    let zipped = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b\x49\x2c\x49\xb4\x52";
    let elsewhere = "Location: http://127.0.0.1:1/v1/chat/completions";
    vec![
        breaks("301", refusal_with(301, elsewhere)),
        breaks("302", refusal_with(302, elsewhere)),
        breaks("307", refusal_with(307, elsewhere)),
        breaks("201", refusal(201, "{\"choices\":[]}")),
        breaks(
            "204",
            vec![Step::Write(b"HTTP/1.1 204 Nothing\r\n\r\n".to_vec())],
        ),
        breaks("a page", vec![Step::Write(page)]),
        breaks("a document", refusal(200, "{\"choices\":[]}")),
        breaks("no type", raw("HTTP/1.1 200 OK\r\nX: y", greeting())),
        breaks("zipped though nobody asked", raw(gzip, zipped)),
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

fn broken_at_once() -> Vec<Play> {
    vec![
        breaks("a cut instead of an answer", vec![Step::Close]),
        breaks("a cut before the events", broken_stream(&[])),
        breaks("a cut within the first event", cut("data: {\"choi")),
        breaks("nothing at all", stream(&[])),
        breaks("no finish", stream(&["[DONE]"])),
        breaks("an error event", stream(&[&talkative(), "[DONE]"])),
        breaks("no JSON", raw_stream("data: {oops\n\n")),
        breaks("other JSON", stream(&["[1,2]", "[DONE]"])),
        breaks("binary", raw_stream([0, 255, 10, 10, 254])),
        breaks("an event of 9 MiB", stream(&[&says(&"x".repeat(9 << 20))])),
        breaks("a line of 9 MiB", raw_stream(vec![b'x'; 9 << 20])),
    ]
}

/// What goes wrong after `Some text`.
pub(crate) fn after_text() -> Vec<Play> {
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
        breaks_late("a cut", broken_stream(&[&some])),
        breaks_late(
            "a cut within an event",
            cut(text.clone() + "data: {\"choices\":[{\"ind"),
        ),
        breaks_late("a cut within a character", cut(half_a_character.concat())),
        breaks_late(
            "a cut before the event's blank line",
            cut(text + "data: [DONE]\n"),
        ),
        breaks_late(
            "a cut after the finish",
            broken_stream(&[&some, &finish("stop")]),
        ),
        breaks_late("no finish", after(&[])),
        breaks_late("no finish before [DONE]", after(&["[DONE]"])),
        breaks_late("an error event", after(&[&talkative(), "[DONE]"])),
        breaks_late(
            "an error after the finish",
            after(&[&finish("stop"), &talkative()]),
        ),
        breaks_late("no JSON", after(&["{oops", &finish("stop"), "[DONE]"])),
        breaks_late("no UTF-8", raw_stream(no_utf8)),
        breaks_late(
            "calls without calls",
            after(&[&finish("tool_calls"), "[DONE]"]),
        ),
        breaks_late("a size of a chunk that is none", {
            let begin = [
                steps::events_head(),
                steps::event(&some),
                b"oops\r\n".to_vec(),
            ];
            vec![Step::Write(begin.concat()), Step::Close]
        }),
    ]
}

/// Failures after the chunk by which the upstream says that the run has begun.
pub(crate) fn after_the_role() -> Vec<Play> {
    let role = delta(&json!({ "role": "assistant", "content": "" }));
    let scripts = [
        ("a cut", broken_stream(&[&role])),
        ("no finish", stream(&[&role, "[DONE]"])),
        ("no JSON", stream(&[&role, "{oops"])),
        ("an error event", stream(&[&role, &talkative(), "[DONE]"])),
    ];
    let seen = Seen::broken_after("");
    let play = |(name, script)| Play {
        name,
        script,
        seen: seen.clone(),
    };
    scripts.map(play).into()
}

/// Upstreams that say no more, after different beginnings.
pub(crate) fn silent() -> Vec<Play> {
    let begins = |bytes: Vec<u8>| vec![Step::Write(bytes), Step::AwaitClose];
    let some = [steps::events_head(), steps::event(&says("Some text"))].concat();
    let mut comments = vec![Step::Write(some.clone())];
    for _ in 0..100 {
        comments.push(Step::Write(steps::chunk(": still here\n\n")));
        comments.push(Step::Pause(Duration::from_millis(100)));
    }
    let broken = || Seen::Broken("Some text", Refusal::timed_out());
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
        Play {
            name: "no end",
            script: begins(some),
            seen: broken(),
        },
        Play {
            name: "comments without an end",
            script: comments,
            seen: broken(),
        },
    ]
}
