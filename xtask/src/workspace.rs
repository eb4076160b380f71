//! Where things are in this repository, and how its cargo is called.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context as _, Result, ensure};

/// The target that the components are built for.
pub(crate) const WASM_TARGET: &str = "wasm32-wasip2";

/// The repository, as the tasks see it.
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Finds the repository that this program was built from.
    pub(crate) fn locate() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().context("xtask has no workspace")?;
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            // Relative to where the caller stands, like cargo's own reading.
            Some(directory) => std::path::absolute(directory)?,
            None => root.join("target"),
        };
        let root = root.to_owned();
        Ok(Self { root, target })
    }

    /// Returns the folder of the repository.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns cargo's folder for what is made: `target/`.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Returns the folder for what is built to be used: `dist/`.
    pub(crate) fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    /// Returns the folder in which cargo leaves the components.
    pub(crate) fn release(&self) -> PathBuf {
        self.target.join(WASM_TARGET).join("release")
    }

    /// Runs a cargo command, its output passed on as it comes.
    ///
    /// # Errors
    /// [`CommandFailed`] with the command's exit code.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Result<()> {
        succeed(&mut self.cargo_command(arguments))
    }

    /// Prepares a cargo command.
    pub(crate) fn cargo_command(&self, arguments: &[&str]) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.current_dir(&self.root).args(arguments);
        command.env("CARGO_TARGET_DIR", &self.target);
        for name in variables_of_cargo_run() {
            command.env_remove(name);
        }
        command
    }

    /// Installs the target that the components are built for, if it is missing.
    pub(crate) fn ensure_wasm_target(&self) -> Result<()> {
        if self.installed_targets()?.lines().any(|t| t == WASM_TARGET) {
            return Ok(());
        }
        succeed(self.rustup().args(["target", "add", WASM_TARGET]))
    }

    fn installed_targets(&self) -> Result<String> {
        let mut rustup = self.rustup();
        rustup.args(["target", "list", "--installed"]);
        let output = rustup.stderr(Stdio::inherit()).output();
        let output = output.map_err(no_rustup)?;
        ensure_success(&rustup, output.status)?;
        Ok(String::from_utf8(output.stdout)?)
    }

    fn rustup(&self) -> Command {
        let mut rustup = Command::new("rustup");
        rustup.current_dir(&self.root);
        rustup
    }
}

/// A command that ran and did not succeed.
#[derive(Debug)]
pub(crate) struct CommandFailed {
    command: String,
    /// The code to exit with.
    pub(crate) code: u8,
}

impl fmt::Display for CommandFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` failed", self.command)
    }
}

impl std::error::Error for CommandFailed {}

/// Runs a command, its output passed on as it comes.
///
/// # Errors
/// A program that cannot be run, and [`CommandFailed`].
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status();
    let status = status.with_context(|| format!("cannot run `{}`", text(command)))?;
    ensure_success(command, status)
}

fn ensure_success(command: &Command, status: ExitStatus) -> Result<()> {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    let code = code.unwrap_or(1);
    let command = text(command);
    ensure!(status.success(), CommandFailed { command, code });
    Ok(())
}

fn text(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name();
    let words = program.into_iter().chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

fn no_rustup(error: io::Error) -> anyhow::Error {
    anyhow::Error::new(error).context(format!(
        "cannot ask rustup for the target {WASM_TARGET}: install rustup from https://rustup.rs"
    ))
}

/// Names what `cargo run` tells this program about its package.
///
/// Build scripts that watch these (ring's does) would be run again at every
/// change between a cargo of ours and one of the user's.
pub(crate) fn variables_of_cargo_run() -> impl Iterator<Item = OsString> {
    let names = std::env::vars_os().map(|(name, _)| name);
    names.filter(|name| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
    })
}
