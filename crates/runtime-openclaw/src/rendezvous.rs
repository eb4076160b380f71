//! Weighted rendezvous hashing: the backend of a session.
//!
//! Each backend is scored by hashing its URL with the session key, and the highest score
//! wins. The order of the backends does not matter. A new backend takes an equal share from
//! all others, and the sessions of a removed backend move to the others; no other session
//! moves.
//!
//! Sources: Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit
//! Rates", IEEE/ACM Transactions on Networking 6(1), 1998; for the weights the
//! logarithmic method of Schindelhauer and Schomaker, "Weighted Distributed Hash
//! Tables", SPAA 2005.

use std::f64::consts::LN_2;

/// The maximum weight of a backend.
pub const MAX_WEIGHT: u16 = 1000;

/// The number of terms of the series of a logarithm.
const TERMS: u32 = 10;

/// A 64-bit digest of a name.
///
/// It is the same on every machine and in every version; otherwise sessions would move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest(u64);

impl Digest {
    /// Returns the digest of a name: 64-bit FNV-1a, mixed.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let fnv = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(mix(fnv))
    }

    /// Returns the 64 bits.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }
}

/// The score of a backend for a session. Backends with different digests never have equal
/// scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Score {
    /// The bits of a positive floating-point number, which have the order of the numbers.
    bits: u64,
    backend: u64,
}

impl Score {
    /// Computes the score of a backend. Twice the weight means twice as many sessions.
    #[must_use]
    pub fn of(session: Digest, backend: Digest, weight: u16) -> Self {
        let score = f64::from(weight) / negative_ln(mix(session.0 ^ backend.0));
        Self {
            bits: score.to_bits(),
            backend: backend.0,
        }
    }
}

/// Returns the negative natural logarithm of a uniformly distributed number between 0 and 1,
/// given as 64 random bits. It is positive and finite.
///
/// The result has the same bits on every machine, which a library's logarithm does not
/// guarantee. A library's logarithm also takes 5 KB.
fn negative_ln(random: u64) -> f64 {
    // Avoid 0. The number is 2^-halvings times a fraction from 1/2 to 1.
    let bits = random | 1;
    let halvings = bits.leading_zeros();
    let fraction = ((bits << halvings) >> 11) as f64 / (1_u64 << 53) as f64;
    // -ln(f) is 2 artanh((1 - f) / (1 + f)). The argument is at most 1/3, so ten terms of
    // the series are accurate to 1e-10.
    let argument = (1.0 - fraction) / (1.0 + fraction);
    let square = argument * argument;
    let series = (0..TERMS).rev();
    let series = series.fold(0.0, |sum, n| sum * square + 1.0 / f64::from(2 * n + 1));
    f64::from(halvings) * LN_2 + 2.0 * argument * series
}

/// Mixes the bits of a number, one to one.
///
/// Source: the finalizer of SplitMix64, Steele, Lea and Flood, "Fast Splittable
/// Pseudorandom Number Generators", OOPSLA 2014 (variant 13 of David Stafford's).
fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backends(count: usize) -> Vec<Digest> {
        let url = |n| format!("http://10.0.{}.{}:18789", n / 256, n % 256);
        (0..count).map(|n| Digest::of(&url(n))).collect()
    }

    fn sessions(count: usize) -> impl Iterator<Item = Digest> {
        (0..count).map(|n| Digest::of(&format!("agent:main:openai-user:{n:064x}")))
    }

    /// Returns the index of the backend of a session.
    fn winner(session: Digest, backends: &[Digest], weight: impl Fn(usize) -> u16) -> usize {
        let score = |n: &usize| Score::of(session, backends[*n], weight(*n));
        (0..backends.len()).max_by_key(score).unwrap()
    }

    #[test]
    fn the_logarithm_is_accurate() {
        let draws = (0..100_000)
            .map(mix)
            .chain([0, 1, u64::MAX, 1 << 63, u64::MAX >> 1]);
        for draw in draws {
            let exact = -(((draw | 1) as f64) / 2.0_f64.powi(64)).ln();
            let drawn = negative_ln(draw);
            assert!(drawn > 0.0 && drawn.is_finite(), "{draw}");
            assert!(
                (drawn - exact).abs() <= exact * 1e-9 + 1e-15,
                "{draw}: {drawn}, {exact}"
            );
        }
    }

    /// Chi-squared with 99 degrees of freedom exceeds 160 once in ten thousand times, and the
    /// sessions of this test are always the same.
    #[test]
    fn backends_of_one_weight_get_the_same_share() {
        let backends = backends(100);
        let mut counts = vec![0_u32; 100];
        for session in sessions(50_000) {
            counts[winner(session, &backends, |_| 1)] += 1;
        }
        let deviations = counts
            .iter()
            .map(|count| (f64::from(*count) - 500.0).powi(2) / 500.0);
        let chi_squared: f64 = deviations.sum();
        assert!(chi_squared < 160.0, "{chi_squared}: {counts:?}");
    }

    #[test]
    fn a_backend_gets_sessions_by_its_weight() {
        let backends = backends(4);
        let mut counts = [0_u32; 4];
        for session in sessions(100_000) {
            counts[winner(session, &backends, |n| [1, 2, 3, 4][n])] += 1;
        }
        for (n, expected) in [10_000.0, 20_000.0, 30_000.0, 40_000.0]
            .into_iter()
            .enumerate()
        {
            let off = f64::from(counts[n]) - expected;
            // Four standard deviations of the smallest share are 380.
            assert!(off.abs() < 500.0, "{counts:?}");
        }
    }

    #[test]
    fn a_new_backend_takes_its_share_and_no_other_session_moves() {
        let backends = backends(10);
        let mut moved = 0;
        for session in sessions(50_000) {
            let before = winner(session, &backends[..9], |_| 1);
            let after = winner(session, &backends, |_| 1);
            assert!(after == before || after == 9);
            moved += u32::from(after != before);
        }
        assert!((4500..5500).contains(&moved), "{moved} of 50000 moved");
    }

    #[test]
    fn a_greater_weight_moves_sessions_to_its_backend_only() {
        let backends = backends(5);
        for session in sessions(20_000) {
            let before = winner(session, &backends, |_| 10);
            let after = winner(session, &backends, |n| if n == 2 { 13 } else { 10 });
            assert!(after == before || after == 2);
        }
    }

    #[test]
    fn the_order_of_the_backends_does_not_matter() {
        let backends = backends(7);
        let turned: Vec<_> = backends.iter().rev().copied().collect();
        for session in sessions(1000) {
            let one = backends[winner(session, &backends, |_| 1)];
            let other = turned[winner(session, &turned, |_| 1)];
            assert_eq!(one, other);
        }
    }

    /// A version with other scores would separate every session from its past. Another
    /// program computed these from the same description.
    #[test]
    fn sessions_stay_where_they_are_in_every_version() {
        let backends = backends(8);
        let winners: Vec<_> = sessions(16)
            .map(|session| winner(session, &backends, |n| [1, 3][n % 2]))
            .collect();
        let expected = [7, 0, 2, 1, 7, 5, 4, 5, 3, 7, 1, 0, 7, 5, 3, 1];
        assert_eq!(winners, expected);
        assert_eq!(Digest::of("agent:main:main"), Digest(0x6168_0270_c0f7_9432));
    }
}
