//! Any bytes as a stream of server-sent events, split anywhere: the events equal those of
//! the whole stream, and no event causes a panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use runtime_openclaw::chunk::Payload;
use runtime_openclaw::sse::Reader;

/// An event's name and data.
type Owned = (Vec<u8>, Vec<u8>);

// The first byte is the number of sizes that follow it. The stream is split into parts of
// these sizes, repeatedly.
fuzz_target!(|input: &[u8]| {
    let (count, rest) = input.split_first().unwrap_or((&0, &[]));
    let (sizes, stream) = rest.split_at(usize::from(*count % 16).min(rest.len()));
    let whole = read([stream]);
    assert_eq!(read(pieces(stream, sizes)), whole);
    assert_eq!(read(stream.chunks(1)), whole);
});

/// Splits a stream into parts of these sizes. A size of zero is an empty part.
fn pieces<'s>(mut stream: &'s [u8], sizes: &[u8]) -> Vec<&'s [u8]> {
    let mut pieces = Vec::new();
    for size in sizes.iter().cycle().take(4096) {
        let (piece, rest) = stream.split_at(usize::from(*size).min(stream.len()));
        pieces.push(piece);
        stream = rest;
        if stream.is_empty() {
            break;
        }
    }
    pieces.push(stream);
    pieces
}

fn read<'s>(pieces: impl IntoIterator<Item = &'s [u8]>) -> Vec<Owned> {
    let mut reader = Reader::default();
    let mut events = Vec::new();
    for mut piece in pieces {
        while let Some(event) = reader.next_event(&mut piece).expect("no event is so large") {
            assert!(!event.name.iter().any(|byte| b"\r\n".contains(byte)), "{event:?}");
            assert!(!event.data.contains(&b'\r'), "{event:?}");
            // Whether it is a chunk does not matter here.
            drop(Payload::parse(&event));
            events.push((event.name.to_vec(), event.data.to_vec()));
        }
        assert!(piece.is_empty(), "{piece:?} is left");
    }
    events
}
