//! The host: the `wasmtime` that serves components.
//!
//! The search order; the selected host is printed:
//!
//! 1. `--host` or the variable `TIDEGATE_HOST`: a program, or `embedded`;
//! 2. a `wasmtime` of version 48 or later on the PATH;
//! 3. `embedded`: the package `host`, built when needed.

use std::env::{self, consts::EXE_SUFFIX};
use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::workspace::Workspace;

/// The variable that selects the host.
pub(crate) const VARIABLE: &str = "TIDEGATE_HOST";

/// The name of the host that this repository builds.
pub(crate) const EMBEDDED: &str = "embedded";

/// The first version of Wasmtime that serves WASI 0.3.
const FIRST_MAJOR: u32 = 48;

/// The time limit for a program to print its version.
const VERSION_LIMIT: Duration = Duration::from_secs(10);

/// The build time of the host on two cores.
const BUILD_MINUTES: u32 = 7;

/// The selection of a host.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct HostChoice {
    /// The host: the path of a `wasmtime`, or `embedded` to build one. Default: a
    /// `wasmtime` 48 or later on the PATH, otherwise `embedded`. The variable
    /// `TIDEGATE_HOST` is an alternative to this option.
    #[arg(long = "host", value_name = "PATH")]
    wanted: Option<PathBuf>,
}

impl HostChoice {
    /// Finds or builds the host, and prints it.
    ///
    /// # Errors
    /// A selected program that is not a `wasmtime` of version 48 or later, and a failed
    /// build.
    pub(crate) fn find(&self, workspace: &Workspace) -> Result<Host> {
        let variable = env::var_os(VARIABLE).filter(|value| !value.is_empty());
        let wanted = self.wanted.clone().or(variable.map(PathBuf::from));
        let host = match wanted.as_deref() {
            Some(word) if word == Path::new(EMBEDDED) => Host::build(workspace)?,
            Some(program) => Host::wanted(program)?,
            None => match Host::on_path() {
                Some(host) => host,
                None => Host::build(workspace)?,
            },
        };
        eprintln!("host: {host}");
        Ok(host)
    }
}

/// A `wasmtime` that serves WASI 0.3.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    program: PathBuf,
    version: Version,
}

impl Host {
    /// Returns the path of the program.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Returns whether this is the host that this repository builds.
    pub(crate) fn is_embedded(&self, workspace: &Workspace) -> bool {
        self.program == Self::embedded(workspace)
    }

    /// Returns a command that serves a component on this host like `cargo xtask serve`.
    pub(crate) fn serve(&self, component: &Path) -> Result<Command> {
        let mut command = Command::new(env::current_exe()?);
        command.env(VARIABLE, &self.program);
        command.arg("serve").arg(component);
        Ok(command)
    }

    /// Builds the package `host`, unless it is up to date.
    pub(crate) fn build(workspace: &Workspace) -> Result<Self> {
        let program = Self::embedded(workspace);
        if !program.is_file() {
            eprintln!(
                "Building Wasmtime once, about {BUILD_MINUTES} minutes on two cores. To skip the build, \
                 install `wasmtime` {FIRST_MAJOR} or later: https://wasmtime.dev"
            );
        }
        workspace.cargo(&["build", "--package=host", "--profile=host"])?;
        Self::of(program)
    }

    /// Returns the path of the program that the package `host` builds.
    pub(crate) fn embedded(workspace: &Workspace) -> PathBuf {
        workspace.target().join("host").join(file_name())
    }

    fn wanted(program: &Path) -> Result<Self> {
        let is_name = program.parent() == Some(Path::new(""));
        let found = is_name.then(|| on_path(program.as_os_str()).next());
        match found.flatten() {
            Some(found) => Self::of(found),
            None => Self::of(std::path::absolute(program)?),
        }
    }

    /// Returns the first supported `wasmtime` on the PATH.
    fn on_path() -> Option<Self> {
        on_path(OsStr::new(&file_name())).find_map(|program| {
            let host = Self::of(program);
            host.inspect_err(|error| eprintln!("ignored: {error:#}"))
                .ok()
        })
    }

    /// Runs a program to read its version.
    pub(crate) fn of(program: PathBuf) -> Result<Self> {
        let shown = program.display();
        let printed = print_version(&program);
        let printed = printed.with_context(|| format!("cannot run {shown}"))?;
        let version = printed.as_deref().and_then(Version::parse);
        let version = version.with_context(|| format!("{shown} is not a `wasmtime`"))?;
        ensure!(
            version.major >= FIRST_MAJOR,
            "{shown} is {version}, but WASI 0.3 needs {FIRST_MAJOR} or later"
        );
        Ok(Self { program, version })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.version, self.program.display())
    }
}

/// Returns the version that a program prints. Returns `None` if the program fails or
/// exceeds the time limit.
fn print_version(program: &Path) -> io::Result<Option<String>> {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let begun = Instant::now();
    while begun.elapsed() < VERSION_LIMIT {
        match child.try_wait()? {
            Some(status) if status.success() => {
                let mut line = [0; 256];
                let mut output = child.stdout.take();
                let length = output
                    .as_mut()
                    .map_or(Ok(0), |output| output.read(&mut line))?;
                let line = line.get(..length).unwrap_or_default();
                return Ok(Some(String::from_utf8_lossy(line).into_owned()));
            }
            Some(_) => return Ok(None),
            None => thread::sleep(Duration::from_millis(5)),
        }
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

/// The output of `wasmtime --version`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    text: String,
    major: u32,
}

impl Version {
    /// Reads `wasmtime 48.0.2 (e9f1ea232 2026-09-10)`.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (major, _) = text.strip_prefix("wasmtime ")?.split_once('.')?;
        let major = major.parse().ok()?;
        let text = text.to_owned();
        Some(Self { text, major })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn file_name() -> String {
    format!("wasmtime{EXE_SUFFIX}")
}

/// Returns the files with a name in the folders of the PATH, in their order.
fn on_path(name: &OsStr) -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = env::split_paths(&path).collect();
    let files = folders.into_iter().map(move |folder| folder.join(name));
    files.filter(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_parsed_from_the_output_of_wasmtime() {
        let line = "wasmtime 48.0.2 (e9f1ea232 2026-09-10)\n";
        let version = Version::parse(line).unwrap();
        assert_eq!(
            (version.major, version.to_string()),
            (48, line.trim().to_owned())
        );
        assert_eq!(Version::parse("wasmtime 50.0.1").unwrap().major, 50);
        for other in [
            "",
            "wasmtime",
            "wasmtime x.1",
            "spin 4.1.0",
            "wasmtime-min 48.0.2",
        ] {
            assert_eq!(Version::parse(other), None, "{other}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn an_unsupported_program_is_refused_with_its_path() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = env::temp_dir().join(format!("tidegate-host-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let program = folder.join("wasmtime");
        for (line, expected) in [
            ("wasmtime 48.0.2'; exit 3; '", "is not a `wasmtime`"),
            (
                "wasmtime 47.0.3",
                "is wasmtime 47.0.3, but WASI 0.3 needs 48 or later",
            ),
            ("something else", "is not a `wasmtime`"),
        ] {
            std::fs::write(&program, format!("#!/bin/sh\necho '{line}'\n")).unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
            let error = Host::wanted(&program).unwrap_err().to_string();
            assert_eq!(error, format!("{} {expected}", program.display()));
        }
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(Host::wanted(&program).is_err());
    }
}
