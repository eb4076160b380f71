//! Spreads ten million sessions over a thousand servers and fails if a server
//! has 5 % more or less than its share, or if one more server moves other
//! sessions than its own share.
//!
//! `cargo bench -p runtime-openclaw` takes a minute or two: ten thousand million
//! lots are drawn, each with its logarithm.

#![expect(
    clippy::indexing_slicing,
    reason = "a server that is out of range fails the simulation"
)]

use std::ops::Range;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use runtime_openclaw::rendezvous::{Digest, Lot};

const SERVERS: usize = 1000;
const SESSIONS: usize = 10_000_000;

/// What became of some of the sessions.
struct Spread {
    /// How many each server has.
    counts: Vec<usize>,
    /// How many one more server would take.
    moved: usize,
}

impl Spread {
    /// Spreads the sessions of these numbers.
    fn of(sessions: Range<usize>, servers: &[Digest], added: Digest) -> Self {
        let mut spread = Self {
            counts: vec![0; servers.len()],
            moved: 0,
        };
        for n in sessions {
            let session = Digest::of(&format!("agent:main:openai-user:{n:064x}"));
            let lots = servers.iter().map(|server| Lot::draw(session, *server, 1));
            if let Some((winner, lot)) = lots.enumerate().max_by_key(|(_, lot)| *lot) {
                spread.counts[winner] += 1;
                spread.moved += usize::from(Lot::draw(session, added, 1) > lot);
            }
        }
        spread
    }

    fn add(mut self, other: &Self) -> Self {
        self.moved += other.moved;
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self
    }
}

fn main() -> ExitCode {
    let url = |n: usize| format!("http://10.0.{}.{}:18789", n / 256, n % 256);
    let servers: Vec<_> = (0..SERVERS).map(|n| Digest::of(&url(n))).collect();
    let added = Digest::of(&url(SERVERS));
    let begun = Instant::now();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let part = |n: usize| SESSIONS * n / threads..SESSIONS * (n + 1) / threads;
    let none = Spread::of(0..0, &servers, added);
    let spread = thread::scope(|scope| {
        let parts: Vec<_> = (0..threads)
            .map(|n| {
                let (sessions, servers) = (part(n), &servers);
                scope.spawn(move || Spread::of(sessions, servers, added))
            })
            .collect();
        let parts = parts.into_iter().filter_map(|part| part.join().ok());
        parts.fold(none, |all, part| all.add(&part))
    });
    report(&spread, begun)
}

/// Prints the spread, and fails if it is not as it should be.
fn report(spread: &Spread, begun: Instant) -> ExitCode {
    let share = SESSIONS as f64 / SERVERS as f64;
    let shares = spread.counts.iter().map(|count| *count as f64 / share);
    let least = shares.clone().fold(f64::INFINITY, f64::min);
    let most = shares.fold(0.0, f64::max);
    let moved = spread.moved as f64 * (SERVERS + 1) as f64 / SESSIONS as f64;
    println!(
        "{SESSIONS} sessions, {SERVERS} servers, {:?}",
        begun.elapsed()
    );
    println!("a server has from {least:.4} to {most:.4} of its share");
    println!("one more takes {moved:.4} of its share, and nothing else moves");
    let balanced = least > 0.95 && most < 1.05 && (0.9..1.1).contains(&moved);
    if balanced && spread.counts.iter().sum::<usize>() == SESSIONS {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
