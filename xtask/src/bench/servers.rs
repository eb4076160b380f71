//! The servers under test, and their configuration.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;

use crate::components::Runtime;
use crate::host::Host;
use crate::http::Upstream;
use crate::workspace::Workspace;

use super::target::Target;
use super::workload::KEY;

/// Starts servers in front of one upstream.
pub(super) struct Servers<'a> {
    host: Host,
    upstream: SocketAddr,
    tidegate: PathBuf,
    floor: PathBuf,
    folder: PathBuf,
    arguments: &'a [String],
}

impl<'a> Servers<'a> {
    /// Starts the upstream. `folder` is for configuration files, and `arguments` are
    /// more arguments for `wasmtime serve`.
    pub(super) fn new(
        workspace: &Workspace,
        host: Host,
        folder: PathBuf,
        arguments: &'a [String],
    ) -> Result<Self> {
        Ok(Self {
            host,
            upstream: Upstream::start()?.address,
            tidegate: Runtime::Openclaw.component(workspace),
            floor: workspace.dist().join("floor.wasm"),
            folder,
            arguments,
        })
    }

    /// Starts one server of each kind that this machine has, and the upstream itself.
    pub(super) fn all(&self) -> Result<Vec<Target>> {
        let mut targets = vec![Target::direct(self.upstream), self.floor(&[])?];
        targets.push(self.tidegate("tidegate", 1, &[])?);
        targets.extend(Target::nginx(self.upstream, &self.folder)?);
        Ok(targets)
    }

    pub(super) fn floor(&self, more: &[String]) -> Result<Target> {
        let upstream = format!("--env=UPSTREAM={}", self.upstream);
        let arguments = [&[upstream], more, self.arguments].concat();
        Target::component(&self.host, "floor", &self.floor, None, &arguments)
    }

    /// Starts the gateway with a number of API keys. The benchmark uses the last.
    pub(super) fn tidegate(
        &self,
        name: &'static str,
        keys: usize,
        more: &[String],
    ) -> Result<Target> {
        let file = self.folder.join(format!("{keys}.json5"));
        fs::write(&file, config(self.upstream, keys))?;
        let arguments = [more, self.arguments].concat();
        Target::component(&self.host, name, &self.tidegate, Some(&file), &arguments)
    }

    /// Returns the size of the gateway's component, in bytes.
    pub(super) fn component_size(&self) -> Result<u64> {
        Ok(fs::metadata(&self.tidegate)?.len())
    }
}

fn config(upstream: SocketAddr, keys: usize) -> String {
    let line = |name: usize, key: &str| {
        let digest = crate::key::digest(key);
        format!("{{ name: 'k{name}', sha256: '{digest}', agents: ['*'] }}")
    };
    let others = (1..keys).map(|n| line(n, &format!("other {n}")));
    let lines: Vec<_> = others.chain([line(0, KEY)]).collect();
    format!(
        "{{ gateway: {{ auth: {{ token: 'unused-{upstream}' }},
             http: {{ endpoints: {{ chatCompletions: {{ enabled: true }} }} }} }},
           tidegate: {{ keys: [{}], runtime: {{ url: 'http://{upstream}' }} }} }}",
        lines.join(",\n")
    )
}
