//! Spin, with the manifest for SpinKube and with the one that composes the parts.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use crate::e2e::servers::{SECRETS, free_address};
use crate::e2e::site::Site;

use super::{Absent, Found, Start, read, with_limited_key};

/// Returns the start of Spin, which no registry provides.
pub(super) fn host(site: &Site<'_>, llm: &str) -> Result<Found> {
    found(
        site,
        llm,
        "deploy/spinkube/spin.toml",
        "spinkube",
        |manifest| {
            let root = site.root().display().to_string();
            // The manifest is copied, and `workdir` must be relative. The build is done, so
            // the copy does not need it.
            let manifest = manifest.replace("workdir = \"../..\"\n", "");
            manifest.replace("../..", &root)
        },
    )
}

/// Returns the start of Spin that composes the gateway with the runtime.
pub(super) fn composed(site: &Site<'_>, llm: &str) -> Result<Found> {
    found(
        site,
        llm,
        "spin.composed.toml",
        "spin-composed",
        |manifest| {
            let target = site.root().join("target").display().to_string();
            manifest
                .replace("\"target/", &format!("\"{target}/"))
                .replace("runtime_rehearsal.wasm", "runtime_openclaw.wasm")
                .replace("http://127.0.0.1:18789", llm)
        },
    )
}

/// Builds with a manifest, and prepares a changed copy of it in a folder of its own.
fn found(
    site: &Site<'_>,
    llm: &str,
    manifest: &str,
    folder: &str,
    change: impl FnOnce(String) -> String,
) -> Result<Found> {
    if site.program("spin")?.arg("--version").output().is_err() {
        return Ok(Err(Absent {
            why: "no `spin` on the PATH".to_owned(),
            in_registry: false,
        }));
    }
    build(site, &site.root().join(manifest))?;
    let folder = site.file(folder);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("spin.toml"), change(read(site, manifest)?))?;
    let document = read(site, "deploy/spinkube/tidegate.json5")?;
    let document = document.replace("${TIDEGATE_RUNTIME_URL}", llm);
    fs::write(folder.join("tidegate.json5"), with_limited_key(&document))?;
    let address = free_address()?;
    let mut command = site.program("spin")?;
    command.args(["up", "-f"]).arg(&folder);
    command.args(["--listen", &address.to_string(), "--state-dir"]);
    command.arg(folder.join("state"));
    for (name, value) in SECRETS {
        command.env(format!("SPIN_VARIABLE_{name}"), value);
    }
    command.env("SPIN_VARIABLE_TIDEGATE_RUNTIME_URL", llm);
    Ok(Ok(Start {
        command,
        address,
        ready: "Serving http://",
        sets_nodelay: false,
    }))
}

fn build(site: &Site<'_>, manifest: &Path) -> Result<()> {
    let mut build = site.program("spin")?;
    let build = build.args(["build", "-f"]).arg(manifest).output()?;
    let output = String::from_utf8_lossy(&build.stderr);
    ensure!(build.status.success(), "{output}");
    Ok(())
}
