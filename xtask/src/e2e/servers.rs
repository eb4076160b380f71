//! The servers of the suites: Tidegate, and the real OpenClaw gateway behind it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::environment::{FRONT_TOKEN, RUNTIME_TOKEN};
use crate::host::Host;

use super::background::{Background, Ending};

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

/// A real OpenClaw gateway, and the scripted LLM that its agents think with.
pub(crate) struct OpenClaw {
    _server: Background,
    /// Where the gateway is, without a path.
    pub(crate) url: String,
    /// Where the LLM is, without a path.
    pub(crate) llm: String,
}

impl OpenClaw {
    /// Starts both by the script that is given the folder for what they leave.
    ///
    /// # Errors
    /// A gateway that does not start.
    pub(crate) fn start(mut script: Command, log: &Path) -> Result<Self> {
        script.env(FRONT_TOKEN, GATEWAY_TOKEN);
        let (server, (url, llm)) = Background::start(script, log, Ending::CloseInput, |line| {
            let (url, llm) = line.strip_prefix("ready ")?.trim().split_once(' ')?;
            Some((url.to_owned(), llm.to_owned()))
        })?;
        Ok(Self {
            _server: server,
            url,
            llm,
        })
    }
}

/// Tidegate on a port of its own.
pub(crate) struct Tidegate {
    _server: Background,
    address: SocketAddr,
}

impl Tidegate {
    /// Serves a component with a configuration, and with the tests' tokens for
    /// its clients and for its runtime.
    ///
    /// # Errors
    /// A server that does not start.
    pub(crate) fn start(host: &Host, component: &Path, config: &Path, log: &Path) -> Result<Self> {
        let mut serve = host.serve(component)?;
        serve.args(["--listen", "127.0.0.1:0", "--config"]);
        serve.arg(config);
        serve.env_remove("OPENCLAW_GATEWAY_PASSWORD");
        serve.env(FRONT_TOKEN, TOKEN);
        serve.env(RUNTIME_TOKEN, GATEWAY_TOKEN);
        let (server, address) = Background::start(serve, log, Ending::Kill, served_address)?;
        Ok(Self {
            _server: server,
            address,
        })
    }

    /// Returns what OpenAI's clients take as their base URL.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }
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
