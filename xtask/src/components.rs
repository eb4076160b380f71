//! Builds and composes the components into `dist/`.

use std::fs;
use std::path::PathBuf;
use std::slice;

use anyhow::{Context as _, Result};
use clap::ValueEnum;

use crate::composition::compose;
use crate::slim::slim;
use crate::workspace::{WASM_TARGET, Workspace};

/// The packages that are components.
pub(crate) const PACKAGES: [&str; 6] = [
    "tidegate",
    "runtime-openclaw",
    "runtime-rehearsal",
    "store-files",
    "floor",
    "store-forward",
];

/// The packages that are components only for tests.
pub(crate) const FIXTURES: [&str; 1] = ["impatient"];

/// A runtime that the gateway can be composed with.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Runtime {
    /// Replies by script, without network or key.
    Rehearsal,
    /// Calls OpenClaw, or another server with its protocol.
    Openclaw,
}

impl Runtime {
    const ALL: [Self; 2] = [Self::Openclaw, Self::Rehearsal];

    /// Returns the runtime's name in commands and file names.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Openclaw => "openclaw",
            Self::Rehearsal => "rehearsal",
        }
    }

    /// Returns the path of the gateway with this runtime, without a store.
    pub(crate) fn component(self, workspace: &Workspace) -> PathBuf {
        let name = format!("tidegate-{}.wasm", self.name());
        workspace.dist().join(name)
    }

    /// Returns the path of the gateway with this runtime and a store in files.
    fn with_files(self, workspace: &Workspace) -> PathBuf {
        let name = format!("tidegate-{}-files.wasm", self.name());
        workspace.dist().join(name)
    }
}

/// Builds every component into `dist/` and prints their sizes.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    workspace.ensure_wasm_target()?;
    fs::create_dir_all(workspace.dist())?;
    let parts = Parts::build(workspace)?;
    let mut written = parts.write(workspace)?;
    for runtime in Runtime::ALL {
        let plain = linked(workspace, runtime, &[])?;
        let storing = linked(workspace, runtime, &["store"])?;
        let files = compose(&storing, slice::from_ref(&parts.files))?;
        written.push(Component::write(runtime.component(workspace), &plain)?);
        written.push(Component::write(runtime.with_files(workspace), &files)?);
    }
    written.push(doctor(workspace)?);
    print_table(&written);
    Ok(())
}

/// Builds only the doctor into `dist/`, and returns its path.
pub(crate) fn build_doctor(workspace: &Workspace) -> Result<PathBuf> {
    workspace.ensure_wasm_target()?;
    fs::create_dir_all(workspace.dist())?;
    Ok(doctor(workspace)?.file)
}

/// Builds the doctor, which uses the gateway's and the runtime's code. Cargo would give it
/// their exports if it built them at the same time.
fn doctor(workspace: &Workspace) -> Result<Component> {
    compile(workspace, &["doctor"], &[])?;
    let file = workspace.dist().join("tidegate-doctor.wasm");
    Component::write(file, &built(workspace, "doctor")?)
}

/// Builds only the gateway with a runtime into `dist/`.
pub(crate) fn build_linked(workspace: &Workspace, runtime: Runtime) -> Result<()> {
    workspace.ensure_wasm_target()?;
    fs::create_dir_all(workspace.dist())?;
    let component = linked(workspace, runtime, &[])?;
    let written = Component::write(runtime.component(workspace), &component)?;
    print_table(&[written]);
    Ok(())
}

/// Builds the gateway with a runtime in one module.
fn linked(workspace: &Workspace, runtime: Runtime, more: &[&str]) -> Result<Vec<u8>> {
    gateway(workspace, &[&[runtime.name()], more].concat().join(","))
}

/// Builds the gateway with these features.
fn gateway(workspace: &Workspace, features: &str) -> Result<Vec<u8>> {
    compile(workspace, &["tidegate"], &["--features", features])?;
    built(workspace, "tidegate")
}

/// The components that can be composed.
struct Parts {
    gateway: Vec<u8>,
    gateway_store: Vec<u8>,
    gateway_embeddings: Vec<u8>,
    gateway_embeddings_store: Vec<u8>,
    openclaw: Vec<u8>,
    openclaw_store: Vec<u8>,
    rehearsal: Vec<u8>,
    files: Vec<u8>,
    floor: Vec<u8>,
    store_forward: Vec<u8>,
}

