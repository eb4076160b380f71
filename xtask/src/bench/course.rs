//! The measurements of a run, in their order.

use std::time::Duration;

use anyhow::Result;

use super::Bench;
use super::results::{Load, Results, Streams};
use super::servers::{COMPOSED, FLOOR, FORWARD, NGINX, Servers, TIDEGATE};
use super::streams::{StreamSample, scenarios};
use super::sweep;
use super::target::Target;
use super::workload::{Sample, Workload, median};

/// The maximum number of rounds of slow streams, which take most of the time.
const STREAM_ROUNDS: usize = 3;

/// The comparison of streams of the two APIs.
const RESPONSES: &str = "a response over a chat completion, stream of 200";

fn loads() -> [Workload; 7] {
    [
        Workload::whole("whole, 1 connection", 1),
        Workload::whole("whole, 16 connections", 16),
        Workload::stream("stream of 1, 1 connection", 1, 1),
        Workload::stream("stream of 1, 16 connections", 16, 1),
        Workload::stream("stream of 200, 1 connection", 1, 200),
        Workload::stream("stream of 200, 4 connections", 4, 200),
        Workload::long_text("request of 20 MiB", 20 * 1024 * 1024 - 512),
    ]
}

/// One run of the benchmark.
pub(super) struct Course<'a> {
    bench: &'a Bench,
    servers: &'a Servers<'a>,
    results: Results,
}

impl<'a> Course<'a> {
    pub(super) fn new(bench: &'a Bench, servers: &'a Servers<'a>) -> Self {
        Self {
            bench,
            servers,
            results: Results::default(),
        }
    }

    pub(super) fn run(mut self) -> Result<Results> {
        self.loads()?;
        self.streams()?;
        let only = self.bench.only.as_deref();
        if only.is_none_or(|only| RESPONSES.contains(only)) {
            self.responses()?;
        }
        if only.is_none() {
            self.new_instances()?;
            self.keys()?;
            let size = self.servers.component_size()? as f64 / 1024.0;
            let name = "size of the composed component";
            self.results.figure(name, size, "KiB");
        }
        if sweep::NAME.contains(only.unwrap_or_default()) {
            self.sweep()?;
        }
        Ok(self.results)
    }

    fn loads(&mut self) -> Result<()> {
        let targets = self.servers.all()?;
        let only = self.bench.only.as_deref().unwrap_or_default();
        let loads = loads().into_iter();
        let loads: Vec<_> = loads.filter(|load| load.name.contains(only)).collect();
        for load in &loads {
            let mut targets = targets.iter();
            targets.try_for_each(|target| load.check(target.address))?;
        }
        let mut samples = vec![vec![Vec::new(); targets.len()]; loads.len()];
        for round in 1..=self.bench.rounds {
            eprintln!("round {round} of {}", self.bench.rounds);
            for (load, of_load) in loads.iter().zip(&mut samples) {
                for (target, of_target) in targets.iter().zip(of_load) {
                    of_target.push(load.run(target.address, self.time())?);
                }
            }
        }
        for (load, of_load) in loads.iter().zip(samples) {
            let medians = of_load.iter().map(|of_target| Sample::median(of_target));
            let servers = targets.iter().map(|target| target.name).zip(medians);
            self.results.loads.push(Load {
                name: load.name,
                tokens: load.tokens,
                servers: servers.collect(),
            });
        }
        Ok(())
    }

    /// Measures slow streams on new processes.
    fn streams(&mut self) -> Result<()> {
        let warm_up = Workload::stream("", 1, 1);
        let only = self.bench.only.as_deref().unwrap_or_default();
        for scenario in scenarios() {
            if !scenario.name.contains(only) {
                continue;
            }
            let names = [FLOOR, FORWARD, TIDEGATE, COMPOSED, NGINX];
            let mut samples = vec![Vec::new(); names.len()];
            for _ in 0..self.bench.rounds.min(STREAM_ROUNDS) {
                for (name, of_target) in names.into_iter().zip(&mut samples) {
                    let Some(target) = self.servers.start(name)? else {
                        continue;
                    };
                    warm_up.check(target.address)?;
                    of_target.push(scenario.measure(&target)?);
                }
            }
            let servers = names.into_iter().zip(&samples);
            let servers = servers.filter(|(_, samples)| !samples.is_empty());
            let servers = servers.map(|(name, samples)| (name, StreamSample::median(samples)));
            self.results.streams.push(Streams {
                name: scenario.name,
                servers: servers.collect(),
            });
        }
        Ok(())
    }

