//! `cargo xtask doctor`: checks a configuration, the servers behind it, and OpenClaw's
//! settings, with the component that others run with their own `wasmtime`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::components;
use crate::environment::Environment;
use crate::host::HostChoice;
use crate::workspace::{Workspace, succeed};

/// The component's folder of OpenClaw's document.
const FOLDER: &str = "/openclaw";

/// The arguments of `cargo xtask doctor`.
#[derive(Args)]
pub(crate) struct Doctor {
    /// The configuration, a JSON5 document.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// OpenClaw's configuration, `openclaw.json`.
    #[arg(long, value_name = "FILE")]
    openclaw: Option<PathBuf>,
    #[command(flatten)]
    host: HostChoice,
}

impl Doctor {
    /// Builds the doctor and prints its report.
    ///
    /// # Errors
    /// A report with errors.
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<()> {
        let component = components::build_doctor(workspace)?;
        let host = self.host.find(workspace)?;
        let mut command = Command::new(host.program());
        command.args(["run", "-Scli", "-Shttp"]);
        Environment::load(Some(&self.config))?.apply(&mut command)?;
        let openclaw = self.openclaw.as_deref().map(mounted).transpose()?;
        let mount = openclaw.iter().map(|(folder, _)| folder);
        command.args(mount).arg(component);
        if let Some((_, file)) = &openclaw {
            command.args(["--openclaw", file]);
        }
        succeed(&mut command)
    }
}

/// Returns the argument that mounts the folder of a file, and its path for the component.
fn mounted(file: &Path) -> Result<(String, String)> {
    let shown = file.display();
    let full = file
        .canonicalize()
        .with_context(|| format!("cannot read {shown}"))?;
    let folder = full.parent().and_then(Path::to_str);
    let name = full.file_name().and_then(|name| name.to_str());
    let (folder, name) = folder
        .zip(name)
        .with_context(|| format!("{shown} is no file"))?;
    Ok((
        format!("--dir={folder}::{FOLDER}"),
        format!("{FOLDER}/{name}"),
    ))
}
