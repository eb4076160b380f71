//! The results as a table, as JSON and as a plot.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Result;

use super::plot;
use super::results::{Figure, Load, Results};

const HEAD: &str = "           requests/s   tokens/s  /floor /direct  p50 ms   p99 ms first ms";

/// Returns the table for people.
pub(super) fn table(results: &Results) -> String {
    let mut table = String::new();
    for load in &results.loads {
        writeln!(table, "\n{}\n  {HEAD}", load.name).ok();
        for (server, sample) in &load.servers {
            let share = |of| sample.requests / load.requests(of).unwrap_or(f64::NAN);
            writeln!(
                table,
                "  {server:<10}{:>10.0}{:>11.0}{:>9.2}{:>8.3}{:>9.3}{:>9.3}{:>9.3}",
                sample.requests,
                sample.requests * load.tokens as f64,
                share("floor"),
                share("direct"),
                sample.median,
                sample.p99,
                sample.first_token,
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
    let (loads, figures) = (loads.join(",\n"), figures.join(",\n"));
    format!("{{\n\"loads\": [\n{loads}\n],\n\"figures\": [\n{figures}\n]\n}}\n")
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
