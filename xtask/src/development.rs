//! `cargo xtask up`: from a fresh clone to an answered request.
//!
//! Without a configuration it uses the repository's `tidegate.json5` and a
//! token that everyone knows, and therefore stays on this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::components::{self, Runtime};
use crate::environment::{Environment, FRONT_TOKEN, RUNTIME_TOKEN};
use crate::host::HostChoice;
use crate::server::{DEFAULT_LISTEN, Server};
use crate::workspace::Workspace;

/// The configuration where none is given.
const CONFIG: &str = include_str!("../../tidegate.json5");

/// The front door's token where no configuration is given.
const TOKEN: &str = "tidegate-dev";

/// The arguments of `cargo xtask up`.
#[derive(Args)]
pub(crate) struct Up {
    /// What carries out the runs behind the gateway.
    #[arg(long, value_enum, default_value_t = Runtime::Rehearsal)]
    runtime: Runtime,
    /// The configuration; without one, the repository's `tidegate.json5` with
    /// the token `tidegate-dev`.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = DEFAULT_LISTEN)]
    listen: SocketAddr,
    #[command(flatten)]
    host: HostChoice,
}

impl Up {
    /// Builds, and serves until it is interrupted.
    pub(crate) fn run(self, workspace: &Workspace) -> Result<()> {
        ensure!(
            self.config.is_some() || self.listen.ip().is_loopback(),
            "{} can be reached from other machines, and the token {TOKEN} is known to all: \
             give a --config with a token of your own",
            self.listen
        );
        let environment = self.environment()?;
        let claim = claim(self.listen)?;
        let address = claim.local_addr()?;
        let host = self.host.find(workspace)?;
        components::build_composed(workspace, self.runtime)?;
        drop(claim);
        println!("{}", self.announcement(address));
        let server = Server {
            component: &self.runtime.composed(workspace),
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
        let environment = Environment::with_document(CONFIG).with(FRONT_TOKEN, TOKEN);
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

    /// The word that stands for the token in a command: itself only where it
    /// is no secret.
    fn shown_token(&self) -> &'static str {
        match (&self.config, std::env::var_os(FRONT_TOKEN)) {
            (None, _) => TOKEN,
            (Some(_), Some(_)) => "$OPENCLAW_GATEWAY_TOKEN",
            (Some(_), None) => "<your token>",
        }
    }
}

/// The token for the runtime behind the runtime component. OpenClaw's own
/// variable names it too: the token of this front door is another one here.
fn runtime_token() -> Option<String> {
    let names = [RUNTIME_TOKEN, FRONT_TOKEN];
    names.into_iter().find_map(|name| std::env::var(name).ok())
}

/// Takes the address, so that a port in use is told before a build and a free
/// one stays free during it.
fn claim(listen: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(listen)
        .with_context(|| format!("cannot listen on {listen}: choose another address by --listen"))
}

/// Returns the address by which this machine reaches a server that listens on
/// all of its addresses.
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
    fn the_known_token_is_kept_from_other_machines() {
        let workspace = Workspace::locate().unwrap();
        let error = up(None).run(&workspace).unwrap_err().to_string();
        assert!(error.contains("--config"), "{error}");
    }

    #[test]
    fn the_announced_command_is_one_line_that_reaches_this_machine() {
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
