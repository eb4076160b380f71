//! Random ids.

use spin_sdk::wasip3::random::random::get_random_bytes;
use uuid::Uuid;

/// Returns unpredictable ids. One call of the host provides all their bytes, unless it
/// returns fewer bytes than requested.
#[must_use]
pub(crate) fn random_ids<const N: usize>() -> [Uuid; N] {
    let mut random = Vec::new();
    while let missing = (N * size_of::<Uuid>()).saturating_sub(random.len())
        && missing > 0
    {
        random.extend(get_random_bytes(missing as u64));
    }
    let (ids, _) = random.as_chunks();
    let id = |bytes: &[u8; 16]| uuid::Builder::from_random_bytes(*bytes).into_uuid();
    std::array::from_fn(|nth| ids.get(nth).map(id).unwrap_or_default())
}
