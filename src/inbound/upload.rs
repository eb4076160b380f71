//! The body of a request while it arrives: its size, its memory, its pace.

use std::mem;
use std::time::Duration;

use crate::rejection::{BodyFault, Rejection};

use super::budget::Holding;
use super::coding::Coding;
use super::decoder::Decoder;
use super::headers::Headers;
use super::pace::Pace;

/// The minimum size of a read, in bytes.
const READ_SIZE: usize = 16 * 1024;

/// How many steps of decoding are free. A further one must advance by [`STEP_SIZE`].
const STEPS: usize = 1000;

/// What a step of decoding takes from the body or adds to it on average, in bytes. Many
/// members of gzip without data would cost much more processor time than they have bytes.
const STEP_SIZE: usize = 4 * 1024;

/// What a decoder adds to the size of a body, in bytes. Times the factor of the budget, it
/// is the decoder's memory.
const DECODER_SIZE: usize = 32 * 1024;

/// A body that arrives.
#[derive(Debug)]
pub struct Upload {
    /// The maximum size of the decoded body, in bytes.
    limit: usize,
    /// The value of `Content-Length`.
    declared: Option<usize>,
    /// The number of bytes that have arrived.
    arrived: usize,
    /// Whether no more bytes can arrive.
    has_ended: bool,
    /// How often a decoder has been called again for the rest of what arrived.
    steps: usize,
    /// The bytes that have arrived, or the buffer of a compressed body.
    buffer: Vec<u8>,
    decoder: Option<Decoder>,
    holding: Holding,
    pace: Pace,
}

impl Upload {
    /// Begins with the headers of the request.
    ///
    /// # Errors
    /// A declared length over the limit, and an unknown content coding.
    pub fn begin(headers: &Headers, limit: usize, holding: Holding) -> Result<Self, Rejection> {
        let decoder = match Coding::read(headers)? {
            Coding::Identity => None,
            Coding::Gzip => Some(Decoder::gzip()),
            Coding::Deflate => Some(Decoder::deflate()),
        };
        let declared = headers.text("content-length");
        let declared = declared.and_then(|length| length.parse::<usize>().ok());
        if declared.is_some_and(|length| length > limit) {
            return Err(Rejection::Body(BodyFault::TooLarge(limit)));
        }
        Ok(Self {
            limit,
            declared,
            arrived: 0,
            has_ended: false,
            steps: 0,
            buffer: Vec::new(),
            decoder,
            holding,
            pace: Pace::default(),
        })
    }

    /// Returns the buffer for the next read, which appends to it. It grows with what has
    /// arrived, and never by what a client only declares.
    pub fn buffer(&mut self) -> Vec<u8> {
        let mut buffer = mem::take(&mut self.buffer);
        let room = match &self.decoder {
            None => self.room(buffer.len(), buffer.capacity()),
            Some(_) => READ_SIZE,
        };
        buffer.reserve_exact(room);
        buffer
    }

    fn room(&self, length: usize, capacity: usize) -> usize {
        if length < capacity {
            return 0;
        }
        let grown = (length / 2).max(READ_SIZE);
        match self.declared.and_then(|all| all.checked_sub(length)) {
            // One byte more, so that the last read needs no larger buffer. A larger buffer
            // is a copy, so the last one begins early, within the factor of the budget.
            Some(rest) if rest <= grown.max(3 * length) => rest + 1,
            Some(_) | None => grown,
        }
    }

    /// Takes the buffer back after a read. `is_last` says that no more bytes can arrive.
    ///
    /// # Errors
    /// A body over the limit, an invalid encoding, and a budget that is used up.
    pub fn take(&mut self, mut buffer: Vec<u8>, is_last: bool) -> Result<(), Rejection> {
        self.has_ended = is_last;
        let Some(decoder) = &mut self.decoder else {
            self.arrived = buffer.len();
            self.buffer = buffer;
            check_size(self.arrived, self.limit)?;
            return self.holding.grow_to(self.arrived);
        };
        self.arrived += buffer.len();
        check_encoded_size(self.arrived, self.limit)?;
        let mut rest = buffer.as_slice();
        while !rest.is_empty() {
            let length = decoder.decode(rest)?;
            rest = rest.get(length..).unwrap_or_default();
            let size = decoder.size();
            check_size(size, self.limit)?;
            self.holding.grow_to(self.limit.min(size + DECODER_SIZE))?;
            self.steps += usize::from(!rest.is_empty());
            if self.steps > STEPS + (self.arrived + size) / STEP_SIZE {
                return Err(Rejection::Body(BodyFault::BadCoding));
            }
        }
        buffer.clear();
        self.buffer = buffer;
        Ok(())
    }

    /// Returns whether all declared bytes have arrived. A host may forward a
    /// `Content-Length` that `Transfer-Encoding` overrides (RFC 9112, section 6.3), so only
    /// the end of the stream ends a body.
    #[must_use]
    pub fn has_declared_size(&self) -> bool {
        self.declared == Some(self.arrived)
    }

    /// Returns how many more bytes a body within the limit can have. After the end, these are
    /// none.
    #[must_use]
    pub fn rest(&self) -> usize {
        match self.has_ended {
            true => 0,
            false => self.limit.saturating_sub(self.arrived),
        }
    }

    /// Returns the time until the pace must be checked, from the age of the body.
    #[must_use]
    pub fn time_left(&self, age: Duration) -> Duration {
        self.pace.rest(age, self.arrived)
    }

    /// Checks the pace when that time has passed.
    ///
    /// # Errors
    /// A body that arrives too slowly.
    pub fn check_pace(&mut self, age: Duration) -> Result<(), Rejection> {
        match self.pace.check(age, self.arrived) {
            true => Ok(()),
            false => Err(Rejection::Body(BodyFault::Timeout)),
        }
    }

