//! Where the suites run: their folders, their programs and the servers that
//! they share.

use std::cell::{Cell, OnceCell};
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::components::Runtime;
use crate::environment::{FRONT_TOKEN, RUNTIME_TOKEN};
use crate::workspace::{Workspace, variables_of_cargo_run};

use super::background::{Background, Ending};
use super::packages::Packages;
use super::page;

/// What clients send in the tests.
pub(crate) const TOKEN: &str = "e2e-token-of-the-front-door";

/// What OpenClaw asks for, and no client may have.
pub(crate) const GATEWAY_TOKEN: &str = "e2e-token-of-the-runtime";

/// The secrets of a Tidegate, by the variables that hold them.
pub(crate) const SECRETS: [(&str, &str); 3] = [
    (FRONT_TOKEN, TOKEN),
    (RUNTIME_TOKEN, GATEWAY_TOKEN),
    ("TIDEGATE_SESSION_SECRET", "e2e-secret-of-the-sessions"),
];

/// The place of the tests.
pub(crate) struct Site<'a> {
    workspace: &'a Workspace,
    packages: Packages,
    /// What one run leaves behind: logs, configurations, OpenClaw's state.
    run: PathBuf,
    servers: Cell<usize>,
    openclaw: OnceCell<OpenClaw>,
}

/// A real OpenClaw gateway, and the scripted LLM that its agents think with.
pub(crate) struct OpenClaw {
    _server: Background,
    /// Where the gateway is, without a path.
    pub(crate) url: String,
    /// Where the LLM is, without a path.
    pub(crate) llm: String,
}

/// Tidegate on a port of its own.
pub(crate) struct Tidegate {
    _server: Background,
    address: SocketAddr,
}

impl Tidegate {
    /// Returns what OpenAI's clients take as their base URL.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }
}

