//! The results as a table, as JSON and as a plot.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Result;

use super::plot;
use super::results::{Figure, Load, Results, Streams};
use super::servers::{DIRECT, FORWARD};

const HEAD: &str = "           requests/s   tokens/s /forward /direct  p50 ms   p99 ms first ms";

const STREAMS_HEAD: &str = "             answered   KiB each   % of a core    µs each  /forward";

/// Returns the table for people.
pub(super) fn table(results: &Results) -> String {
    let mut table = String::new();
    for load in &results.loads {
        writeln!(table, "\n{}\n  {HEAD}", load.name).ok();
        for (server, sample) in &load.servers {
            let share = |of| sample.requests / load.requests(of).unwrap_or(f64::NAN);
            writeln!(
                table,
                "  {server:<10}{:>10.0}{:>11.0}{:>9.2}{:>8.3}{:>8.3}{:>9.3}{:>9.3}",
                sample.requests,
                sample.requests * load.tokens as f64,
                share(FORWARD),
                share(DIRECT),
                sample.median,
                sample.p99,
                sample.first_token,
            )
            .ok();
        }
    }
    for Streams { name, servers } in &results.streams {
        writeln!(table, "\n{name}\n  {STREAMS_HEAD}").ok();
        let reference = servers.iter().find(|(server, _)| *server == FORWARD);
        let reference = reference.map_or(f64::NAN, |(_, sample)| sample.each);
        for (server, sample) in servers {
            writeln!(
                table,
                "  {server:<10}{:>8.0} %{:>11.1}{:>14.2}{:>11.1}{:>10.2}",
                sample.answered,
                sample.resident,
                sample.processor,
                sample.each,
                sample.each / reference,
            )
            .ok();
        }
    }
    writeln!(table).ok();
    for Figure { name, value, unit } in &results.figures {
        writeln!(table, "{name:<52}{value:>10.3} {unit}").ok();
    }
    table
}

/// Writes `bench.json` and `bench.svg`.
pub(super) fn write(results: &Results, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("bench.json"), json(results))?;
    fs::write(folder.join("bench.svg"), plot::svg(&results.loads))?;
    Ok(())
}

// Names are constants of this program and need no escapes.
fn json(results: &Results) -> String {
    let loads: Vec<_> = results.loads.iter().map(load_json).collect();
    let figures: Vec<_> = results.figures.iter().map(figure_json).collect();
    let streams: Vec<_> = results.streams.iter().map(streams_json).collect();
    let (loads, figures) = (loads.join(",\n"), figures.join(",\n"));
    let streams = streams.join(",\n");
    format!(
        "{{\n\"loads\": [\n{loads}\n],\n\"streams\": [\n{streams}\n],\n\"figures\": [\n{figures}\n]\n}}\n"
    )
}

fn streams_json(Streams { name, servers }: &Streams) -> String {
    let servers = servers.iter().map(|(server, sample)| {
        format!(
            "    {{ \"server\": \"{server}\", \"answeredPercent\": {:.1}, \
             \"memoryKibibytes\": {:.1}, \"processorPercent\": {:.2}, \
             \"processorMicroseconds\": {:.1} }}",
            sample.answered, sample.resident, sample.processor, sample.each
        )
    });
    let servers = servers.collect::<Vec<_>>().join(",\n");
    format!("  {{ \"streams\": \"{name}\", \"servers\": [\n{servers}\n  ] }}")
}

fn load_json(load: &Load) -> String {
    let servers = load.servers.iter().map(|(server, sample)| {
        format!(
            "    {{ \"server\": \"{server}\", \"requestsPerSecond\": {:.1}, \
             \"medianMilliseconds\": {:.3}, \"p99Milliseconds\": {:.3}, \
             \"firstTokenMilliseconds\": {:.3} }}",
            sample.requests, sample.median, sample.p99, sample.first_token
        )
    });
    let servers = servers.collect::<Vec<_>>().join(",\n");
    let (name, tokens) = (load.name, load.tokens);
    format!("  {{ \"load\": \"{name}\", \"tokens\": {tokens}, \"servers\": [\n{servers}\n  ] }}")
}

fn figure_json(Figure { name, value, unit }: &Figure) -> String {
    format!("  {{ \"figure\": \"{name}\", \"value\": {value:.3}, \"unit\": \"{unit}\" }}")
}
