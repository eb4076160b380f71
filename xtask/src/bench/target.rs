//! A server under test: the upstream itself, or a server in front of it in a separate
//! process.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::host::Host;

/// The time limit for the start of a server. The first start of a component compiles it.
const START_LIMIT: Duration = Duration::from_secs(60);

/// The programs to try. Debian installs nginx outside of the PATH of most users.
const NGINX: [&str; 2] = ["nginx", "/usr/sbin/nginx"];

/// A running server. It ends when this is dropped.
pub(crate) struct Target {
    /// The name in the report.
    pub(super) name: &'static str,
    /// The address that it listens on.
    pub(crate) address: SocketAddr,
    /// The time until the process accepted a connection.
    pub(super) started_in: Duration,
    process: Option<Child>,
}

impl Target {
    /// Returns the upstream itself.
    pub(super) fn direct(address: SocketAddr) -> Self {
        Self {
            name: "direct",
            address,
            started_in: Duration::ZERO,
            process: None,
        }
    }

    /// Serves a component on a host, with more arguments for `wasmtime serve`.
    pub(crate) fn component(
        host: &Host,
        name: &'static str,
        component: &Path,
        config: Option<&Path>,
        arguments: &[String],
    ) -> Result<Self> {
        Self::start(name, |address| {
            let mut command = host.serve(component)?;
            command.args(["--listen", &address.to_string()]);
            command.args(config.iter().flat_map(|file| [Path::new("--config"), file]));
            command.arg("--").args(arguments);
            Ok(command)
        })
    }

    /// Starts nginx as a reverse proxy, if it is installed.
    pub(super) fn nginx(upstream: SocketAddr, folder: &Path) -> Result<Option<Self>> {
        let is_installed =
            |name: &&str| Command::new(name).arg("-v").stderr(Stdio::null()).status();
        let Some(program) = NGINX.into_iter().find(|name| is_installed(name).is_ok()) else {
            return Ok(None);
        };
        let file = folder.join("nginx.conf");
        let target = Self::start("nginx", |address| {
            fs::write(&file, nginx_config(address, upstream, folder))?;
            let mut command = Command::new(program);
            command.arg("-p").arg(folder).arg("-c").arg(&file);
            Ok(command)
        });
        target.map(Some)
    }

    fn start(name: &'static str, command: impl Fn(SocketAddr) -> Result<Command>) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = command(address)?;
        // The server still writes its log, to nowhere.
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let begun = Instant::now();
        let process = command.stderr(Stdio::null()).spawn();
        let process = process.with_context(|| format!("cannot start {name}"))?;
        let mut target = Self {
            name,
            address,
            started_in: Duration::ZERO,
            process: Some(process),
        };
        while TcpStream::connect(address).is_err() {
            if begun.elapsed() > START_LIMIT || target.has_ended()? {
                bail!("{name} does not serve {address}: run it by hand to see why");
            }
            thread::sleep(Duration::from_millis(1));
        }
        target.started_in = begun.elapsed();
        Ok(target)
    }

    fn has_ended(&mut self) -> Result<bool> {
        let process = self.process.as_mut();
        Ok(process
            .map(Child::try_wait)
            .transpose()?
            .flatten()
            .is_some())
    }

    /// Returns the usage of the process. Only Linux reports it.
    pub(crate) fn usage(&self) -> Option<Usage> {
        let folder = PathBuf::from(format!("/proc/{}", self.process.as_ref()?.id()));
        let status = fs::read_to_string(folder.join("status")).ok()?;
        let stat = fs::read_to_string(folder.join("stat")).ok()?;
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let resident = resident.trim().trim_end_matches(" kB").parse().ok()?;
        // Fields from the third on follow the command's name; the times are the 14th and
        // the 15th, in hundredths of a second.
        let (_, fields) = stat.rsplit_once(") ")?;
        let fields: Vec<_> = fields.split(' ').collect();
        let ticks = |at: usize| fields.get(at - 3)?.parse::<u64>().ok();
        Some(Usage {
            resident_kib: resident,
            processor: Duration::from_millis(10 * (ticks(14)? + ticks(15)?)),
        })
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            // Both fail only for a process that has already ended.
            process.kill().ok();
            process.wait().ok();
        }
    }
}

/// The resources that a process uses.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    /// Its resident memory, in KiB.
    pub(crate) resident_kib: u64,
    /// Its processor time.
    pub(super) processor: Duration,
}

fn nginx_config(address: SocketAddr, upstream: SocketAddr, folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "daemon off; master_process off; pid {folder}/nginx.pid; error_log /dev/null;
         events {{ worker_connections 4096; }}
         http {{
           access_log off; client_max_body_size 32m; keepalive_requests 1000000;
           client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
           uwsgi_temp_path {folder}; scgi_temp_path {folder};
           upstream model {{ server {upstream}; keepalive 64; keepalive_requests 1000000; }}
           server {{
             listen {address};
             location / {{
               proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection '';
               proxy_buffering off;
             }}
           }}
         }}"
    )
}
