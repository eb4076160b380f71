//! Spin, with the manifest for SpinKube.

use std::fs;

use anyhow::{Result, ensure};

use crate::e2e::servers::{SECRETS, free_address};
use crate::e2e::site::Site;

use super::{Absent, Found, Start, read, with_limited_key};

/// Returns the start of Spin, which no registry provides.
pub(super) fn host(site: &Site<'_>, llm: &str) -> Result<Found> {
    if site.program("spin")?.arg("--version").output().is_err() {
        return Ok(Err(Absent {
            why: "no `spin` on the PATH".to_owned(),
            in_registry: false,
        }));
    }
    let folder = site.file("spinkube");
    fs::create_dir_all(&folder)?;
    let document = read(site, "deploy/spinkube/tidegate.json5")?;
    fs::write(folder.join("tidegate.json5"), with_limited_key(&document))?;
    let original = site.root().join("deploy/spinkube");
    let mut build = site.program("spin")?;
    let build = build.args(["build", "-f"]).arg(original).output()?;
    let output = String::from_utf8_lossy(&build.stderr);
    ensure!(build.status.success(), "{output}");
    // The manifest is copied, and `workdir` must be relative. The build is done, so the
    // copy does not need it.
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
    command.env("SPIN_VARIABLE_TIDEGATE_RUNTIME_URL", llm);
    Ok(Ok(Start {
        command,
        address,
        ready: "Serving http://",
        sets_nodelay: false,
    }))
}
