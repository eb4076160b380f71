//! Distributes ten million sessions over a thousand backends. It fails if a backend's share
//! is off by 5 %, or if a new backend moves more sessions than its share.
//!
//! `cargo bench -p runtime-openclaw` takes one or two minutes for ten billion scores.

#![expect(
    clippy::indexing_slicing,
    reason = "a backend that is out of range fails the simulation"
)]

use std::ops::Range;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use runtime_openclaw::rendezvous::{Digest, Score};

const BACKENDS: usize = 1000;
const SESSIONS: usize = 10_000_000;

/// The distribution of some sessions.
struct Spread {
    /// The number of sessions of each backend.
    counts: Vec<usize>,
    /// The number of sessions that a new backend takes.
    moved: usize,
}

impl Spread {
    /// Distributes the sessions with these numbers.
    fn of(sessions: Range<usize>, backends: &[Digest], added: Digest) -> Self {
        let mut spread = Self {
            counts: vec![0; backends.len()],
            moved: 0,
        };
        for n in sessions {
            let session = Digest::of(&format!("agent:main:openai-user:{n:064x}"));
            let scores = backends
                .iter()
                .map(|backend| Score::of(session, *backend, 1));
            if let Some((winner, score)) = scores.enumerate().max_by_key(|(_, score)| *score) {
                spread.counts[winner] += 1;
                spread.moved += usize::from(Score::of(session, added, 1) > score);
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
    let backends: Vec<_> = (0..BACKENDS).map(|n| Digest::of(&url(n))).collect();
    let added = Digest::of(&url(BACKENDS));
    let begun = Instant::now();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let part = |n: usize| SESSIONS * n / threads..SESSIONS * (n + 1) / threads;
    let empty = Spread::of(0..0, &backends, added);
    let spread = thread::scope(|scope| {
        let parts: Vec<_> = (0..threads)
            .map(|n| {
                let (sessions, backends) = (part(n), &backends);
                scope.spawn(move || Spread::of(sessions, backends, added))
            })
            .collect();
        let parts = parts.into_iter().filter_map(|part| part.join().ok());
        parts.fold(empty, |all, part| all.add(&part))
    });
    report(&spread, begun)
}

/// Prints the distribution, and fails if it is uneven.
fn report(spread: &Spread, begun: Instant) -> ExitCode {
    let share = SESSIONS as f64 / BACKENDS as f64;
    let shares = spread.counts.iter().map(|count| *count as f64 / share);
    let least = shares.clone().fold(f64::INFINITY, f64::min);
    let most = shares.fold(0.0, f64::max);
    let moved = spread.moved as f64 * (BACKENDS + 1) as f64 / SESSIONS as f64;
    println!(
        "{SESSIONS} sessions, {BACKENDS} backends, {:?}",
        begun.elapsed()
    );
    println!("a backend has from {least:.4} to {most:.4} of its share");
    println!("one more takes {moved:.4} of its share, and nothing else moves");
    let balanced = least > 0.95 && most < 1.05 && (0.9..1.1).contains(&moved);
    if balanced && spread.counts.iter().sum::<usize>() == SESSIONS {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
