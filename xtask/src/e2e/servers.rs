//! The servers of the suites: Tidegate, and OpenClaw as its runtime.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use tidegate_config::variables::{GATEWAY_PASSWORD, GATEWAY_TOKEN, RUNTIME_TOKEN};

use crate::host::Host;

use super::background::{Background, Ending};

/// The token of the clients.
pub(crate) const TOKEN: &str = "e2e-token-of-the-clients";

/// The token of OpenClaw, which clients must not know.
pub(crate) const OPENCLAW_TOKEN: &str = "e2e-token-of-the-runtime";

/// Tidegate's secrets and their variables.
pub(crate) const SECRETS: [(&str, &str); 3] = [
    (GATEWAY_TOKEN, TOKEN),
    (RUNTIME_TOKEN, OPENCLAW_TOKEN),
    ("TIDEGATE_SESSION_SECRET", "e2e-secret-of-the-sessions"),
];

/// A real OpenClaw, and the scripted LLM of its agents.
pub(crate) struct OpenClaw {
    _server: Background,
    /// OpenClaw's URL, without a path.
    pub(crate) url: String,
    /// The LLM's URL, without a path.
    pub(crate) llm: String,
}

impl OpenClaw {
    /// Starts both with a script.
    ///
    /// # Errors
    /// A server that does not start.
    pub(crate) fn start(mut script: Command, log: &Path) -> Result<Self> {
        script.env(GATEWAY_TOKEN, OPENCLAW_TOKEN);
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

/// Tidegate on a free port.
pub(crate) struct Tidegate {
    _server: Background,
    address: SocketAddr,
}

impl Tidegate {
    /// Serves a component with a configuration and the tokens of the tests.
    ///
    /// # Errors
    /// A server that does not start.
    pub(crate) fn start(host: &Host, component: &Path, config: &Path, log: &Path) -> Result<Self> {
        let mut serve = host.serve(component)?;
        serve.args(["--listen", "127.0.0.1:0", "--config"]);
        serve.arg(config);
        serve.env_remove(GATEWAY_PASSWORD);
        serve.env(GATEWAY_TOKEN, TOKEN);
        serve.env(RUNTIME_TOKEN, OPENCLAW_TOKEN);
        let (server, address) = Background::start(serve, log, Ending::Kill, served_address)?;
        Ok(Self {
            _server: server,
            address,
        })
    }

    /// Returns the base URL for OpenAI's clients.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }
}

/// A proxy in front of several Tidegates that keeps their replies.
pub(crate) struct Recorder<const N: usize> {
    _server: Background,
    /// The base URLs for OpenAI's clients, in the order of the Tidegates.
    pub(crate) base_urls: [String; N],
}

impl<const N: usize> Recorder<N> {
    /// Starts the proxy with a script, which gets the URLs of the Tidegates.
    ///
    /// # Errors
    /// A proxy that does not start.
    pub(crate) fn start(
        mut script: Command,
        tidegates: [&Tidegate; N],
        log: &Path,
    ) -> Result<Self> {
        script.args(tidegates.map(|tidegate| format!("http://{}", tidegate.address)));
        let (server, base_urls) = Background::start(script, log, Ending::CloseInput, |line| {
            let urls = line.strip_prefix("ready ")?.split_whitespace();
            let urls: Vec<_> = urls.map(|url| format!("{url}/v1")).collect();
            urls.try_into().ok()
        })?;
        Ok(Self {
            _server: server,
            base_urls,
        })
    }
}

/// Returns a local address with a free port.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Parses the line in which `wasmtime serve` prints its address.
fn served_address(line: &str) -> Option<SocketAddr> {
    let (_, address) = line.split_once("Serving HTTP on http://")?;
    address.trim().trim_end_matches('/').parse().ok()
}
