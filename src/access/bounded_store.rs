//! The size of the store after a day of a busy gateway.

use std::net::IpAddr;
use std::time::Duration;

use super::*;

#[test]
fn a_day_of_keys_and_strangers_leaves_a_bounded_store() {
    const KEYS: u32 = 1000;
    const STRANGERS: u32 = 10_000;
    const MINUTES: u64 = 24 * 60;
    let store = fake::Memory::default();
    let counters = Counters(&store);
    let rate = Rate {
        requests_per_minute: Some(60),
        runs_per_day: Some(1000),
        concurrent_runs: None,
    };
    let throttle = Throttle {
        attempts: 10,
        windows: Windows {
            length: Duration::from_mins(1),
        },
        lockout: Duration::from_mins(5),
        loopback: Exemption::Exempt,
    };
    let (mut most, mut strangers) = (0, 0_u32);
    for minute in 0..MINUTES {
        let now = UnixMillis::new(1_800_000_000_000 + minute * 60_000);
        // Two minutes of every twelve, so that windows follow each other and do not.
        for key in (0..KEYS).filter(|_| minute % 12 < 2) {
            let key = key.to_string();
            assert_eq!(rate.permit_request(&key, counters, now), Ok(()));
            rate.permit_run(&key, counters, now).ok();
        }
        while u64::from(strangers) * MINUTES < u64::from(STRANGERS) * minute {
            let client = Some(IpAddr::from((0x0b00_0000_u32 + strangers).to_be_bytes()));
            throttle.denied(Denied::Wrong, client, counters, now);
            strangers += 1;
        }
        if let Some(mut sweep) = Sweep::begin(&store, now) {
            while sweep.step(&store).unwrap() {}
        }
        most = most.max(store.len());
    }
    // Each key has two counters. The places in the index of the minute's counter last three
    // minutes more, and those of the day's counter two days. A stranger has two entries for
    // four minutes.
    let keys = KEYS as usize * (2 + 4 + 2);
    let of_strangers = STRANGERS as usize / MINUTES as usize * 2 * 4;
    assert!(most < keys + of_strangers + 100, "{most}");
    let later = UnixMillis::new(1_800_000_000_000 + 4 * MINUTES * 60_000);
    let mut sweep = Sweep::begin(&store, later).unwrap();
    while sweep.step(&store).unwrap() {}
    assert!(store.len() < 10, "{:?}", store.keys());
}
