//! The decoder of a compressed body, which decodes while the body arrives.
//!
//! Sources: RFC 1950 (zlib), RFC 1951 (deflate), RFC 1952 (gzip).

use std::io::Write as _;

use flate2::write::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};

use crate::rejection::{BodyFault, Rejection};

/// The maximum number of bytes that one call decodes.
const PIECE_SIZE: usize = 32 * 1024;

/// The decoder of a body. It collects what it has decoded.
#[derive(Debug)]
pub(super) enum Decoder {
    Gzip(MultiGzDecoder<Vec<u8>>),
    Deflate(Deflate),
}

/// Deflate data, with or without the header of zlib.
#[derive(Debug, Default)]
pub(super) struct Deflate {
    /// Exists from the first byte on.
    state: Option<Decompress>,
    has_ended: bool,
    piece: Vec<u8>,
    decoded: Vec<u8>,
}

impl Decoder {
    /// Returns the decoder of gzip, also of several members.
    pub(super) fn gzip() -> Self {
        Self::Gzip(MultiGzDecoder::new(Vec::new()))
    }

    /// Returns the decoder of deflate.
    pub(super) fn deflate() -> Self {
        Self::Deflate(Deflate::default())
    }

    /// Decodes the beginning of `input`, and returns its length. The decoded body grows by
    /// at most 32 KiB, so that the caller can check its size.
    ///
    /// # Errors
    /// Invalid data.
    pub(super) fn decode(&mut self, input: &[u8]) -> Result<usize, Rejection> {
        let before = self.size();
        let length = match self {
            Self::Gzip(gzip) => gzip.write(input).map_err(|_| invalid())?,
            Self::Deflate(deflate) => deflate.decode(input, FlushDecompress::None)?,
        };
        if length == 0 && self.size() == before {
            return Err(invalid());
        }
        Ok(length)
    }

    /// Returns the size of the decoded body so far, in bytes.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Gzip(gzip) => gzip.get_ref().len(),
            Self::Deflate(deflate) => deflate.decoded.len(),
        }
    }

    /// Returns the decoded body.
    ///
    /// # Errors
    /// Incomplete data.
    pub(super) fn finish(self) -> Result<Vec<u8>, Rejection> {
        match self {
            Self::Gzip(gzip) => gzip.finish().map_err(|_| invalid()),
            Self::Deflate(deflate) => deflate.finish(),
        }
    }
}

impl Deflate {
    fn decode(&mut self, input: &[u8], flush: FlushDecompress) -> Result<usize, Rejection> {
        if self.has_ended {
            return Ok(0);
        }
        // The header of zlib begins with the method 8. Deflate data that begins so has a
        // block without compression and with wrong padding.
        let has_header = || input.first().is_some_and(|first| first & 0x0f == 8);
        let state = self
            .state
            .get_or_insert_with(|| Decompress::new(has_header()));
        let before = state.total_in();
        self.piece.reserve_exact(PIECE_SIZE);
        let status = state.decompress_vec(input, &mut self.piece, flush);
        self.has_ended = status.map_err(|_| invalid())? == Status::StreamEnd;
        self.decoded.append(&mut self.piece);
        usize::try_from(state.total_in() - before).map_err(|_| invalid())
    }

    fn finish(mut self) -> Result<Vec<u8>, Rejection> {
        while !self.has_ended {
            let before = self.decoded.len();
            self.decode(&[], FlushDecompress::Finish)?;
            if !self.has_ended && self.decoded.len() == before {
                return Err(invalid());
            }
        }
        Ok(self.decoded)
    }
}

fn invalid() -> Rejection {
    Rejection::Body(BodyFault::BadCoding)
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn encoded(text: &[u8]) -> [(Decoder, Vec<u8>); 3] {
        let level = Compression::default();
        let mut gzip = GzEncoder::new(Vec::new(), level);
        let mut zlib = ZlibEncoder::new(Vec::new(), level);
        let mut bare = DeflateEncoder::new(Vec::new(), level);
        gzip.write_all(text).unwrap();
        zlib.write_all(text).unwrap();
        bare.write_all(text).unwrap();
        [
            (Decoder::gzip(), gzip.finish().unwrap()),
            (Decoder::deflate(), zlib.finish().unwrap()),
            (Decoder::deflate(), bare.finish().unwrap()),
        ]
    }

    fn decode(mut decoder: Decoder, data: &[u8], piece: usize) -> Result<Vec<u8>, Rejection> {
        for mut piece in data.chunks(piece) {
            while !piece.is_empty() {
                let before = decoder.size();
                piece = &piece[decoder.decode(piece)?..];
                assert!(decoder.size() - before <= PIECE_SIZE);
            }
        }
        decoder.finish()
    }

    #[test]
    fn a_body_in_any_pieces_is_decoded() {
        let long = "one two ".repeat(50_000);
        for text in ["", "x", "{\"messages\":[]}", &long] {
            for piece in [1, 7, 1_000_000] {
                for (decoder, data) in encoded(text.as_bytes()) {
                    let decoded = decode(decoder, &data, piece);
                    assert_eq!(decoded.as_deref(), Ok(text.as_bytes()), "{piece}");
                }
            }
        }
    }

    #[test]
    fn members_of_gzip_follow_one_another() {
        let [(_, first), ..] = encoded(b"one ");
        let [(decoder, second), ..] = encoded(b"two");
        let both = [first, second].concat();
        assert_eq!(decode(decoder, &both, 5), Ok(b"one two".to_vec()));
    }

    #[test]
    fn an_incomplete_body_is_refused() {
        for length in 0..3 {
            let whole = encoded(b"some text")[length].1.clone();
            for end in 0..whole.len() {
                let (decoder, data) = encoded(b"some text").into_iter().nth(length).unwrap();
                let decoded = decode(decoder, &data[..end], 3);
                assert!(decoded.is_err(), "{end} of {}", whole.len());
            }
        }
    }

    #[test]
    fn bytes_after_the_end_are_refused() {
        for (decoder, mut data) in encoded(b"some text") {
            data.push(b'x');
            assert!(decode(decoder, &data, 1000).is_err());
        }
    }

    #[test]
    fn a_changed_body_is_refused() {
        for format in 0..2 {
            let whole = encoded(b"some text, and more")[format].1.clone();
            for at in whole.len() - 4..whole.len() {
                let (decoder, mut data) = encoded(b"some text, and more")
                    .into_iter()
                    .nth(format)
                    .unwrap();
                data[at] ^= 1;
                assert!(decode(decoder, &data, 1000).is_err(), "{at}");
            }
        }
    }

    #[test]
    fn other_data_is_refused() {
        for data in [b"{\"messages\":[]}".as_slice(), &[0xff; 100]] {
            assert!(decode(Decoder::gzip(), data, 1000).is_err());
            assert!(decode(Decoder::deflate(), data, 1000).is_err());
        }
    }
}
