//! Random ids and nonces.

use spin_sdk::wasip3::random::random::get_random_bytes;
use uuid::Uuid;

use crate::run_log::NONCE_LENGTH;

/// Returns unpredictable ids. One call of the host provides all their bytes, unless it
/// returns fewer bytes than requested.
#[must_use]
pub(crate) fn random_ids<const N: usize>() -> [Uuid; N] {
    let random = random_bytes(N * size_of::<Uuid>());
    let (ids, _) = random.as_chunks();
    let id = |bytes: &[u8; 16]| uuid::Builder::from_random_bytes(*bytes).into_uuid();
    std::array::from_fn(|nth| ids.get(nth).map(id).unwrap_or_default())
}

/// Returns unpredictable bytes for one encryption.
#[must_use]
pub(crate) fn nonce() -> [u8; NONCE_LENGTH] {
    let random = random_bytes(NONCE_LENGTH);
    random.first_chunk().copied().unwrap_or_default()
}

fn random_bytes(count: usize) -> Vec<u8> {
    let mut random = Vec::new();
    while let missing = count.saturating_sub(random.len())
        && missing > 0
    {
        random.extend(get_random_bytes(missing as u64));
    }
    random
}