    /// Returns the body, decoded, with its share of the budget.
    ///
    /// # Errors
    /// An incomplete encoding.
    pub fn finish(self) -> Result<(Vec<u8>, Holding), Rejection> {
        let mut holding = self.holding;
        let body = match self.decoder {
            None => self.buffer,
            Some(decoder) => decoder.finish()?,
        };
        check_size(body.len(), self.limit)?;
        holding.grow_to(body.len())?;
        Ok((body, holding))
    }
}

/// Checks the size of a compressed body. Compression makes no body much larger, so a sixteenth
/// and a kibibyte are enough for every body within the limit.
fn check_encoded_size(size: usize, limit: usize) -> Result<(), Rejection> {
    match size > limit + limit / 16 + 1024 {
        true => Err(Rejection::Body(BodyFault::TooLarge(limit))),
        false => Ok(()),
    }
}

fn check_size(size: usize, limit: usize) -> Result<(), Rejection> {
    match size > limit {
        true => Err(Rejection::Body(BodyFault::TooLarge(limit))),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::inbound::Budget;

    const LIMIT: usize = 1024 * 1024;

    fn begin(headers: &[(&str, &str)]) -> Result<Upload, Rejection> {
        let fields = headers.iter();
        let fields = fields.map(|(name, value)| ((*name).to_owned(), value.as_bytes().into()));
        let headers = Headers::new(fields.collect());
        Upload::begin(&headers, LIMIT, Budget::new(LIMIT).begin("a"))
    }

    /// Reads a body in pieces.
    fn read(headers: &[(&str, &str)], body: &[u8], piece: usize) -> Result<Vec<u8>, Rejection> {
        let mut upload = begin(headers)?;
        for piece in body.chunks(piece) {
            let mut buffer = upload.buffer();
            assert!(buffer.capacity() > buffer.len());
            buffer.extend_from_slice(piece);
            upload.take(buffer, false)?;
        }
        upload.finish().map(|(body, _)| body)
    }

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    const GZIP: (&str, &str) = ("content-encoding", "gzip");

    #[test]
    fn a_body_is_read_whole_with_or_without_compression() {
        let body = b"{\"messages\":[]} ".repeat(10_000);
        assert_eq!(read(&[], &body, 1000), Ok(body.clone()));
        assert_eq!(read(&[GZIP], &gzip(&body), 1000), Ok(body));
    }

    #[test]
    fn the_limit_counts_decoded_bytes() {
        let most = vec![b' '; LIMIT];
        let more = vec![b' '; LIMIT + 1];
        let too_large = Err(Rejection::Body(BodyFault::TooLarge(LIMIT)));
        assert_eq!(read(&[], &most, LIMIT).map(|body| body.len()), Ok(LIMIT));
        assert_eq!(read(&[], &more, LIMIT), too_large);
        assert_eq!(
            read(&[GZIP], &gzip(&most), LIMIT).map(|body| body.len()),
            Ok(LIMIT)
        );
        assert_eq!(read(&[GZIP], &gzip(&more), LIMIT), too_large);
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_decoded() {
        let bomb = gzip(&vec![0; 64 * LIMIT]);
        let mut upload = begin(&[GZIP]).unwrap();
        let refused = upload.take(bomb, false);
        assert_eq!(refused, Err(Rejection::Body(BodyFault::TooLarge(LIMIT))));
        let size = upload.decoder.as_ref().map(Decoder::size);
        assert!(
            size.is_some_and(|size| size < LIMIT + LIMIT / 8),
            "{size:?}"
        );
    }

    #[test]
    fn a_body_of_which_nothing_remains_is_refused_by_its_encoded_size() {
        let member = gzip(b"");
        let endless = member.repeat(2 * LIMIT / member.len());
        assert!(matches!(
            read(&[GZIP], &endless, READ_SIZE),
            Err(Rejection::Body(BodyFault::BadCoding))
        ));
        let blocks = b"\0\0\0\xff\xff".repeat(2 * LIMIT / 5);
        let deflate = ("content-encoding", "deflate");
        let refused = read(&[deflate], &blocks, READ_SIZE);
        assert_eq!(refused, Err(Rejection::Body(BodyFault::TooLarge(LIMIT))));
    }

    #[test]
    fn members_of_gzip_must_have_a_size_on_average() {
        let small = gzip(b"x").repeat(STEPS / 5);
        assert!(read(&[GZIP], &small, READ_SIZE).is_ok());
        let many = gzip(b"x").repeat(2 * STEPS);
        let refused = read(&[GZIP], &many, READ_SIZE);
        assert_eq!(refused, Err(Rejection::Body(BodyFault::BadCoding)));
        let large = gzip(&vec![b'x'; LIMIT / 100]).repeat(100);
        assert!(read(&[GZIP], &large, READ_SIZE).is_ok());
    }

    #[test]
    fn nothing_remains_of_a_body_that_has_ended() {
        let mut upload = begin(&[]).unwrap();
        upload.take(b"{}".to_vec(), false).unwrap();
        assert_eq!(upload.rest(), LIMIT - 2);
        upload.take(b"{}".to_vec(), true).unwrap();
        assert_eq!(upload.rest(), 0);
    }

    #[test]
    fn a_declared_length_reserves_nothing() {
        let declared = (LIMIT - 1).to_string();
        let mut upload = begin(&[("content-length", &declared)]).unwrap();
        assert!(upload.buffer().capacity() <= READ_SIZE);
        assert!(!upload.has_declared_size());
        let more = (LIMIT + 1).to_string();
        assert_eq!(
            begin(&[("content-length", &more)]).err(),
            Some(Rejection::Body(BodyFault::TooLarge(LIMIT)))
        );
    }
}
