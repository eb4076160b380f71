//! The memory of the server during the test.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::bench::target::Target;

/// The interval between two samples.
const INTERVAL: Duration = Duration::from_millis(100);

/// Samples a server's memory until `stopped` is set. Returns the samples in KiB, or an
/// empty list on operating systems that do not report memory.
pub(super) fn watch(target: &Target, stopped: &AtomicBool) -> Vec<u64> {
    let mut samples = Vec::new();
    while !stopped.load(Ordering::Relaxed) {
        samples.extend(target.usage().map(|usage| usage.resident_kib));
        thread::sleep(INTERVAL);
    }
    samples
}

/// Returns the mean of the second quarter and that of the last, in MiB.
pub(super) fn quarters(samples: &[u64]) -> Option<(f64, f64)> {
    let quarter = samples.len() / 4;
    let mean = |from: usize| {
        let samples = samples.get(from..from + quarter)?;
        let sum: u64 = samples.iter().sum();
        (quarter > 0).then(|| sum as f64 / quarter as f64 / 1024.0)
    };
    Some((mean(quarter)?, mean(3 * quarter)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_returns_the_means_of_the_second_and_the_last_quarter() {
        let mib = [9, 9, 1, 3, 9, 9, 4, 6].map(|mib| mib * 1024);
        assert_eq!(quarters(&mib), Some((2.0, 5.0)));
        assert_eq!(quarters(&[]), None);
    }
}
