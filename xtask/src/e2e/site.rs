//! The environment of the suites: folders, programs and a shared OpenClaw.

use std::cell::{Cell, OnceCell};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::components::Runtime;
use crate::host::Host;
use crate::workspace::{Workspace, variables_of_cargo_run};

use super::packages::Packages;
use super::page;
use super::servers::{OPENCLAW_TOKEN, OpenClaw, SECRETS, Tidegate, free_address};

/// The environment of the suites.
pub(crate) struct Site<'a> {
    workspace: &'a Workspace,
    host: Host,
    packages: Packages,
    /// The files of this run: logs, configurations, OpenClaw's state.
    run: PathBuf,
    servers: Cell<usize>,
    openclaw: OnceCell<OpenClaw>,
}

impl<'a> Site<'a> {
    /// Installs the packages and creates an empty folder for this run.
    pub(crate) fn prepare(workspace: &'a Workspace, host: Host) -> Result<Self> {
        let home = workspace.target().join("e2e");
        let wanted = workspace.root().join("tests/e2e/packages");
        let packages = Packages::install(&wanted, home.join("packages"))?;
        let run = home.join("run");
        if run.exists() {
            fs::remove_dir_all(&run)?;
        }
        fs::create_dir_all(&run)?;
        let site = Self {
            workspace,
            host,
            packages,
            run,
            servers: Cell::new(0),
            openclaw: OnceCell::new(),
        };
        site.link_scripts()?;
        site.link_host()?;
        Ok(site)
    }

    /// Adds the host to the PATH as `wasmtime`.
    fn link_host(&self) -> Result<()> {
        let folder = self.file("bin");
        fs::create_dir_all(&folder)?;
        Ok(symlink(self.host.program(), folder.join("wasmtime"))?)
    }

    /// Links the scripts below the packages, because Node searches the parent folders of a
    /// script for packages.
    fn link_scripts(&self) -> Result<()> {
        let link = self.packages.folder().join("scripts");
        if link.symlink_metadata().is_ok() {
            fs::remove_file(&link)?;
        }
        Ok(symlink(self.scripts(), link)?)
    }

    fn scripts(&self) -> PathBuf {
        self.workspace.root().join("tests/e2e")
    }

    /// Returns a command that runs a script of `tests/e2e` with Node.
    pub(crate) fn node(&self, script: &str) -> Command {
        let mut node = Command::new(self.packages.node());
        node.args(["--preserve-symlinks", "--preserve-symlinks-main"]);
        node.arg(self.packages.folder().join("scripts").join(script));
        node
    }

    /// Returns a command that runs a script of `tests/e2e` with Python.
    pub(crate) fn python(&self, script: &str) -> Command {
        let mut python = Command::new(self.packages.python("python"));
        // Without -B, Python would write byte code into the repository.
        python.arg("-B").arg(self.scripts().join(script));
        // For `check.py`.
        python.env("PYTHONPATH", self.scripts().join("clients"));
        python
    }

    /// Returns a command that runs a script of `tests/e2e`, with Python or Node.
    pub(crate) fn script(&self, script: &str) -> Command {
        if script.ends_with(".py") {
            self.python(script)
        } else {
            self.node(script)
        }
    }

    /// Returns the folder of the packages' source distributions.
    pub(crate) fn sources(&self) -> PathBuf {
        self.packages.sources()
    }

    /// Starts Tidegate with a runtime and a configuration. In the configuration,
    /// `${OPENCLAW_GATEWAY_TOKEN}` is the clients' token.
    ///
    /// # Errors
    /// A server that does not start.
    pub(crate) fn tidegate(&self, runtime: Runtime, document: &str) -> Result<Tidegate> {
        let number = self.servers.replace(self.servers.get() + 1);
        let file = |end: &str| self.run.join(format!("tidegate-{number}.{end}"));
        let config = file("json5");
        fs::write(&config, document)?;
        let component = runtime.component(self.workspace);
        Tidegate::start(&self.host, &component, &config, &file("log"))
    }

    /// Returns the host of the suites.
    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    /// Returns the host of the other suites, unless this repository builds it.
    pub(crate) fn host_of_the_machine(&self) -> Option<Host> {
        (!self.host.is_embedded(self.workspace)).then(|| self.host.clone())
    }

    /// Returns the host that this repository builds. CI builds it if necessary.
    ///
    /// # Errors
    /// Outside of CI, a host that was not built yet, and a failed build.
    pub(crate) fn embedded_host(&self) -> Result<Host> {
        let is_built = Host::embedded(self.workspace).is_file();
        ensure!(
            is_built || std::env::var_os("CI").is_some(),
            "it was not built: set `TIDEGATE_HOST=embedded` to build it"
        );
        Host::build(self.workspace)
    }

