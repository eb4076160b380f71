//! Cases that are unusual and valid: the run succeeds.

use super::cases::{Case, GREETING, answers, cut, events, greeting, raw};
use super::harness::{Step, finish, raw_stream, says, steps, stream};

/// Returns a case whose reply is the greeting.
fn greets(name: &'static str, script: Vec<Step>) -> Case {
    answers(name, script, GREETING)
}

/// A response of events in which every byte is a packet and a chunk.
fn byte_by_byte(body: &str) -> Vec<Step> {
    let mut script = vec![Step::Write(steps::events_head())];
    script.extend(body.bytes().map(|byte| Step::Write(steps::chunk([byte]))));
    script.push(Step::Write(steps::LAST_CHUNK.into()));
    script
}

/// Every valid framing of lines, events and bodies.
pub(crate) fn framings() -> Vec<Case> {
    let hello = greeting();
    let crlf = hello.replace('\n', "\r\n");
    let unfinished = [says(GREETING), finish("stop")];
    let [text, finish] = unfinished.each_ref().map(String::as_str);
    let early = b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n";
    let begin = [early, &*steps::events_head(), &steps::chunk(&hello)].concat();
    let end = steps::LAST_CHUNK.into();
    let until_close = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream";
    let typed = "HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream;charset=utf-8";
    vec![
        greets("LF", raw_stream(&hello)),
        greets("CRLF", raw_stream(&crlf)),
        greets("CR", raw_stream(hello.replace('\n', "\r"))),
        greets("byte by byte", byte_by_byte(&crlf)),
        greets("no [DONE]", stream(&[text, finish])),
        greets("more after [DONE]", raw_stream(hello.clone() + "{oops\n\n")),
        greets("a cut after [DONE]", cut(&hello)),
        greets("a body until the close", raw(until_close, &hello)),
        greets("another case of the content type", raw(typed, &hello)),
        greets(
            "an interim response",
            vec![Step::Write(begin), Step::Write(end)],
        ),
    ]
}

/// Unusual and large contents of server-sent events.
pub(crate) fn contents() -> Vec<Case> {
    let hello = greeting();
    let finish = finish("stop");
    let lines = says(GREETING).replace(",\"", ",\ndata: \"");
    let several = format!("event: message\ndata: {lines}\n\n{}", events(&[&finish]));
    let mebibyte = "x".repeat(1 << 20);
    let letters = "x".repeat(100_000);
    let letter_by_letter = events(&[&says("x")]).repeat(letters.len()) + &events(&[&finish]);
    let million = "data: {}\n\n".repeat(1_000_000) + &hello;
    let comments = format!(": hi\n\n:\n{hello}: bye\n\n");
    vec![
        greets("a byte order mark", raw_stream(format!("\u{FEFF}{hello}"))),
        greets("comments", raw_stream(comments)),
        greets("ids", raw_stream(format!("id: 1\nretry: 9\n{hello}"))),
        greets("no space", raw_stream(hello.replace("data: ", "data:"))),
        greets("events of several lines", raw_stream(several)),
        greets("a million events", raw_stream(million)),
        answers(
            "an event of 1 MiB",
            stream(&[&says(&mebibyte), &finish]),
            &mebibyte,
        ),
        answers("letter by letter", raw_stream(letter_by_letter), &letters),
    ]
}
