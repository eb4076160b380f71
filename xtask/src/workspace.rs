//! The repository's folders and its cargo commands.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context as _, Result, ensure};

/// The target that the components are built for.
pub(crate) const WASM_TARGET: &str = "wasm32-wasip2";

/// The repository.
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Finds the repository: the one in which cargo runs this program, else the one that it was
    /// built from. Copies of a repository can share a target folder.
    pub(crate) fn locate() -> Result<Self> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        // A test that runs this program has the variable of its own package.
        let manifest = manifest.filter(|manifest| manifest.ends_with("xtask"));
        let manifest = manifest.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        // The folder may contain links to the repository's files. Cargo would build everything
        // again for another path.
        let manifest = manifest.canonicalize()?;
        let root = manifest.parent().context("xtask has no workspace")?;
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            // Relative to the current folder, as cargo interprets it.
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

    /// Returns cargo's target folder.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Returns the same repository with a target folder inside of its own.
    pub(crate) fn with_target(&self, name: &str) -> Self {
        let root = self.root.clone();
        let target = self.target.join(name);
        Self { root, target }
    }

    /// Returns the folder for finished components: `dist/`.
    pub(crate) fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    /// Returns the folder in which cargo builds the components.
    pub(crate) fn release(&self) -> PathBuf {
        self.target.join(WASM_TARGET).join("release")
    }

    /// Runs a cargo command with inherited output.
    ///
    /// # Errors
    /// [`CommandFailed`] with the command's exit code.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Result<()> {
        succeed(&mut self.cargo_command(arguments))
    }

    /// Returns a cargo command.
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

    /// Installs the components' compilation target if it is missing.
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

/// A command that exited with an error.
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

/// Runs a command with inherited output.
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
        "cannot check for the target {WASM_TARGET}: install rustup from https://rustup.rs"
    ))
}

/// Returns the names of the variables that `cargo run` sets.
///
/// Build scripts that depend on them, such as ring's, would run again each time that
/// xtask's cargo and the user's cargo alternate.
pub(crate) fn variables_of_cargo_run() -> impl Iterator<Item = OsString> {
    let names = std::env::vars_os().map(|(name, _)| name);
    names.filter(|name| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
    })
}
