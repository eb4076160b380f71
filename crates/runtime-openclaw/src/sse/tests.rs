//! The standard's examples, every way to cut them, and a plain second reader
//! written after the standard's steps to compare with.

use proptest::prelude::*;

use super::*;

type Owned = (String, String);

/// Reads the pieces one after the other.
fn read<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> Vec<Owned> {
    let mut reader = Reader::default();
    let mut events = Vec::new();
    for mut piece in pieces {
        while let Some(event) = reader.next_event(&mut piece).unwrap() {
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            events.push((text(event.name), text(event.data)));
        }
    }
    events
}

/// Reads a stream whole, byte by byte, and cut in two at every byte; all must
/// agree.
fn read_every_way(stream: &[u8]) -> Vec<Owned> {
    let whole = read([stream]);
    assert_eq!(read(stream.chunks(1)), whole, "byte by byte: {stream:?}");
    for cut in 0..=stream.len() {
        let (before, after) = stream.split_at(cut);
        assert_eq!(read([before, after]), whole, "cut at {cut}: {stream:?}");
    }
    whole
}

fn data(stream: &[u8]) -> Vec<String> {
    let events = read_every_way(stream);
    events.into_iter().map(|(_, data)| data).collect()
}

/// The steps of section 9.2.6 on the whole text, as literally as possible.
fn reference(stream: &[u8]) -> Vec<Owned> {
    let text = String::from_utf8_lossy(stream).into_owned();
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = text.split('\n').collect();
    lines.pop();
    let (mut events, mut name, mut data) = (Vec::new(), String::new(), String::new());
    for line in lines {
        if line.is_empty() {
            if !data.is_empty() {
                data.pop();
                events.push((name.clone(), data.clone()));
            }
            (name, data) = (String::new(), String::new());
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut name),
            "data" => data = format!("{data}{value}\n"),
            _ => {}
        }
    }
    events
}

#[test]
fn the_standard_s_example_of_a_multi_line_message() {
    let stream = b"data: YHOO\ndata: +2\ndata: 10\n\n";
    assert_eq!(data(stream), ["YHOO\n+2\n10"]);
}

#[test]
fn the_standard_s_example_of_comments_and_ids() {
    let stream =
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n";
    assert_eq!(
        data(stream),
        ["first event", "second event", " third event"]
    );
}

#[test]
fn the_standard_s_example_of_blank_data() {
    // The last block has no blank line after it and is discarded.
    assert_eq!(data(b"data\n\ndata\ndata\n\ndata:"), ["", "\n"]);
}

#[test]
fn the_standard_s_example_of_a_space_after_the_colon() {
    assert_eq!(data(b"data:test\n\ndata: test\n\n"), ["test", "test"]);
}

#[test]
fn the_standard_s_example_of_event_types() {
    let stream = b"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\ndata: 1\n\n";
    let expected = [("add", "73857293"), ("remove", "2153"), ("", "1")];
    let expected = expected.map(|(name, data)| (name.to_owned(), data.to_owned()));
    assert_eq!(read_every_way(stream), expected);
}

#[test]
fn each_of_the_three_line_endings_ends_a_line() {
    let cases: [&[u8]; 6] = [
        b"data: a\n\ndata: b\n\n",
        b"data: a\r\rdata: b\r\r",
        b"data: a\r\n\r\ndata: b\r\n\r\n",
        b"data: a\r\n\rdata: b\n\r\n",
        b"data: a\r\n\ndata: b\r\r\n",
        b"data: a\n\rdata: b\n\r",
    ];
    for stream in cases {
        assert_eq!(data(stream), ["a", "b"], "{stream:?}");
    }
}

#[test]
fn a_byte_order_mark_counts_only_at_the_very_beginning() {
    assert_eq!(data(b"\xEF\xBB\xBFdata: a\n\n"), ["a"]);
    assert_eq!(data(b"\n\xEF\xBB\xBFdata: a\n\n"), [""; 0]);
    assert_eq!(data(b"\xEF\xBB\xBF\xEF\xBB\xBFdata: a\n\n"), [""; 0]);
}

