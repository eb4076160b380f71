//! The same component files on every host, with what `deploy/` has for each.
//!
//! What a reader would take is changed in its addresses, and by a key more.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::key;

use super::background::{Background, Ending};
use super::report::Report;
use super::servers::{OpenClaw, SECRETS, TOKEN, free_address};
use super::site::Site;

/// What must hold on every host.
const CLAIMS: &[&str] = &[
    "alive", "plain", "stream", "models", "cancel", "401", "limits",
];

/// A key that may ask once in a minute, so that counting shows.
const LIMITED_KEY: &str = "e2e-key-of-one-call-a-minute";

/// What the hosts without a key-value store are given.
const COMPONENT: &str = "tidegate-openclaw-files.wasm";

/// A host that is to be started.
struct Host {
    command: Command,
    address: SocketAddr,
    /// The beginning of what it says once it serves.
    ready: &'static str,
}

/// Runs the checks on every host that is here.
pub(crate) fn run(site: &Site<'_>, report: &mut Report) -> Result<()> {
    let openclaw = site.openclaw()?;
    check("wasmtime", Some(wasmtime(site, openclaw)?), site, report)?;
    check("Spin", spin(site, openclaw)?, site, report)?;
    check("wasmCloud", Some(wasmcloud(site, openclaw)?), site, report)?;
    report.script("deploy/", site.python("hosts/manifests.py"))
}

/// Starts a host and asks of it what must hold; one that is not here is passed
/// over.
fn check(name: &str, host: Option<Host>, site: &Site<'_>, report: &mut Report) -> Result<()> {
    let mut script = site.node("hosts/check.mjs");
    script.env("LLM_URL", &site.openclaw()?.llm);
    script.env("TIDEGATE_API_KEY", TOKEN);
    script.env("LIMITED_KEY", LIMITED_KEY);
    let Some(host) = host else {
        script.env("MISSING_HOST", format!("there is no {name} here"));
        return report.row(name, CLAIMS, script);
    };
    let log = site.file(&format!("{name}.log"));
    let ready = |line: &str| line.contains(host.ready).then_some(());
    let command = together(host.command);
    let (_server, ()) = Background::start(command, &log, Ending::CloseInput, ready)?;
    script.env("TIDEGATE_BASE_URL", format!("http://{}/v1", host.address));
    report.row(name, CLAIMS, script)
}

/// Lets a host end with its input, together with whatever it has started.
fn together(host: Command) -> Command {
    const SCRIPT: &str = "set -m; \"$@\" & read -r; kill -- -$!; wait";
    let mut bash = Command::new("bash");
    bash.args(["-c", SCRIPT, "bash"]);
    bash.arg(host.get_program()).args(host.get_args());
    for (name, value) in host.get_envs() {
        match value {
            Some(value) => bash.env(name, value),
            None => bash.env_remove(name),
        };
    }
    if let Some(folder) = host.get_current_dir() {
        bash.current_dir(folder);
    }
    bash
}

/// The entry point of the container, with the folder and the component that
/// are in it.
fn wasmtime(site: &Site<'_>, openclaw: &OpenClaw) -> Result<Host> {
    let folder = site.file("container");
    fs::create_dir_all(&folder)?;
    let document = read(site, "deploy/container/tidegate.json5")?;
    let document = document.replace("http://openclaw:18789", &openclaw.url);
    fs::write(folder.join("tidegate.json5"), with_limited_key(&document))?;
    let address = free_address()?;
    let recipe = read(site, "deploy/container/Dockerfile")?;
    let component = site.dist(COMPONENT);
    let counts = site.file("container-counts");
    fs::create_dir_all(&counts)?;
    let command = entry_point(&recipe).context("the Dockerfile has no entry point")?;
    let mut words = command.into_iter().map(|word| {
        word.replace("0.0.0.0:8080", &address.to_string())
            .replace("/etc/tidegate", &folder.display().to_string())
            .replace("/var/lib/tidegate", &counts.display().to_string())
            .replace("/srv/tidegate.wasm", &component.display().to_string())
    });
    let mut command = site.program(&words.next().context("the entry point is empty")?)?;
    command.args(words);
    Ok(Host {
        command,
        address,
        ready: "Serving HTTP on http://",
    })
}

