//! Which server a session belongs to: weighted rendezvous hashing.
//!
//! Each server draws a lot for each session, from nothing but its own name and
//! the session's, and the greatest lot has the session. So a session meets the
//! same server every time, whatever the order of the servers; one that is
//! added takes its share from all others alike, and one that is removed gives
//! its sessions away and moves no other.
//!
//! Sources: Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit
//! Rates", IEEE/ACM Transactions on Networking 6(1), 1998; for the weights the
//! logarithmic method of Schindelhauer and Schomaker, "Weighted Distributed Hash
//! Tables", SPAA 2005.

use std::f64::consts::LN_2;

/// The greatest weight of a server.
pub const GREATEST_WEIGHT: u16 = 1000;

/// How many terms of its series a logarithm is made of.
const TERMS: u32 = 10;

/// A name as 64 bits, in which every bit of the name counts.
///
/// It is the same on every machine and in every version: sessions would move
/// with it.
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

/// What a server draws for a session.
///
/// Lots are never equal for two servers of different digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lot {
    /// The bits of a positive number, which are in the order of the numbers.
    score: u64,
    server: u64,
}

impl Lot {
    /// Draws the lot of a server; one of twice the weight has twice as many
    /// sessions.
    #[must_use]
    pub fn draw(session: Digest, server: Digest, weight: u16) -> Self {
        let score = f64::from(weight) / negative_ln(mix(session.0 ^ server.0));
        Self {
            score: score.to_bits(),
            server: server.0,
        }
    }
}

/// Returns the negative natural logarithm of a number that is drawn evenly
/// between 0 and 1, from the bits of its draw. It is positive and finite.
///
/// The arithmetic gives the same on every machine, to the bit, which a library's
/// logarithm does not promise; and that takes 5 KB.
fn negative_ln(draw: u64) -> f64 {
    // Not 0, and then the number is 2^-halvings times a fraction from 1/2 to 1.
    let draw = draw | 1;
    let halvings = draw.leading_zeros();
    let fraction = ((draw << halvings) >> 11) as f64 / (1_u64 << 53) as f64;
    // -ln(f) is 2 artanh((1 - f) / (1 + f)): a series that ten terms bring to
    // within 1e-10 of its value, because the argument is at most 1/3.
    let argument = (1.0 - fraction) / (1.0 + fraction);
    let square = argument * argument;
    let series = (0..TERMS).rev();
    let series = series.fold(0.0, |sum, n| sum * square + 1.0 / f64::from(2 * n + 1));
    f64::from(halvings) * LN_2 + 2.0 * argument * series
}

/// Spreads every bit of a number over all others, one to one.
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

    fn servers(count: usize) -> Vec<Digest> {
        let url = |n| format!("http://10.0.{}.{}:18789", n / 256, n % 256);
        (0..count).map(|n| Digest::of(&url(n))).collect()
    }

    fn sessions(count: usize) -> impl Iterator<Item = Digest> {
        (0..count).map(|n| Digest::of(&format!("agent:main:openai-user:{n:064x}")))
    }

    /// Returns which of the servers has a session.
    fn winner(session: Digest, servers: &[Digest], weight: impl Fn(usize) -> u16) -> usize {
        let lot = |n: &usize| Lot::draw(session, servers[*n], weight(*n));
        (0..servers.len()).max_by_key(lot).unwrap()
    }

    #[test]
    fn the_logarithm_is_one() {
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

    /// What is expected of even draws: chi-squared with 99 degrees of freedom is
    /// above 160 once in ten thousand times, and these draws are always the same.
    #[test]
    fn servers_of_one_weight_get_the_same_share() {
        let servers = servers(100);
        let mut counts = vec![0_u32; 100];
        for session in sessions(50_000) {
            counts[winner(session, &servers, |_| 1)] += 1;
        }
        let deviations = counts
            .iter()
            .map(|count| (f64::from(*count) - 500.0).powi(2) / 500.0);
        let chi_squared: f64 = deviations.sum();
        assert!(chi_squared < 160.0, "{chi_squared}: {counts:?}");
    }

    #[test]
    fn a_server_gets_sessions_by_its_weight() {
        let servers = servers(4);
        let mut counts = [0_u32; 4];
        for session in sessions(100_000) {
            counts[winner(session, &servers, |n| [1, 2, 3, 4][n])] += 1;
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
    fn a_server_that_is_added_takes_its_share_and_nothing_else_moves() {
        let servers = servers(10);
        let mut moved = 0;
        for session in sessions(50_000) {
            let before = winner(session, &servers[..9], |_| 1);
            let after = winner(session, &servers, |_| 1);
            assert!(after == before || after == 9);
            moved += u32::from(after != before);
        }
        assert!((4500..5500).contains(&moved), "{moved} of 50000 moved");
    }

    #[test]
    fn a_greater_weight_moves_sessions_to_its_server_only() {
        let servers = servers(5);
        for session in sessions(20_000) {
            let before = winner(session, &servers, |_| 10);
            let after = winner(session, &servers, |n| if n == 2 { 13 } else { 10 });
            assert!(after == before || after == 2);
        }
    }

    #[test]
    fn the_order_of_the_servers_means_nothing() {
        let servers = servers(7);
        let turned: Vec<_> = servers.iter().rev().copied().collect();
        for session in sessions(1000) {
            let one = servers[winner(session, &servers, |_| 1)];
            let other = turned[winner(session, &turned, |_| 1)];
            assert_eq!(one, other);
        }
    }

    /// A version that drew other lots would part every session from its past.
    /// These were drawn by another program after the same description.
    #[test]
    fn sessions_stay_where_they_are_in_every_version() {
        let servers = servers(8);
        let winners: Vec<_> = sessions(16)
            .map(|session| winner(session, &servers, |n| [1, 3][n % 2]))
            .collect();
        let expected = [7, 0, 2, 1, 7, 5, 4, 5, 3, 7, 1, 0, 7, 5, 3, 1];
        assert_eq!(winners, expected);
        assert_eq!(Digest::of("agent:main:main"), Digest(0x6168_0270_c0f7_9432));
    }
}