impl Parts {
    /// Builds the variants with and without a store and embeddings in turn, because their
    /// files have the same names.
    fn build(workspace: &Workspace) -> Result<Self> {
        let features = "--features=tidegate/store,runtime-openclaw/store";
        compile(workspace, &["tidegate", "runtime-openclaw"], &[features])?;
        let gateway_store = built(workspace, "tidegate")?;
        let openclaw_store = built(workspace, "runtime_openclaw")?;
        let gateway_embeddings_store = gateway(workspace, "embeddings,store")?;
        let gateway_embeddings = gateway(workspace, "embeddings")?;
        compile(workspace, &PACKAGES, &[])?;
        Ok(Self {
            gateway: built(workspace, "tidegate")?,
            gateway_store,
            gateway_embeddings,
            gateway_embeddings_store,
            openclaw: built(workspace, "runtime_openclaw")?,
            openclaw_store,
            rehearsal: built(workspace, "runtime_rehearsal")?,
            files: built(workspace, "store_files")?,
            floor: built(workspace, "floor")?,
            store_forward: built(workspace, "store_forward")?,
        })
    }

    /// Writes the parts, and the gateway composed with each runtime.
    fn write(&self, workspace: &Workspace) -> Result<Vec<Component>> {
        let compose = |gateway: &[u8], plugs: &[Vec<u8>]| {
            compose(gateway, plugs).context("cannot compose the gateway with a runtime")
        };
        // Gateway and runtime each have an instance of the store, for the same folder.
        let openclaw_files = compose(&self.openclaw_store, slice::from_ref(&self.files))?;
        let openclaw_files = [openclaw_files, self.files.clone()];
        let rehearsal_files = [self.rehearsal.clone(), self.files.clone()];
        let composed = [
            compose(&self.gateway_embeddings, slice::from_ref(&self.openclaw))?,
            compose(&self.gateway_embeddings_store, &openclaw_files)?,
            compose(&self.gateway_embeddings, slice::from_ref(&self.rehearsal))?,
            compose(&self.gateway_embeddings_store, &rehearsal_files)?,
        ];
        let [openclaw, openclaw_files, rehearsal, rehearsal_files] = &composed;
        [
            ("gateway", &self.gateway),
            ("gateway-store", &self.gateway_store),
            ("gateway-embeddings", &self.gateway_embeddings),
            ("gateway-embeddings-store", &self.gateway_embeddings_store),
            ("runtime-openclaw", &self.openclaw),
            ("runtime-openclaw-store", &self.openclaw_store),
            ("runtime-rehearsal", &self.rehearsal),
            ("store-files", &self.files),
            ("floor", &self.floor),
            ("store-forward", &self.store_forward),
            ("composed-openclaw", openclaw),
            ("composed-openclaw-files", openclaw_files),
            ("composed-rehearsal", rehearsal),
            ("composed-rehearsal-files", rehearsal_files),
        ]
        .into_iter()
        .map(|(name, bytes)| {
            Component::write(workspace.dist().join(name).with_extension("wasm"), bytes)
        })
        .collect()
    }
}

/// Builds the components of the tests.
pub(crate) fn build_fixtures(workspace: &Workspace) -> Result<()> {
    compile(workspace, &FIXTURES, &[])
}

/// Compiles packages to components.
fn compile(workspace: &Workspace, packages: &[&str], more: &[&str]) -> Result<()> {
    // Cargo adds these to the flags in `.cargo/config.toml`.
    let flags = path_flags(&sources());
    let flags = format!("target.{WASM_TARGET}.rustflags={flags:?}");
    let build = [
        "build",
        "--release",
        "--target",
        WASM_TARGET,
        "--config",
        &flags,
    ];
    let packages: Vec<_> = packages
        .iter()
        .flat_map(|package| ["--package", *package])
        .collect();
    workspace.cargo(&[&build[..], &packages, more].concat())
}

/// Returns the flags that remove the folders of this machine's dependencies from panic
/// messages in a component.
fn path_flags(folders: &[PathBuf]) -> Vec<String> {
    let folders = folders.iter().map(|folder| folder.display());
    folders
        .map(|folder| format!("--remap-path-prefix={folder}="))
        .collect()
}

/// Returns cargo's folders of registry sources.
fn sources() -> Vec<PathBuf> {
    let home = std::env::home_dir().map(|home| home.join(".cargo"));
    let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from).or(home);
    let sources = cargo.and_then(|cargo| fs::read_dir(cargo.join("registry/src")).ok());
    let entries = sources.into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn built(workspace: &Workspace, name: &str) -> Result<Vec<u8>> {
    let file = workspace.release().join(name).with_extension("wasm");
    let component = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    slim(&component)
}

/// A component in `dist/`.
struct Component {
    file: PathBuf,
    size: usize,
}

impl Component {
    fn write(file: PathBuf, bytes: &[u8]) -> Result<Self> {
        fs::write(&file, bytes).with_context(|| format!("cannot write {}", file.display()))?;
        let size = bytes.len();
        Ok(Self { file, size })
    }
}

fn print_table(components: &[Component]) {
    for Component { file, size } in components {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        println!("  dist/{name:<30} {:>6} KiB", size.div_ceil(1024));
    }
}
