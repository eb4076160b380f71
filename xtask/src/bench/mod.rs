//! `cargo xtask bench`: the gateway beside what else could stand there.
//!
//! ```text
//! upstream   a fast server of scripted answers, in this process
//! target     direct, floor, tidegate, nginx: each in a process of its own
//! workload   what is asked, by `client`      -> Sample
//! streams    many slow streams               -> memory and work of each
//! report     the medians of all rounds       -> table, JSON, plot
//! ```
//!
//! Every round measures every load on every server, one after the other, so
//! that what slows this machine for a while slows them all. Absolute numbers
//! are this machine's; only ratios within one run mean something.

mod client;
mod plot;
mod report;
mod streams;
pub(crate) mod target;
pub(crate) mod upstream;
mod workload;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::components::{self, Runtime};
use crate::host::{Host, HostChoice};
use crate::workspace::Workspace;
use report::{Load, Report};
use streams::Streams;
use target::Target;
use workload::{KEY, Sample, Workload, median};

/// The arguments of `cargo xtask bench`.
#[derive(Args)]
pub(crate) struct Bench {
    /// How often everything is measured; the medians count.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each load runs on each server in a round, in milliseconds.
    #[arg(long, default_value_t = 1000)]
    time: u64,
    /// Run only the loads whose names contain this.
    #[arg(long)]
    only: Option<String>,
    /// The folder for `bench.json` and `bench.svg`.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    #[command(flatten)]
    host: HostChoice,
    /// More arguments for `wasmtime serve`.
    #[arg(last = true, value_name = "ARGS")]
    wasmtime: Vec<String>,
}

impl Bench {
    /// Builds, measures and reports.
    pub(crate) fn run(self, workspace: &Workspace) -> Result<()> {
        components::build(workspace)?;
        let folder = std::env::temp_dir().join(format!("tidegate-bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let course = Course {
            host: self.host.find(workspace)?,
            upstream: upstream::start()?,
            tidegate: Runtime::Openclaw.composed(workspace),
            floor: workspace.dist().join("floor.wasm"),
            folder,
            bench: self,
        };
        let report = course.run();
        fs::remove_dir_all(&course.folder)?;
        let report = report?;
        print!("{}", report.table());
        let out = course.bench.out.as_ref();
        out.map_or(Ok(()), |folder| report.write(folder))
    }
}

fn loads() -> [Workload; 7] {
    [
        Workload::whole("whole, 1 connection", 1),
        Workload::whole("whole, 16 connections", 16),
        Workload::stream("stream of 1, 1 connection", 1, 1),
        Workload::stream("stream of 1, 16 connections", 16, 1),
        Workload::stream("stream of 200, 1 connection", 1, 200),
        Workload::stream("stream of 200, 16 connections", 16, 200),
        Workload::long_text("request of 20 MiB", 20 * 1024 * 1024 - 512),
    ]
}

/// One run of the benchmark.
struct Course {
    host: Host,
    upstream: SocketAddr,
    tidegate: PathBuf,
    floor: PathBuf,
    folder: PathBuf,
    bench: Bench,
}

impl Course {
    fn run(&self) -> Result<Report> {
        let mut report = Report::default();
        self.loads(&mut report)?;
        if self.bench.only.is_none() {
            self.streams(&mut report)?;
            self.fresh(&mut report)?;
            self.keys(&mut report)?;
            let size = fs::metadata(&self.tidegate)?.len();
            report.figure(
                "size of the composed component",
                size as f64 / 1024.0,
                "KiB",
            );
        }
        Ok(report)
    }

    fn loads(&self, report: &mut Report) -> Result<()> {
        let mut targets = vec![Target::direct(self.upstream), self.floor(&[])?];
        targets.push(self.tidegate("tidegate", 1, &[])?);
        targets.extend(Target::nginx(self.upstream, &self.folder)?);
        let only = self.bench.only.as_deref().unwrap_or_default();
        let loads = loads();
        let loads: Vec<_> = loads
            .iter()
            .filter(|load| load.name.contains(only))
            .collect();
        for load in &loads {
            targets
                .iter()
                .try_for_each(|target| load.check(target.address))?;
        }
        let mut samples = vec![vec![Vec::new(); targets.len()]; loads.len()];
        for round in 1..=self.bench.rounds {
            eprintln!("round {round} of {}", self.bench.rounds);
            for (load, samples) in loads.iter().zip(&mut samples) {
                for (target, samples) in targets.iter().zip(samples) {
                    samples.push(load.run(target.address, self.time())?);
                }
            }
        }
        for (load, samples) in loads.iter().zip(samples) {
            let medians = samples.iter().map(|samples| Sample::median(samples));
            let servers = targets.iter().map(|target| target.name).zip(medians);
            report.loads.push(Load {
                name: load.name,
                tokens: load.tokens,
                servers: servers.collect(),
            });
        }
        Ok(())
    }

