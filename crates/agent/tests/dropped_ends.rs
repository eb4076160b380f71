//! How wit-bindgen reports that the peer of a stream was dropped. All components depend on
//! it: using an end after that report traps, by the canonical ABI
//! (`trap_if(e.state != CopyState.IDLE)` in `stream_copy`):
//! <https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#-canon-streamreadwrite>.

#![expect(unsafe_code, reason = "a stream's functions take raw pointers")]

use std::alloc::Layout;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt as _;
use spin_sdk::wit_bindgen::rt::async_support::{StreamVtable, StreamWriter};
use spin_sdk::wit_bindgen::{StreamReader, StreamResult};

const DROPPED: u32 = 1;

static READS: AtomicUsize = AtomicUsize::new(0);
static WRITES: AtomicUsize = AtomicUsize::new(0);

/// A stream that transfers two bytes and is dropped at the same time.
static STREAM: StreamVtable<u8> = StreamVtable {
    layout: Layout::new::<u8>(),
    lower: None,
    lift: None,
    dealloc_lists: None,
    new: never_new,
    start_read,
    start_write,
    cancel_read: never_cancel,
    cancel_write: never_cancel,
    drop_readable: dropped,
    drop_writable: dropped,
};

extern "C" fn start_read(_stream: u32, bytes: *mut u8, _length: usize) -> u32 {
    READS.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the test reads into a buffer of more than two bytes.
    unsafe { bytes.copy_from(b"ab".as_ptr(), 2) };
    DROPPED | 2 << 4
}

extern "C" fn start_write(_stream: u32, _bytes: *const u8, _length: usize) -> u32 {
    WRITES.fetch_add(1, Ordering::Relaxed);
    DROPPED | 2 << 4
}

extern "C" fn never_new() -> u64 {
    0
}

extern "C" fn never_cancel(_stream: u32) -> u32 {
    0
}

extern "C" fn dropped(_stream: u32) {}

#[test]
fn a_read_that_ends_the_stream_keeps_its_bytes() {
    let mut reader = StreamReader::new(1, &STREAM);
    let read = reader.read(Vec::with_capacity(8)).now_or_never();
    assert_eq!(read, Some((StreamResult::Complete(2), b"ab".to_vec())));
    let read = reader.read(Vec::with_capacity(8)).now_or_never();
    assert_eq!(read, Some((StreamResult::Dropped, Vec::new())));
    assert_eq!(
        READS.load(Ordering::Relaxed),
        1,
        "the host must not be called again"
    );
}

#[test]
fn a_write_that_ends_the_stream_returns_the_unsent_bytes() {
    // SAFETY: only this test uses the stream.
    let mut writer = unsafe { StreamWriter::new(1, &STREAM) };
    let left = writer.write_all(b"abc".to_vec()).now_or_never();
    assert_eq!(left, Some(b"c".to_vec()));
    assert_eq!(
        WRITES.load(Ordering::Relaxed),
        1,
        "the host must not be called again"
    );
}
