//! Bodies whose end two parsers could read differently. The host refuses most of them;
//! the others are read once.

use super::Stage;
use super::raw::{assert_refused, bearer, body, in_chunks, length, raw, raw_once, statuses};
use crate::harness::TOKEN;

#[test]
fn a_body_with_an_ambiguous_end_is_refused() {
    let stage = Stage::start();
    let body = body();
    let good = bearer(TOKEN);
    let own = length(&body);
    let chunked = b"Transfer-Encoding: chunked".as_slice();
    for lines in [
        &[own.as_bytes(), b"Content-Length: 5"][..],
        &[b"Content-Length: 5", own.as_bytes()],
        &[format!("{own}, {}", body.len()).as_bytes()],
        &[b"Content-Length: +10"],
        &[b"Content-Length: -10"],
        &[b"Content-Length: 0x10"],
        &[b"Content-Length: 1 0"],
        &[b"Content-Length: 99999999999999999999999999"],
        &[b"Transfer-Encoding: xchunked"],
        &[b"Transfer-Encoding: chunked, identity"],
        &[b"Transfer-Encoding: identity", own.as_bytes()],
        &[chunked, b"Transfer-Encoding: identity"],
        &[b"Transfer-Encoding : chunked", own.as_bytes()],
        &[b"Transfer-Encoding:\x0bchunked"],
        &[b"Transfer-Encoding: \"chunked\""],
    ] {
        let lines = [&[good.as_bytes()], lines].concat();
        assert_refused(&stage, &lines, &in_chunks(&body));
    }
    for framed in [
        format!("zz\r\n{body}\r\n0\r\n\r\n"),
        format!("-{:x}\r\n{body}\r\n0\r\n\r\n", body.len()),
        format!("0x{:x}\r\n{body}\r\n0\r\n\r\n", body.len()),
        format!("fffffffffffffffff{:x}\r\n{body}\r\n0\r\n\r\n", body.len()),
        format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len() - 1),
        format!("{:x}\r\n{body}0\r\n\r\n", body.len()),
        format!("{:x}\n{body}\n0\n\n", body.len()),
        format!("{:x} \r\r\n{body}\r\n0\r\n\r\n", body.len()),
    ] {
        assert_refused(&stage, &[good.as_bytes(), chunked], framed.as_bytes());
    }
    stage.assert_unharmed();
}

#[test]
fn a_body_with_two_lengths_is_read_once() {
    let stage = Stage::start();
    let body = body();
    let (good, own) = (bearer(TOKEN), length(&body));
    let chunked = "Transfer-Encoding: chunked";
    for (lines, sent) in [
        ([own.as_str(), own.as_str()], body.clone().into_bytes()),
        ([chunked, "Content-Length: 3"], in_chunks(&body)),
        (["Content-Length: 3", chunked], in_chunks(&body)),
        (["Content-Length: 999999", chunked], in_chunks(&body)),
        (
            ["X-A: b", own.as_str()],
            format!("{body}{body}").into_bytes(),
        ),
    ] {
        let before = stage.runs();
        let lines = [good.as_bytes(), lines[0].as_bytes(), lines[1].as_bytes()];
        let answers = statuses(&stage.server.raw(raw_once(&lines, &sent)));
        assert_eq!(answers, ["200"], "{lines:?}");
        assert_eq!(stage.runs(), before + 1, "{lines:?}");
        assert_eq!(
            stage.upstream.requests()[before].json()["messages"][0]["content"],
            "Hi"
        );
    }
    stage.assert_unharmed();
}

#[test]
fn a_smuggled_request_inherits_no_credential() {
    let stage = Stage::start();
    let body = body();
    let (good, own) = (bearer(TOKEN), length(&body));
    let host = b"Host: tidegate.test".as_slice();
    let behind = raw(
        &[host, b"Connection: close", own.as_bytes()],
        body.as_bytes(),
    );
    // A parser that uses the length reads the second request as the body of the first.
    let hidden = format!("Content-Length: {}", behind.len() + 5);
    let both = [b"0\r\n\r\n".as_slice(), &behind].concat();
    let chunked = b"Transfer-Encoding: chunked".as_slice();
    for lines in [
        [host, good.as_bytes(), hidden.as_bytes(), chunked],
        [host, good.as_bytes(), chunked, hidden.as_bytes()],
    ] {
        let answers = statuses(&stage.server.raw(raw(&lines, &both)));
        // The first request has no messages. The second request, if the host reads it,
        // has no credential.
        let (first, behind) = answers.split_first().unwrap();
        assert_eq!(first, "400");
        assert!(behind.is_empty() || behind == ["401"], "{behind:?}");
    }
    assert_eq!(stage.runs(), 0);
    stage.assert_unharmed();
}