    /// Measures servers that start a new instance for every request.
    fn new_instances(&mut self) -> Result<()> {
        let always_new = ["--max-instance-reuse-count=1".to_owned()];
        let targets = [
            self.servers.tidegate(TIDEGATE, 1, &[])?,
            self.servers.tidegate("new", 1, &always_new)?,
            self.servers
                .tidegate("new, 10,000 keys", 10_000, &always_new)?,
            self.servers.proxy(FLOOR, "floor.wasm", &[])?,
            self.servers.proxy(FLOOR, "floor.wasm", &always_new)?,
        ];
        let times = self.times(&Workload::whole("", 1), &targets)?;
        if let [warm, new, many_keys, floor_warm, floor_new] = times.as_slice() {
            for (name, time) in [
                (
                    "first request of an instance, floor",
                    floor_new - floor_warm,
                ),
                ("first request of an instance, tidegate", new - warm),
                ("the same with 10,000 keys", many_keys - warm),
            ] {
                self.results.figure(name, time, "ms");
            }
        }
        let [tidegate, _, _, floor, _] = &targets;
        for target in [tidegate, floor] {
            let started = target.started_in.as_secs_f64() * 1000.0;
            let name = format!("start of the process, {}", target.name);
            self.results.figure(name, started, "ms");
        }
        Ok(())
    }

    /// Measures a stream while expired entries of the store are deleted.
    fn sweep(&mut self) -> Result<()> {
        let store = self.servers.new_folder("store")?;
        let slot = sweep::fill(&store)?;
        let target = self.servers.with_store(&store)?;
        let sample = sweep::measure(&target, &store, slot)?;
        let milliseconds = sample.gap.as_secs_f64() * 1000.0;
        let name = format!("longest gap of a stream, {}", sweep::NAME);
        self.results.figure(name, milliseconds, "ms");
        let seconds = sample.whole.as_secs_f64();
        self.results.figure(sweep::NAME, seconds, "s");
        Ok(())
    }

    /// Compares the last of many keys with a single key.
    fn keys(&mut self) -> Result<()> {
        let targets = [
            self.servers.tidegate("one key", 1, &[])?,
            self.servers.tidegate("10,000 keys", 10_000, &[])?,
        ];
        let times = self.times(&Workload::whole("", 1), &targets)?;
        if let [one, many] = times.as_slice() {
            let name = "10,000 keys over one key, warm";
            self.results.figure(name, many / one, "times");
        }
        Ok(())
    }

    /// Compares streams of the two APIs.
    fn responses(&mut self) -> Result<()> {
        let target = self.servers.tidegate(TIDEGATE, 1, &[])?;
        let loads = [
            Workload::stream("", 4, 200),
            Workload::response("a response", 4, 200),
        ];
        loads
            .iter()
            .try_for_each(|load| load.check(target.address))?;
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..self.bench.rounds {
            for (load, of_load) in loads.iter().zip(&mut times) {
                of_load.push(load.run(target.address, self.time())?.median);
            }
        }
        let [chat, response] = times.map(median);
        self.results.figure(RESPONSES, response / chat, "times");
        Ok(())
    }

    /// Returns the median time of a response from each server, in milliseconds.
    fn times(&self, load: &Workload, targets: &[Target]) -> Result<Vec<f64>> {
        let mut times = vec![Vec::new(); targets.len()];
        for _ in 0..self.bench.rounds {
            for (target, of_target) in targets.iter().zip(&mut times) {
                of_target.push(load.run(target.address, self.time())?.median);
            }
        }
        Ok(times.into_iter().map(median).collect())
    }

    fn time(&self) -> Duration {
        Duration::from_millis(self.bench.time)
    }
}