#[test]
fn characters_survive_any_cut_and_so_do_broken_ones() {
    assert_eq!(
        data("data: Grüße 日本 👩‍👧\n\n".as_bytes()),
        ["Grüße 日本 👩‍👧"]
    );
    assert_eq!(data(b"data: a\xFFb\xE2\x82\n\n"), ["a\u{FFFD}b\u{FFFD}"]);
}

#[test]
fn an_event_without_its_blank_line_is_never_seen() {
    for stream in ["data: a", "data: a\n", "data: a\r", "data: a\r\n"] {
        assert_eq!(data(stream.as_bytes()), [""; 0], "{stream:?}");
    }
}

#[test]
fn fields_that_do_not_matter_are_ignored() {
    let stream =
        b"id: 7\nretry: 10\nfoo: bar\ndatax: no\n data: no\nDATA: no\n:data: no\ndata: yes\n\n";
    assert_eq!(data(stream), ["yes"]);
}

#[test]
fn a_name_without_data_does_not_stick_to_the_next_event() {
    let events = read_every_way(b"event: ping\n\ndata: a\n\n");
    assert_eq!(events, [(String::new(), "a".to_owned())]);
}

/// What streams are made of, where it matters and where it does not.
const PIECES: &[&[u8]] = &[
    b"data",
    b"event",
    b":",
    b" ",
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
    b"x",
    b"id",
    b"data: ",
    b"\xEF\xBB\xBF",
    b"\xE2\x82",
    b"\xAC",
    b"\xFF",
    b"\0",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_reader_agrees_with_the_standard_s_steps_on_anything(
        pieces in prop::collection::vec(
            prop_oneof![
                4 => prop::sample::select(PIECES).prop_map(<[u8]>::to_vec),
                1 => any::<Vec<u8>>(),
            ],
            0..24,
        ),
        cuts in prop::collection::vec(1_usize..9, 1..6),
    ) {
        let stream = pieces.concat();
        let expected = reference(&stream);
        prop_assert_eq!(&read([&*stream]), &expected);
        prop_assert_eq!(&read(stream.chunks(1)), &expected, "byte by byte");
        prop_assert_eq!(&read(split(&stream, &cuts)), &expected, "cut every {:?}", cuts);
    }
}

/// Cuts a stream into pieces of these sizes, which come round again and again.
fn split<'s>(mut stream: &'s [u8], sizes: &[usize]) -> Vec<&'s [u8]> {
    let mut pieces = Vec::new();
    for size in sizes.iter().cycle() {
        if stream.is_empty() {
            break;
        }
        let (piece, rest) = stream.split_at((*size).min(stream.len()));
        pieces.push(piece);
        stream = rest;
    }
    pieces
}

#[test]
fn an_event_may_be_as_large_as_the_limit_and_no_larger() {
    let event = |size: usize| [b"data:", vec![b'x'; size].as_slice(), b"\n\n"].concat();
    let overhead = "data:\n".len();
    assert_eq!(read([&*event(EVENT_LIMIT - overhead)]).len(), 1);
    for size in [EVENT_LIMIT, EVENT_LIMIT * 2] {
        let stream = event(size);
        let mut bytes = &*stream;
        assert_eq!(Reader::default().next_event(&mut bytes), Err(TooLarge));
    }
}

#[test]
fn lines_and_comments_without_an_end_are_limited_too() {
    for line in ["data: 12345678\n", ": comment ", "event: name"] {
        let mut reader = Reader::default();
        let block = line.repeat(100_000);
        let read = (0..200).try_for_each(|_| {
            let mut bytes = block.as_bytes();
            reader
                .next_event(&mut bytes)
                .map(|event| assert!(event.is_none()))
        });
        assert_eq!(read, Err(TooLarge), "{line:?}");
    }
}

#[test]
fn reading_byte_by_byte_takes_time_in_proportion_to_the_size() {
    // Two megabytes of one event in single bytes: minutes, if it were quadratic.
    let stream = [b"data: ", vec![b'x'; 2 << 20].as_slice(), b"\n\n"].concat();
    assert_eq!(read(stream.chunks(1)).len(), 1);
}
