//! A server process that ends when it is dropped.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, PipeReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// The time limit for a server to start.
const START_LIMIT: Duration = Duration::from_secs(120);

/// The time limit for a server to end after its input is closed.
const END_LIMIT: Duration = Duration::from_secs(10);

/// The way to end a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Kill the process.
    Kill,
    /// Close its input, so that it can end its own child processes. The input also closes
    /// if this program is killed.
    CloseInput,
}

/// A running server.
pub(crate) struct Background {
    child: Child,
    input: Option<ChildStdin>,
    ending: Ending,
}

impl Background {
    /// Starts a server, waits until `ready` recognizes a line, and returns the server with
    /// the value from `ready`. The log file contains the server's output.
    ///
    /// # Errors
    /// A server that ends, or exceeds the time limit, before that line.
    pub(crate) fn start<T>(
        mut command: Command,
        log: &Path,
        ending: Ending,
        ready: impl Fn(&str) -> Option<T>,
    ) -> Result<(Self, T)> {
        let (output, writer) = io::pipe()?;
        command.stdin(Stdio::piped());
        command.stdout(writer.try_clone()?).stderr(writer);
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot run {:?}", command.get_program()))?;
        // The command holds the pipe's writing ends, which would keep the log open.
        drop(command);
        let input = child.stdin.take();
        let server = Self {
            child,
            input,
            ending,
        };
        let lines = collect(output, File::create(log)?);
        let found = wait(&lines, ready);
        let found =
            found.with_context(|| format!("the server did not start: see {}", log.display()))?;
        Ok((server, found))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.input.take());
        let deadline = Instant::now() + END_LIMIT;
        while self.ending == Ending::CloseInput && Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        // Both fail only if the process has already ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Copies the lines into the log and sends them to the receiver.
fn collect(output: PipeReader, mut log: File) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || copy(output, &mut log, &sender));
    lines
}

fn copy(output: PipeReader, log: &mut File, sender: &Sender<String>) {
    let mut output = BufReader::new(output);
    let mut bytes = Vec::new();
    while matches!(output.read_until(b'\n', &mut bytes), Ok(1..)) {
        // Errors are ignored: with a full disk, the pipe must still be read.
        drop(log.write_all(&bytes));
        drop(sender.send(String::from_utf8_lossy(&bytes).into_owned()));
        bytes.clear();
    }
}

fn wait<T>(lines: &Receiver<String>, ready: impl Fn(&str) -> Option<T>) -> Result<T> {
    let deadline = Instant::now() + START_LIMIT;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let line = lines
            .recv_timeout(left)
            .context("there is no line that says so")?;
        if let Some(found) = ready(&line) {
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(script: &str) -> Result<(Background, String)> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let log = Path::new("/dev/null");
        Background::start(command, log, Ending::CloseInput, |line| {
            line.strip_prefix("ready ").map(str::to_owned)
        })
    }

    #[test]
    fn a_server_ends_when_its_input_closes() {
        let (mut server, word) = start("echo ready 7; read line; exit 3").unwrap();
        assert_eq!(word, "7\n");
        drop(server.input.take());
        assert_eq!(server.child.wait().unwrap().code(), Some(3));
    }

    #[test]
    fn a_server_that_ends_early_is_an_error() {
        assert!(start("echo almost").is_err());
    }
}
