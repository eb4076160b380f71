//! `cargo xtask up`: builds and serves a fresh clone with one command.
//!
//! Without a configuration it uses the repository's `tidegate.json5` and a publicly known
//! token, so it only listens on this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use tidegate_config::variables::{GATEWAY_TOKEN, RUNTIME_TOKEN};

use crate::components::{self, Runtime};
use crate::environment::Environment;
use crate::host::HostChoice;
use crate::server::{DEFAULT_LISTEN, Server};
use crate::workspace::Workspace;

/// The default configuration.
const CONFIG: &str = include_str!("../../tidegate.json5");

/// The gateway's token with the default configuration.
const TOKEN: &str = "tidegate-dev";

/// The arguments of `cargo xtask up`.
#[derive(Args)]
pub(crate) struct Up {
    /// The agent runtime.
    #[arg(long, value_enum, default_value_t = Runtime::Rehearsal)]
    runtime: Runtime,
    /// The configuration. Default: the repository's `tidegate.json5` with the token
    /// `tidegate-dev`.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The address to listen on; port 0 selects a free port.
    #[arg(long, value_name = "ADDR", default_value = DEFAULT_LISTEN)]
    listen: SocketAddr,
    #[command(flatten)]
    host: HostChoice,
}

impl Up {
    /// Builds, and serves until the process is interrupted.
    pub(crate) fn run(self, workspace: &Workspace) -> Result<()> {
        ensure!(
            self.config.is_some() || self.listen.ip().is_loopback(),
            "other machines can connect to {}, and the token {TOKEN} is publicly known: \
             use --config with a secret token",
            self.listen
        );
        let environment = self.environment()?;
        let reserved = reserve(self.listen)?;
        let address = reserved.local_addr()?;
        let host = self.host.find(workspace)?;
        components::build_linked(workspace, self.runtime)?;
        drop(reserved);
        println!("{}", self.announcement(address));
        let server = Server {
            component: &self.runtime.component(workspace),
            environment: &environment,
            listen: address,
            more: &[],
        };
        server.run(&host)
    }

    fn environment(&self) -> Result<Environment> {
        if let Some(file) = &self.config {
            return Environment::load(Some(file));
        }
        let environment = Environment::with_document(CONFIG).with(GATEWAY_TOKEN, TOKEN);
        Ok(match (self.runtime, runtime_token()) {
            (Runtime::Openclaw, Some(token)) => environment.with(RUNTIME_TOKEN, token),
            (Runtime::Openclaw, None) | (Runtime::Rehearsal, _) => environment,
        })
    }

    fn announcement(&self, address: SocketAddr) -> String {
        let runtime = self.runtime.name();
        let curl = curl(reachable(address), self.shown_token());
        format!(
            "\nTidegate starts on http://{address}, with the runtime {runtime}. Try:\n\n{curl}\n"
        )
    }

    /// Returns the token for a printed command. A secret token is replaced by its variable
    /// or a placeholder.
    fn shown_token(&self) -> &'static str {
        match (&self.config, std::env::var_os(GATEWAY_TOKEN)) {
            (None, _) => TOKEN,
            (Some(_), Some(_)) => "$OPENCLAW_GATEWAY_TOKEN",
            (Some(_), None) => "<your token>",
        }
    }
}

/// Returns the token that the runtime component sends to its backend. OpenClaw's variable
/// contains it as well, because the gateway uses its own token here.
fn runtime_token() -> Option<String> {
    let names = [RUNTIME_TOKEN, GATEWAY_TOKEN];
    names.into_iter().find_map(|name| std::env::var(name).ok())
}

/// Reserves the address, so that a port in use is reported before the build and a free
/// port stays free during it.
fn reserve(listen: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(listen)
        .with_context(|| format!("cannot listen on {listen}: choose another address with --listen"))
}

/// Returns an address with which this machine can connect to a server that listens on all
/// addresses.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn curl(address: SocketAddr, token: &str) -> String {
    let body =
        r#"{"model":"openclaw","stream":true,"messages":[{"role":"user","content":"Hello"}]}"#;
    format!(
        "curl -N http://{address}/v1/chat/completions -H \"Authorization: Bearer {token}\" -d '{body}'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(config: Option<&str>) -> Up {
        Up {
            runtime: Runtime::Rehearsal,
            config: config.map(PathBuf::from),
            listen: "0.0.0.0:3000".parse().unwrap(),
            host: HostChoice::default(),
        }
    }

    #[test]
    fn the_known_token_is_refused_on_public_addresses() {
        let workspace = Workspace::locate().unwrap();
        let error = up(None).run(&workspace).unwrap_err().to_string();
        assert!(error.contains("--config"), "{error}");
    }

    #[test]
    fn the_printed_command_is_one_line_and_connects_to_this_machine() {
        let announcement = up(None).announcement("0.0.0.0:3000".parse().unwrap());
        let command = announcement.lines().find(|line| line.starts_with("curl"));
        let expected = r#"curl -N http://127.0.0.1:3000/v1/chat/completions -H "Authorization: Bearer tidegate-dev" -d '{"model":"openclaw","stream":true,"messages":[{"role":"user","content":"Hello"}]}'"#;
        assert_eq!(command, Some(expected));
    }

    #[test]
    fn a_configured_token_is_never_shown() {
        let shown = up(Some("my.json5")).shown_token();
        assert!(["$OPENCLAW_GATEWAY_TOKEN", "<your token>"].contains(&shown));
    }
}
