//! The real server: `xtask serve` with one component, in a process of its own.

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::WAIT_LIMIT;
use super::request::{self, Request};
use super::watched::Watched;

/// How long a server may take to start. The first start compiles the component,
/// and several tests may start servers at the same time.
const START_LIMIT: Duration = Duration::from_secs(60);

/// The variables that xtask reads. They are unset unless a test sets them.
const WELL_KNOWN: [&str; 3] = [
    "OPENCLAW_GATEWAY_TOKEN",
    "OPENCLAW_GATEWAY_PASSWORD",
    "TIDEGATE_RUNTIME_TOKEN",
];

/// A running server. Dropping it ends the process.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    log: Arc<Watched<Log>>,
    config: PathBuf,
    store: Option<PathBuf>,
    mounted: Vec<PathBuf>,
}

impl Server {
    /// Starts the gateway with a runtime (`rehearsal`, `openclaw`) and a
    /// configuration document.
    pub(crate) fn start(runtime: &str, config: &str) -> Self {
        Self::builder(runtime).config(config).start()
    }

    /// Prepares a server.
    pub(crate) fn builder(runtime: &str) -> ServerBuilder {
        ServerBuilder {
            runtime: runtime.to_owned(),
            gateway: None,
            middleware: None,
            config: String::new(),
            variables: Vec::new(),
            arguments: Vec::new(),
            store: None,
            mounted: Vec::new(),
        }
    }

    /// Returns the address that the server listens on.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the server's process id.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Returns the folder of the server's store.
    pub(crate) fn store(&self) -> &Path {
        self.store.as_deref().expect("a server with a store")
    }