/// Returns the words of a Dockerfile's entry point.
fn entry_point(recipe: &str) -> Option<Vec<String>> {
    let mut lines = recipe.lines();
    let words = lines.find_map(|line| line.strip_prefix("ENTRYPOINT ["))?;
    let words = words.strip_suffix(']')?.split(", ");
    Some(
        words
            .map(|word| word.trim_matches('"').to_owned())
            .collect(),
    )
}

fn spin(site: &Site<'_>, openclaw: &OpenClaw) -> Result<Option<Host>> {
    if site.program("spin")?.arg("--version").output().is_err() {
        return Ok(None);
    }
    let folder = site.file("spinkube");
    fs::create_dir_all(&folder)?;
    let document = read(site, "deploy/spinkube/tidegate.json5")?;
    fs::write(folder.join("tidegate.json5"), with_limited_key(&document))?;
    let original = site.root().join("deploy/spinkube");
    let build = site
        .program("spin")?
        .args(["build", "-f"])
        .arg(original)
        .output()?;
    let said = String::from_utf8_lossy(&build.stderr);
    ensure!(build.status.success(), "{said}");
    // What is built already needs no folder to be built in, which must be relative.
    let manifest = read(site, "deploy/spinkube/spin.toml")?.replace("workdir = \"../..\"\n", "");
    let root = site.root().display().to_string();
    fs::write(folder.join("spin.toml"), manifest.replace("../..", &root))?;
    let address = free_address()?;
    let mut command = site.program("spin")?;
    command.args(["up", "-f"]).arg(folder);
    command.args(["--listen", &address.to_string(), "--state-dir"]);
    command.arg(site.file("spin"));
    for (name, value) in SECRETS {
        command.env(format!("SPIN_VARIABLE_{name}"), value);
    }
    command.env("SPIN_VARIABLE_TIDEGATE_RUNTIME_URL", &openclaw.url);
    Ok(Some(Host {
        command,
        address,
        ready: "Serving http://",
    }))
}

fn wasmcloud(site: &Site<'_>, openclaw: &OpenClaw) -> Result<Host> {
    let address = free_address()?;
    let folder = site.file("wasmcloud");
    let config = read(site, "deploy/wasmcloud/.wash/config.yaml")?;
    let component = site.dist(COMPONENT);
    let config = with_limited_key(&config)
        .replace("127.0.0.1:3000", &address.to_string())
        .replace("http://127.0.0.1:18789", &openclaw.url)
        .replace("../../target/counts", "counts")
        .replace(
            "../../dist/tidegate-openclaw-files.wasm",
            &component.display().to_string(),
        )
        // It is built already, and a cargo in a cargo waits for it.
        .replace("cargo xtask build", "\"true\"");
    fs::create_dir_all(folder.join(".wash"))?;
    fs::create_dir_all(folder.join("counts"))?;
    fs::write(folder.join(".wash/config.yaml"), config)?;
    let mut command = site.program("wash")?;
    command
        .args(["--non-interactive", "dev"])
        .current_dir(folder);
    Ok(Host {
        command,
        address,
        ready: "listening for HTTP requests",
    })
}

/// Adds the key to a configuration.
fn with_limited_key(document: &str) -> String {
    let digest = key::digest(LIMITED_KEY);
    let line = format!(
        "tidegate: {{ keys: [{{ name: 'e2e', sha256: '{digest}', agents: ['*'], rate: {{ requestsPerMinute: 1 }} }}],"
    );
    document.replace("tidegate: {", &line)
}

fn read(site: &Site<'_>, file: &str) -> Result<String> {
    let file: PathBuf = site.root().join(file);
    fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_point_is_a_list_of_words() {
        let words = entry_point("FROM a\nENTRYPOINT [\"wasmtime\", \"serve\", \"-S=cli\"]\n");
        let expected = ["wasmtime", "serve", "-S=cli"].map(str::to_owned);
        assert_eq!(words, Some(expected.to_vec()));
        assert_eq!(entry_point("CMD a"), None);
    }
}