    /// Returns the `wasmtime` of a wheel on PyPI.
    ///
    /// # Errors
    /// A wheel that PyPI does not have for this machine.
    pub(crate) fn wheel_of_wasmtime(&self, version: &str) -> Result<PathBuf> {
        self.packages.wheel_of_wasmtime(version)
    }

    /// Returns the repository's folder.
    pub(crate) fn root(&self) -> &Path {
        self.workspace.root()
    }

    /// Returns the path of a file or folder of this run.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.run.join(name)
    }

    /// Returns the path of a component in `dist/`.
    pub(crate) fn dist(&self, name: &str) -> PathBuf {
        self.workspace.dist().join(name)
    }

    /// Returns a command for a program that serves Tidegate, with Tidegate's secrets and
    /// without cargo's variables.
    pub(crate) fn program(&self, program: impl AsRef<OsStr>) -> Result<Command> {
        let mut command = Command::new(program);
        for name in variables_of_cargo_run() {
            command.env_remove(name);
        }
        command.env("PATH", self.path()?);
        command.envs(SECRETS);
        Ok(command)
    }

    /// Returns a command that runs the commands of a page, in a folder that contains links
    /// to the repository's files.
    ///
    /// # Errors
    /// A page that cannot be read, and an OpenClaw that does not start.
    pub(crate) fn page(&self, page: &str) -> Result<Command> {
        let folder = self.run.join(page.replace('/', "-"));
        fs::create_dir_all(&folder)?;
        for entry in fs::read_dir(self.workspace.root())? {
            let entry = entry?;
            symlink(entry.path(), folder.join(entry.file_name()))?;
        }
        // For the page's scripts in JavaScript.
        let modules = self.packages.folder().join("node_modules");
        symlink(modules, folder.join("node_modules"))?;
        let text = fs::read_to_string(self.workspace.root().join(page))?;
        let address = free_address()?;
        let mut values = vec![
            ("address", address.to_string()),
            (
                "python",
                self.packages.python("").join("..").display().to_string(),
            ),
        ];
        if page::declares(&text, "openclaw") {
            let url = &self.openclaw()?.url;
            values.push(("openclaw", url.trim_start_matches("http://").to_owned()));
            values.push(("openclaw-token", OPENCLAW_TOKEN.to_owned()));
        }
        let script = page::script(&text, &values);
        let mut bash = Command::new("bash");
        bash.env("CODEX_HOME", folder.join("codex"));
        bash.args(["-c", &script]).current_dir(folder);
        bash.env("ADDRESS", address.to_string());
        bash.env("PATH", self.path()?);
        let state = self.run.join("openclaw/state");
        bash.env("OPENCLAW_CONFIG_PATH", state.join("openclaw.json"));
        bash.env("OPENCLAW_STATE_DIR", state);
        for name in variables_of_cargo_run() {
            bash.env_remove(name);
        }
        Ok(bash)
    }

    /// Returns the PATH, extended by the packages' programs.
    fn path(&self) -> Result<OsString> {
        let node = self.packages.node();
        let mut folders = vec![
            self.file("bin"),
            self.packages.folder().join("node_modules/.bin"),
        ];
        folders.extend(node.parent().map(Path::to_owned));
        let path = std::env::var_os("PATH").unwrap_or_default();
        folders.extend(std::env::split_paths(&path));
        folders.push(self.packages.python(""));
        Ok(std::env::join_paths(folders)?)
    }

    /// Returns OpenClaw. The first call starts it.
    ///
    /// # Errors
    /// An OpenClaw that does not start.
    pub(crate) fn openclaw(&self) -> Result<&OpenClaw> {
        if self.openclaw.get().is_none() {
            let mut script = self.node("openclaw/gateway.mjs");
            script.arg(self.file("openclaw"));
            let openclaw = OpenClaw::start(script, &self.file("openclaw.log"))?;
            drop(self.openclaw.set(openclaw));
        }
        self.openclaw.get().context("there is no OpenClaw")
    }

    /// Starts another OpenClaw, with the settings of a JSON file or of a page of the
    /// documentation. Its folder has this name.
    ///
    /// # Errors
    /// An OpenClaw that does not start.
    pub(crate) fn openclaw_of(&self, name: &str, settings: &str) -> Result<OpenClaw> {
        let mut script = self.node("openclaw/gateway.mjs");
        script.arg(self.file(name)).arg(self.root().join(settings));
        OpenClaw::start(script, &self.file(&format!("{name}.log")))
    }
}
