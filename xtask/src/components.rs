//! Builds and composes the components into `dist/`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::ValueEnum;

use crate::composition::compose;
use crate::slim::slim;
use crate::workspace::{WASM_TARGET, Workspace};

/// The packages that are components.
pub(crate) const PACKAGES: [&str; 5] = [
    "tidegate",
    "runtime-openclaw",
    "runtime-rehearsal",
    "store-files",
    "floor",
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

    /// Returns the component of the gateway composed with this runtime, without a store.
    pub(crate) fn composed(self, workspace: &Workspace) -> PathBuf {
        let name = format!("tidegate-{}.wasm", self.name());
        workspace.dist().join(name)
    }
}

/// Builds every component into `dist/` and prints their sizes.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    workspace.ensure_wasm_target()?;
    // The variants with and without a store have the same file names, so they are built in
    // turn.
    let features = "--features=tidegate/store,runtime-openclaw/store";
    compile(workspace, &["tidegate", "runtime-openclaw"], &[features])?;
    let storing = Storing {
        gateway: built(workspace, "tidegate")?,
        openclaw: built(workspace, "runtime_openclaw")?,
    };
    compile(workspace, &PACKAGES, &[])?;
    let dist = workspace.dist();
    fs::create_dir_all(&dist)?;
    print_table(&write_components(workspace, &dist, &storing)?);
    Ok(())
}

/// Builds only the gateway composed with a runtime into `dist/`.
pub(crate) fn build_composed(workspace: &Workspace, runtime: Runtime) -> Result<()> {
    workspace.ensure_wasm_target()?;
    let name = runtime.name();
    compile(workspace, &["tidegate", &format!("runtime-{name}")], &[])?;
    let gateway = built(workspace, "tidegate")?;
    let plug = built(workspace, &format!("runtime_{name}"))?;
    fs::create_dir_all(workspace.dist())?;
    let composed = compose_runtime(&gateway, &[plug], name)?;
    print_table(&[Component::write(runtime.composed(workspace), &composed)?]);
    Ok(())
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

fn compose_runtime(gateway: &[u8], plugs: &[Vec<u8>], name: &str) -> Result<Vec<u8>> {
    compose(gateway, plugs)
        .with_context(|| format!("cannot compose the gateway with runtime-{name}"))
}

/// The components that import a key-value store.
struct Storing {
    gateway: Vec<u8>,
    openclaw: Vec<u8>,
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

fn write_components(
    workspace: &Workspace,
    dist: &Path,
    storing: &Storing,
) -> Result<Vec<Component>> {
    let write = |name: &str, bytes: &[u8]| Component::write(dist.join(name), bytes);
    let gateway = built(workspace, "tidegate")?;
    let files = [built(workspace, "store_files")?];
    let mut written = vec![
        write("gateway.wasm", &gateway)?,
        write("gateway-store.wasm", &storing.gateway)?,
        write("runtime-openclaw-store.wasm", &storing.openclaw)?,
    ];
    for runtime in Runtime::ALL {
        let name = runtime.name();
        let plain = built(workspace, &format!("runtime_{name}"))?;
        let with_files = match runtime {
            Runtime::Openclaw => compose(&storing.openclaw, &files)?,
            Runtime::Rehearsal => plain.clone(),
        };
        written.push(write(&format!("runtime-{name}.wasm"), &plain)?);
        let [files] = files.clone();
        for (suffix, gateway, plugs) in [
            ("", &gateway, &[plain][..]),
            ("-files", &storing.gateway, &[with_files, files]),
        ] {
            let composed = compose_runtime(gateway, plugs, name)?;
            written.push(write(&format!("tidegate-{name}{suffix}.wasm"), &composed)?);
        }
    }
    let [files] = files;
    written.push(write("store-files.wasm", &files)?);
    let floor = built(workspace, "floor")?;
    written.push(write("floor.wasm", &floor)?);
    Ok(written)
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
