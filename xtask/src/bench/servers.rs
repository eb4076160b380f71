//! The servers under test, and their configuration.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::host::Host;
use crate::http::Upstream;
use crate::workspace::Workspace;

use super::target::Target;
use super::workload::KEY;

/// The upstream itself.
pub(super) const DIRECT: &str = "direct";

/// The proxy that never reads a body.
pub(super) const FLOOR: &str = "floor";

/// The proxy that stores requests and forwards responses: the reference of all ratios.
pub(super) const FORWARD: &str = "forward";

/// The gateway with the runtime for OpenClaw, in one module.
pub(super) const TIDEGATE: &str = "tidegate";

/// The same, composed of two components.
pub(super) const COMPOSED: &str = "composed";

/// nginx as a reverse proxy.
pub(super) const NGINX: &str = "nginx";

/// Starts servers in front of one upstream.
pub(super) struct Servers<'a> {
    host: Host,
    upstream: SocketAddr,
    dist: PathBuf,
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
            dist: workspace.dist(),
            folder,
            arguments,
        })
    }

    /// Starts one server of each kind that this machine has, and the upstream itself.
    pub(super) fn all(&self) -> Result<Vec<Target>> {
        let names = [DIRECT, FLOOR, FORWARD, TIDEGATE, COMPOSED, NGINX].into_iter();
        names
            .filter_map(|name| self.start(name).transpose())
            .collect()
    }

    /// Starts the server with this name, if this machine has it.
    pub(super) fn start(&self, name: &'static str) -> Result<Option<Target>> {
        match name {
            DIRECT => Ok(Some(Target::direct(self.upstream))),
            FLOOR => self.proxy(FLOOR, "floor.wasm", &[]).map(Some),
            FORWARD => self.proxy(FORWARD, "store-forward.wasm", &[]).map(Some),
            NGINX => Target::nginx(self.upstream, &self.folder),
            name => self.tidegate(name, 1, &[]).map(Some),
        }
    }

    /// Starts a proxy component.
    pub(super) fn proxy(&self, name: &'static str, file: &str, more: &[String]) -> Result<Target> {
        let upstream = format!("--env=UPSTREAM={}", self.upstream);
        let arguments = [&[upstream], more, self.arguments].concat();
        Target::component(&self.host, name, &self.dist.join(file), None, &arguments)
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
        let component = match name {
            COMPOSED => "composed-openclaw.wasm",
            _ => "tidegate-openclaw.wasm",
        };
        let component = self.dist.join(component);
        Target::component(&self.host, name, &component, Some(&file), &arguments)
    }

    /// Starts the gateway with a store in a folder. Its first request begins a sweep.
    pub(super) fn with_store(&self, store: &Path) -> Result<Target> {
        let file = self.folder.join("store.json5");
        fs::write(&file, config(self.upstream, 1))?;
        let mount = format!("--dir={}::/store", store.display());
        let arguments = [&[mount], self.arguments].concat();
        let component = self.dist.join("tidegate-openclaw-files.wasm");
        Target::component(&self.host, TIDEGATE, &component, Some(&file), &arguments)
    }

    /// Creates a folder that the benchmark removes at its end.
    pub(super) fn new_folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Returns the size of the gateway's component, in bytes.
    pub(super) fn component_size(&self) -> Result<u64> {
        Ok(fs::metadata(self.dist.join("tidegate-openclaw.wasm"))?.len())
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
             http: {{ endpoints: {{ chatCompletions: {{ enabled: true }},
                                    responses: {{ enabled: true }} }} }} }},
           tidegate: {{ keys: [{}], runtime: {{ url: 'http://{upstream}' }} }} }}",
        lines.join(",\n")
    )
}