impl<'a> Site<'a> {
    /// Installs the packages and makes an empty folder for this run.
    pub(crate) fn prepare(workspace: &'a Workspace) -> Result<Self> {
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
            packages,
            run,
            servers: Cell::new(0),
            openclaw: OnceCell::new(),
        };
        site.link_scripts()?;
        site.write_wasmtime()?;
        Ok(site)
    }

    /// Makes a `wasmtime` for the path of the one that is embedded here.
    fn write_wasmtime(&self) -> Result<()> {
        let program = self.file("bin/wasmtime");
        fs::create_dir_all(self.file("bin"))?;
        let xtask = std::env::current_exe()?;
        fs::write(
            &program,
            format!("#!/bin/sh\nexec '{}' wasmtime \"$@\"\n", xtask.display()),
        )?;
        Ok(fs::set_permissions(program, Permissions::from_mode(0o755))?)
    }

    /// Node looks for packages in the folders above a script.
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

    /// Prepares a script of `tests/e2e` for Node.
    pub(crate) fn node(&self, script: &str) -> Command {
        let mut node = Command::new(self.packages.node());
        node.args(["--preserve-symlinks", "--preserve-symlinks-main"]);
        node.arg(self.packages.folder().join("scripts").join(script));
        node
    }

    /// Prepares a script of `tests/e2e` for Python.
    pub(crate) fn python(&self, script: &str) -> Command {
        let mut python = Command::new(self.packages.python("python"));
        // It would leave its byte code in the repository.
        python.arg("-B").arg(self.scripts().join(script));
        python
    }

    /// Returns a file of the repository.
    pub(crate) fn repository(&self, file: &str) -> PathBuf {
        self.workspace.root().join(file)
    }

    /// Returns the folder of the packages' source distributions.
    pub(crate) fn sources(&self) -> PathBuf {
        self.packages.sources()
    }

    /// Makes an empty folder that the next run removes.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.run.join(name);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Starts Tidegate with a runtime and a configuration, which may name
    /// `${OPENCLAW_GATEWAY_TOKEN}`, the clients' token.
    ///
    /// # Errors
    /// A server that does not start.
    pub(crate) fn tidegate(&self, runtime: Runtime, document: &str) -> Result<Tidegate> {
        let number = self.servers.replace(self.servers.get() + 1);
        let file = |end: &str| self.run.join(format!("tidegate-{number}.{end}"));
        let config = file("json5");
        fs::write(&config, document)?;
        let mut serve = Command::new(std::env::current_exe()?);
        serve.arg("serve").arg(runtime.composed(self.workspace));
        serve
            .args(["--listen", "127.0.0.1:0", "--config"])
            .arg(config);
        serve.env_remove("OPENCLAW_GATEWAY_PASSWORD");
        serve
            .env(FRONT_TOKEN, TOKEN)
            .env(RUNTIME_TOKEN, GATEWAY_TOKEN);
        let (server, address) =
            Background::start(serve, &file("log"), Ending::Kill, served_address)?;
        Ok(Tidegate {
            _server: server,
            address,
        })
    }

    /// Returns the repository's folder.
    pub(crate) fn root(&self) -> &Path {
        self.workspace.root()
    }

    /// Returns a file or folder of this run's own.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.run.join(name)
    }

    /// Returns a component of `dist/`.
    pub(crate) fn dist(&self, name: &str) -> PathBuf {
        self.workspace.dist().join(name)
    }

    /// Prepares a program that serves Tidegate, with the secrets that it may
    /// need and nothing that cargo has told this one.
    pub(crate) fn program(&self, program: &str) -> Result<Command> {
        let mut command = Command::new(program);
        for name in variables_of_cargo_run() {
            command.env_remove(name);
        }
        command.env("PATH", self.path()?);
        command.envs(SECRETS);
        Ok(command)
    }

    /// Prepares the commands of a page, to be run in a folder in which the
    /// repository's files appear beside what the page saves.
    ///
    /// # Errors
    /// A page that cannot be read, and an OpenClaw gateway that it needs and
    /// that does not start.
    pub(crate) fn page(&self, page: &str) -> Result<Command> {
        let folder = self.run.join(page.replace('/', "-"));
        fs::create_dir_all(&folder)?;
        for entry in fs::read_dir(self.workspace.root())? {
            let entry = entry?;
            symlink(entry.path(), folder.join(entry.file_name()))?;
        }
        let text = fs::read_to_string(self.workspace.root().join(page))?;
        let address = free_address()?;
        let mut meanings = vec![
            ("address", address.to_string()),
            (
                "python",
                self.packages.python("").join("..").display().to_string(),
            ),
        ];
        if page::declares(&text, "openclaw") {
            let url = &self.openclaw()?.url;
            meanings.push(("openclaw", url.trim_start_matches("http://").to_owned()));
            meanings.push(("openclaw-token", GATEWAY_TOKEN.to_owned()));
        }
        let script = page::script(&text, &meanings);
        let mut bash = Command::new("bash");
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

    /// Returns where programs are looked for: among the packages, too.
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

    /// Returns the OpenClaw gateway, which starts when it is first asked for.
    ///
    /// # Errors
    /// A gateway that does not start.
    pub(crate) fn openclaw(&self) -> Result<&OpenClaw> {
        if self.openclaw.get().is_none() {
            let openclaw = self.start_openclaw()?;
            drop(self.openclaw.set(openclaw));
        }
        self.openclaw.get().context("there is no OpenClaw gateway")
    }

    fn start_openclaw(&self) -> Result<OpenClaw> {
        let mut script = self.node("openclaw/gateway.mjs");
        script.arg(self.run.join("openclaw"));
        script.env(FRONT_TOKEN, GATEWAY_TOKEN);
        let log = self.run.join("openclaw.log");
        let (server, (url, llm)) = Background::start(script, &log, Ending::CloseInput, |line| {
            let (url, llm) = line.strip_prefix("ready ")?.trim().split_once(' ')?;
            Some((url.to_owned(), llm.to_owned()))
        })?;
        Ok(OpenClaw {
            _server: server,
            url,
            llm,
        })
    }
}

/// Returns an ordinary configuration, with the runtime at that URL.
pub(crate) fn document(runtime: &str) -> String {
    format!(
        "{{
  gateway: {{
    auth: {{ mode: 'token', token: '${{OPENCLAW_GATEWAY_TOKEN}}' }},
    http: {{ endpoints: {{ chatCompletions: {{ enabled: true }} }} }},
  }},
  agents: {{ entries: {{ main: {{}}, research: {{}} }} }},
  tidegate: {{ runtime: {{ url: '{runtime}' }} }},
}}"
    )
}

/// Returns an address of this machine that nobody listens at.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Reads the line by which `wasmtime serve` tells its address.
fn served_address(line: &str) -> Option<SocketAddr> {
    let (_, address) = line.split_once("Serving HTTP on http://")?;
    address.trim().trim_end_matches('/').parse().ok()
}
