//! wasmCloud, with `wash dev`.

use std::fs;

use anyhow::Result;

use crate::e2e::servers::free_address;
use crate::e2e::site::Site;

use super::{Absent, COMPONENT, Found, Start, read, with_limited_key};

/// Returns the start of wasmCloud, which PyPI provides for some machines.
pub(super) fn host(site: &Site<'_>, llm: &str) -> Result<Found> {
    if site.program("wash")?.arg("--version").output().is_err() {
        return Ok(Err(Absent {
            why: "no `wash` on the PATH".to_owned(),
            in_registry: true,
        }));
    }
    let address = free_address()?;
    let folder = site.file("wasmcloud");
    let config = read(site, "deploy/wasmcloud/.wash/config.yaml")?;
    let component = site.dist(COMPONENT);
    let config = with_limited_key(&config)
        .replace("127.0.0.1:3000", &address.to_string())
        .replace("http://127.0.0.1:18789", llm)
        .replace("../../target/counts", "counts")
        .replace(
            "../../dist/tidegate-openclaw-files.wasm",
            &component.display().to_string(),
        )
        // The component is built, and cargo within cargo would wait for a lock.
        .replace("cargo xtask build tidegate-openclaw-files", "\"true\"");
    fs::create_dir_all(folder.join(".wash"))?;
    fs::write(folder.join(".wash/config.yaml"), config)?;
    let mut command = site.program("wash")?;
    command
        .args(["--non-interactive", "dev"])
        .current_dir(folder);
    Ok(Ok(Start {
        command,
        address,
        ready: "listening for HTTP requests",
        sets_nodelay: true,
    }))
}