    /// Prepares a request.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        Request::new(self.address, method, path)
    }

    /// Opens a connection.
    pub(crate) fn connect(&self) -> TcpStream {
        request::connect(self.address)
    }

    /// Sends bytes and returns everything that the server sends until it closes
    /// the connection, which the bytes must request with `Connection: close`.
    pub(crate) fn raw(&self, bytes: impl AsRef<[u8]>) -> Vec<u8> {
        request::raw(self.address, bytes.as_ref())
    }

    /// Interrupts the server, as Ctrl-C does.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        let process = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &process]).status();
        assert!(sent.is_ok_and(|sent| sent.success()), "kill -INT fails");
    }

    /// Waits until the server has exited on its own.
    pub(crate) fn wait_for_exit(&mut self) -> ExitStatus {
        let begun = Instant::now();
        while begun.elapsed() < WAIT_LIMIT {
            if let Some(status) = self.child.try_wait().expect("its status") {
                return status;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("the server does not exit:\n{}", self.log());
    }

    /// Returns the output of the server and its component so far.
    pub(crate) fn log(&self) -> String {
        self.log.read(|log| log.text.clone())
    }

    /// Waits until the log meets a condition, and returns it.
    pub(crate) fn wait_for_log(&self, expected: impl Fn(&str) -> bool) -> String {
        let log = self.log.wait(WAIT_LIMIT, |log| {
            expected(&log.text).then(|| log.text.clone())
        });
        log.unwrap_or_else(|| panic!("the log is not as expected:\n{}", self.log()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only if the process has already exited.
        drop(self.child.kill());
        drop(self.child.wait());
        drop(fs::remove_file(&self.config));
        for folder in &self.mounted {
            drop(fs::remove_dir_all(folder));
        }
    }
}

/// A server that has not started.
pub(crate) struct ServerBuilder {
    runtime: String,
    gateway: Option<String>,
    middleware: Option<String>,
    config: String,
    variables: Vec<(String, String)>,
    arguments: Vec<String>,
    store: Option<PathBuf>,
    mounted: Vec<PathBuf>,
}

impl ServerBuilder {
    /// Sets the configuration document, which is empty by default.
    pub(crate) fn config(mut self, config: &str) -> Self {
        config.clone_into(&mut self.config);
        self
    }

    /// Composes this gateway of `dist/` with the runtime, in either form of the tests.
    pub(crate) fn gateway(mut self, name: &str) -> Self {
        self.gateway = Some(name.to_owned());
        self
    }

    /// Puts a middleware of `tests/` in front of the gateway.
    pub(crate) fn behind(mut self, middleware: &str) -> Self {
        self.middleware = Some(middleware.to_owned());
        self
    }

    /// Sets an environment variable of the server. The component receives it if it
    /// is well-known or the configuration references it.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Mounts an empty store, for components that keep their store in files. Every
    /// request has a new instance, so that requests share only the store.
    pub(crate) fn store(mut self) -> Self {
        self.store = Some(self.mount("/store"));
        self.argument("--max-instance-reuse-count=1")
    }

    /// Mounts a new folder as the component's root, after `fill` has written its
    /// files.
    pub(crate) fn root(mut self, fill: impl FnOnce(&Path)) -> Self {
        fill(&self.mount("/"));
        self
    }

    /// Creates a folder and mounts it at a path of the component.
    fn mount(&mut self, path: &str) -> PathBuf {
        let folder = new_path("mounted");
        fs::create_dir_all(&folder).expect("a folder to mount");
        let argument = format!("--dir={}::{path}", folder.display());
        self.arguments.push(argument);
        self.mounted.push(folder.clone());
        folder
    }

    /// Adds an argument for `wasmtime serve`.
    pub(crate) fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Starts the server and waits until it listens.
    pub(crate) fn start(self) -> Server {
        let config = config_file(&self.config);
        let mut child = self.command(&config).spawn().expect("xtask starts");
        let log = Arc::new(Watched::default());
        collect(child.stdout.take().expect("its output"), &log);
        collect(child.stderr.take().expect("its errors"), &log);
        let mut server = Server {
            child,
            address: SocketAddr::from(([0; 4], 0)),
            log,
            config,
            store: self.store,
            mounted: self.mounted,
        };
        server.address = wait_for_address(&server.log);
        server
    }

    fn command(&self, config: &Path) -> Command {
        let gateway = self.with_runtime();
        let component = match &self.middleware {
            Some(middleware) => plugged(&middleware_of_tests(middleware), &gateway),
            None => gateway,
        };
        let mut command = Command::new(existing(xtask()));
        command.arg("serve").arg(component);
        command
            .args(["--listen", "127.0.0.1:0", "--config"])
            .arg(config);
        command.arg("--").args(&self.arguments);
        WELL_KNOWN.iter().for_each(|name| {
            command.env_remove(name);
        });
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Returns the gateway with the runtime.
    fn with_runtime(&self) -> PathBuf {
        let runtime = &self.runtime;
        if let Some(gateway) = &self.gateway {
            return plugged(&built(gateway), &built(&format!("runtime-{runtime}")));
        }
        // One module, or `composed`.
        let form = std::env::var("TIDEGATE_FORM").unwrap_or_else(|_| "tidegate".to_owned());
        built(&format!("{form}-{runtime}"))
    }
}

/// The server's output, and how many of its two pipes have ended.
#[derive(Default)]
struct Log {
    text: String,
    ended: usize,
}

impl Log {
    fn has_ended(&self) -> bool {
        self.ended == 2
    }
}

/// Adds the lines of a pipe to the log, in a new thread.
fn collect(pipe: impl Read + Send + 'static, log: &Arc<Watched<Log>>) {
    let log = Arc::clone(log);
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe
            .read_until(b'\n', &mut line)
            .is_ok_and(|count| count > 0)
        {
            log.update(|log| log.text.push_str(&String::from_utf8_lossy(&line)));
            line.clear();
        }
        log.update(|log| log.ended += 1);
    });
}

/// Waits for the line in which `wasmtime serve` prints its address.
fn wait_for_address(log: &Watched<Log>) -> SocketAddr {
    let address = log.wait(START_LIMIT, |log| match served_address(&log.text) {
        None if log.has_ended() => Some(None),
        None => None,
        found => Some(found),
    });
    address.flatten().unwrap_or_else(|| {
        let log = log.read(|log| log.text.clone());
        panic!("the server does not start:\n{log}")
    })
}

fn served_address(log: &str) -> Option<SocketAddr> {
    let (_, after) = log.split_once("Serving HTTP on http://")?;
    after.split_once('/')?.0.parse().ok()
}

/// Returns the xtask of the same build as this test: two folders above
/// `target/debug/deps/<test>`.
fn xtask() -> PathBuf {
    let test = std::env::current_exe().expect("the path of the test");
    let profile = test.parent().and_then(Path::parent);
    let name = format!("xtask{}", std::env::consts::EXE_SUFFIX);
    profile.expect("the profile's folder").join(name)
}

/// Returns a component of `dist/`.
fn built(name: &str) -> PathBuf {
    let file = format!("dist/{name}.wasm");
    existing(Path::new(env!("CARGO_MANIFEST_DIR")).join(file))
}

/// Returns a middleware of `tests/`.
fn middleware_of_tests(name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("the target folder");
    let release = target.join("wasm32-wasip2/release");
    existing(release.join(name).with_extension("wasm"))
}

/// Composes a component with another one that fills its imports.
fn plugged(socket: &Path, plug: &Path) -> PathBuf {
    let composed = new_path("composed").with_extension("wasm");
    let mut command = Command::new(existing(xtask()));
    command.arg("plug").arg(socket).arg("--plug").arg(plug);
    let plugged = command.arg("--output").arg(&composed).status();
    assert!(plugged.is_ok_and(|status| status.success()), "xtask plug");
    composed
}

fn existing(file: PathBuf) -> PathBuf {
    let shown = file.display();
    assert!(file.is_file(), "{shown} is missing: run `cargo xtask test`");
    file
}

fn config_file(text: &str) -> PathBuf {
    let file = new_path("config").with_extension("json5");
    fs::write(&file, text).expect("a file for the configuration");
    file
}

/// Returns a path that no other test uses.
fn new_path(what: &str) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("{what}-{}-{count}", std::process::id());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}