    /// Watches slow streams on processes that have done nothing else.
    fn streams(&self, report: &mut Report) -> Result<()> {
        let warm_up = Workload::stream("", 1, 1);
        for name in ["floor", "tidegate"] {
            let measured: Result<Vec<Streams>> = (0..3)
                .map(|_| {
                    let target = match name {
                        "floor" => self.floor(&[])?,
                        _ => self.tidegate("tidegate", 1, &[])?,
                    };
                    warm_up.check(target.address)?;
                    streams::measure(&target)
                })
                .collect();
            let measured = measured?;
            let resident = median(measured.iter().map(|streams| streams.resident));
            let processor = median(measured.iter().map(|streams| streams.processor));
            report.figure(format!("memory of an idle stream, {name}"), resident, "KiB");
            report.figure(format!("work for a slow token, {name}"), processor, "ms");
        }
        Ok(())
    }

    /// Asks servers that give every request an instance of its own.
    fn fresh(&self, report: &mut Report) -> Result<()> {
        let always_new = ["--max-instance-reuse-count=1".to_owned()];
        let targets = [
            self.tidegate("tidegate", 1, &[])?,
            self.tidegate("fresh", 1, &always_new)?,
            self.tidegate("fresh, 10,000 keys", 10_000, &always_new)?,
            self.floor(&[])?,
            self.floor(&always_new)?,
        ];
        let load = Workload::whole("", 1);
        let times = self.times(&load, &targets)?;
        if let [warm, fresh, many_keys, floor_warm, floor_fresh] = times.as_slice() {
            report.figure(
                "fresh over a warm instance, floor",
                floor_fresh - floor_warm,
                "ms",
            );
            report.figure("fresh over a warm instance, tidegate", fresh - warm, "ms");
            report.figure("the same with 10,000 keys", many_keys - warm, "ms");
        }
        for target in targets
            .iter()
            .filter(|target| ["floor", "tidegate"].contains(&target.name))
        {
            let started = target.started_in.as_secs_f64() * 1000.0;
            report.figure(
                format!("start of the process, {}", target.name),
                started,
                "ms",
            );
        }
        Ok(())
    }

    /// Compares the last of many keys with a single one.
    fn keys(&self, report: &mut Report) -> Result<()> {
        let targets = [
            self.tidegate("one key", 1, &[])?,
            self.tidegate("10,000 keys", 10_000, &[])?,
        ];
        let load = Workload::whole("", 1);
        if let [one, many] = self.times(&load, &targets)?.as_slice() {
            report.figure("10,000 keys over one key, warm", many / one, "times");
        }
        Ok(())
    }

    /// Returns the median time of an answer on each server, in milliseconds.
    fn times(&self, load: &Workload, targets: &[Target]) -> Result<Vec<f64>> {
        let mut times = vec![Vec::new(); targets.len()];
        for _ in 0..self.bench.rounds {
            for (target, times) in targets.iter().zip(&mut times) {
                times.push(load.run(target.address, self.time())?.median);
            }
        }
        Ok(times.into_iter().map(median).collect())
    }

    fn time(&self) -> Duration {
        Duration::from_millis(self.bench.time)
    }

    fn floor(&self, more: &[String]) -> Result<Target> {
        let upstream = format!("--env=UPSTREAM={}", self.upstream);
        let arguments = [&[upstream], more, &self.bench.wasmtime].concat();
        Target::component(&self.host, "floor", &self.floor, None, &arguments)
    }

    /// Serves the gateway with so many keys, of which the bench has the last.
    fn tidegate(&self, name: &'static str, keys: usize, more: &[String]) -> Result<Target> {
        let file = self.folder.join(format!("{keys}.json5"));
        fs::write(&file, config(self.upstream, keys))?;
        let arguments = [more, &self.bench.wasmtime].concat();
        Target::component(&self.host, name, &self.tidegate, Some(&file), &arguments)
    }
}

fn config(upstream: SocketAddr, keys: usize) -> String {
    let digest = |key: &str| crate::key::digest(key);
    let key = |name: usize, key: &str| {
        format!(
            "{{ name: 'k{name}', sha256: '{}', agents: ['*'] }}",
            digest(key)
        )
    };
    let others = (1..keys).map(|n| key(n, &format!("other {n}")));
    let keys: Vec<_> = others.chain([key(0, KEY)]).collect();
    format!(
        "{{ gateway: {{ auth: {{ token: 'unused-{upstream}' }},
             http: {{ endpoints: {{ chatCompletions: {{ enabled: true }} }} }} }},
           tidegate: {{ keys: [{}], runtime: {{ url: 'http://{upstream}' }} }} }}",
        keys.join(",\n")
    )
}
