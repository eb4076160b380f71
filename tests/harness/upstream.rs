//! A stand-in for the gateway of a runtime: it answers by script, remembers
//! every request, and knows when its caller hung up.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::PATIENCE;
use super::watched::Watched;
use super::wire::{Body, Head, Headers};

/// A server on a free port of this machine. Dropping it ends it.
pub(crate) struct Upstream {
    address: SocketAddr,
    record: Arc<Watched<Record>>,
    /// The thread that takes connections; it holds the port.
    accepting: Option<JoinHandle<()>>,
}

/// A request as it arrived.
#[derive(Clone)]
pub(crate) struct RecordedRequest {
    /// The number of its connection; the first one is 0.
    pub(crate) connection: usize,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    /// When all of it was there.
    pub(crate) at: Instant,
}

impl RecordedRequest {
    /// Returns the body as JSON.
    pub(crate) fn json(&self) -> Value {
        let json = serde_json::from_slice(&self.body);
        json.unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut request = f.debug_struct("RecordedRequest");
        request.field("connection", &self.connection);
        request.field("method", &self.method);
        request.field("path", &self.path);
        request.field("headers", &self.headers.0);
        request.field("body", &String::from_utf8_lossy(&self.body));
        request.finish_non_exhaustive()
    }
}

/// The end of a connection, by the caller's doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Close {
    pub(crate) connection: usize,
    pub(crate) at: Instant,
}

/// What a scripted answer is made of.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Writes these bytes, in one packet if they fit.
    Write(Vec<u8>),
    /// Waits, but no longer than the caller stays.
    Pause(Duration),
    /// Waits until the caller hangs up.
    AwaitClose,
    /// Closes the connection.
    Close,
}

impl Upstream {
    /// Starts a server that answers each request by a function. A connection
    /// stays open after it, unless the function closes it.
    pub(crate) fn start(
        answer: impl Fn(&RecordedRequest, &mut Connection) + Send + Sync + 'static,
    ) -> Self {
        Self::start_at(&[SocketAddr::from(([127, 0, 0, 1], 0))], answer)
    }

    /// Starts a server at the first of these addresses that this machine has.
    pub(crate) fn start_at(
        addresses: &[SocketAddr],
        answer: impl Fn(&RecordedRequest, &mut Connection) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(addresses).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let record = Arc::new(Watched::default());
        let kept = Arc::clone(&record);
        let accepting = thread::spawn(move || accept(&listener, &kept, &Arc::new(answer)));
        Self {
            address,
            record,
            accepting: Some(accepting),
        }
    }

    /// Starts a server that answers every request by the same steps.
    pub(crate) fn script(steps: Vec<Step>) -> Self {
        Self::start(move |_, connection| connection.play(&steps))
    }

    /// Returns where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns where it listens, for a configuration.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the requests so far.
    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        self.record.read(|record| record.requests.clone())
    }

    /// Waits until there have been as many requests and returns them all.
    pub(crate) fn wait_for_requests(&self, count: usize) -> Vec<RecordedRequest> {
        let requests = self.record.wait(PATIENCE, |record| {
            (record.requests.len() >= count).then(|| record.requests.clone())
        });
        requests.unwrap_or_else(|| panic!("not {count} requests: {:?}", self.requests()))
    }

    /// Returns the connections that the caller closed, in their order.
    pub(crate) fn closes(&self) -> Vec<Close> {
        self.record.read(|record| record.closes.clone())
    }

    /// Waits until the caller has closed a connection, and returns the first
    /// one that it did.
    pub(crate) fn wait_for_close(&self) -> Close {
        self.wait_for_closes(1).remove(0)
    }

    /// Waits until the caller has closed as many connections, and returns all
    /// that it did.
    pub(crate) fn wait_for_closes(&self, count: usize) -> Vec<Close> {
        let closes = self.record.wait(PATIENCE, |record| {
            (record.closes.len() >= count).then(|| record.closes.clone())
        });
        closes.unwrap_or_else(|| panic!("not {count} connections closed: {:?}", self.closes()))
    }

    /// Waits until no connection is open any more, whoever closed it.
    pub(crate) fn wait_until_all_left(&self) {
        let left = self.record.wait(PATIENCE, |record| {
            (record.ended == record.sockets.len()).then_some(())
        });
        assert!(left.is_some(), "a connection is left open");
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.record.update(|record| record.stopped = true);
        // One more connection wakes the thread that waits for connections. When it
        // has ended the port refuses them, so that nobody who is hung up on finds
        // it open again. A thread that failed has told so itself.
        drop(TcpStream::connect(self.address));
        drop(self.accepting.take().map(JoinHandle::join));
        self.record
            .update(|record| record.sockets.iter().for_each(hang_up));
    }
}

/// One connection, for the function that answers on it.
pub(crate) struct Connection {
    id: usize,
    socket: TcpStream,
    record: Arc<Watched<Record>>,
}

impl Connection {
    /// Writes bytes at once. Returns whether the caller was still there.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.socket.write_all(bytes.as_ref()).is_ok()
    }

    /// Answers with a body of known length.
    pub(crate) fn answer(&mut self, status: u16, content_type: &str, body: &str) -> bool {
        self.send(steps::answer(status, content_type, body))
    }

    /// Begins an answer of server-sent events.
    pub(crate) fn open_events(&mut self) -> bool {
        self.send(steps::events_head())
    }

    /// Sends an event.
    pub(crate) fn event(&mut self, data: &str) -> bool {
        self.send(steps::event(data))
    }

    /// Ends an answer of server-sent events.
    pub(crate) fn end(&mut self) -> bool {
        self.send(steps::LAST_CHUNK)
    }

    /// Waits, but no longer than the caller stays. Returns whether it is
    /// still there.
    pub(crate) fn pause(&self, duration: Duration) -> bool {
        let gone = self.record.wait(duration, |record| {
            let closed = record
                .closes
                .iter()
                .any(|close| close.connection == self.id);
            (closed || record.stopped).then_some(())
        });
        gone.is_none()
    }

    /// Closes the connection.
    pub(crate) fn close(&mut self) {
        self.record
            .update(|record| record.closed_here.push(self.id));
        hang_up(&self.socket);
    }

    /// Carries out the steps of a script.
    pub(crate) fn play(&mut self, steps: &[Step]) {
        steps.iter().for_each(|step| self.carry_out(step));
    }

    fn carry_out(&mut self, step: &Step) {
        match step {
            Step::Write(bytes) => {
                self.send(bytes);
            }
            Step::Pause(duration) => {
                self.pause(*duration);
            }
            Step::AwaitClose => {
                self.pause(PATIENCE);
            }
            Step::Close => self.close(),
        }
    }
}

/// The bytes of usual answers, for scripts.
pub(crate) mod steps {
    /// Ends a chunked body.
    pub(crate) const LAST_CHUNK: &str = "0\r\n\r\n";

    /// A whole answer with a body of known length.
    pub(crate) fn answer(status: u16, content_type: &str, body: &str) -> Vec<u8> {
        let length = body.len();
        format!(
            "HTTP/1.1 {status} Scripted\r\nContent-Type: {content_type}\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    /// The head of an answer of server-sent events, in chunks.
    pub(crate) fn events_head() -> Vec<u8> {
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
          Transfer-Encoding: chunked\r\n\r\n"
            .to_vec()
    }

    /// A chunk of a body.
    pub(crate) fn chunk(bytes: impl AsRef<[u8]>) -> Vec<u8> {
        let bytes = bytes.as_ref();
        let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
        chunk.extend_from_slice(bytes);
        chunk.extend_from_slice(b"\r\n");
        chunk
    }

    /// A server-sent event in a chunk of its own.
    pub(crate) fn event(data: &str) -> Vec<u8> {
        chunk(format!("data: {data}\n\n"))
    }
}

#[derive(Default)]
struct Record {
    requests: Vec<RecordedRequest>,
    closes: Vec<Close>,
    closed_here: Vec<usize>,
    sockets: Vec<TcpStream>,
    /// How many of them are closed.
    ended: usize,
    stopped: bool,
}

fn accept<A>(listener: &TcpListener, record: &Arc<Watched<Record>>, answer: &Arc<A>)
where
    A: Fn(&RecordedRequest, &mut Connection) + Send + Sync + 'static,
{
    for (id, socket) in listener.incoming().enumerate() {
        let socket = socket.expect("a connection");
        socket.set_nodelay(true).expect("no delay");
        let kept = socket.try_clone().expect("a socket");
        let stopped = record.update(|record| {
            record.sockets.push(kept);
            record.stopped
        });
        if stopped {
            return;
        }
        let connection = Connection {
            id,
            socket: socket.try_clone().expect("a socket"),
            record: Arc::clone(record),
        };
        let (requests, to_answer) = mpsc::channel();
        let answer = Arc::clone(answer);
        thread::spawn(move || answer_all(connection, &to_answer, answer.as_ref()));
        let record = Arc::clone(record);
        thread::spawn(move || read_all(id, socket, &record, &requests));
    }
}

fn answer_all(
    mut connection: Connection,
    requests: &mpsc::Receiver<RecordedRequest>,
    answer: &impl Fn(&RecordedRequest, &mut Connection),
) {
    for request in requests {
        answer(&request, &mut connection);
    }
}

/// Reads the requests of a connection in a thread of its own: while an answer
/// is under way, this is what notices that the caller hangs up.
fn read_all(
    id: usize,
    mut socket: TcpStream,
    record: &Watched<Record>,
    requests: &mpsc::Sender<RecordedRequest>,
) {
    let mut arrived = Vec::new();
    while let Some(request) = read_request(id, &mut socket, &mut arrived) {
        record.update(|record| record.requests.push(request.clone()));
        if requests.send(request).is_err() {
            break;
        }
    }
    let at = Instant::now();
    record.update(|record| {
        record.ended += 1;
        if !record.closed_here.contains(&id) && !record.stopped {
            record.closes.push(Close { connection: id, at });
        }
    });
}

fn read_request(
    connection: usize,
    socket: &mut TcpStream,
    arrived: &mut Vec<u8>,
) -> Option<RecordedRequest> {
    let head = loop {
        match Head::take(arrived) {
            Some(head) => break head,
            None => arrived.extend(receive(socket)?),
        }
    };
    let mut incoming = Body::of_request(&head.headers, std::mem::take(arrived));
    let mut body = incoming.take();
    while !incoming.has_ended() {
        incoming.arrive(&receive(socket)?);
        body.extend(incoming.take());
    }
    *arrived = incoming.into_rest();
    Some(RecordedRequest {
        connection,
        method: head.word(0).to_owned(),
        path: head.word(1).to_owned(),
        headers: head.headers,
        body,
        at: Instant::now(),
    })
}

/// Waits for more from the caller; none once it has hung up.
fn receive(socket: &mut TcpStream) -> Option<Vec<u8>> {
    let mut buffer = vec![0; 64 * 1024];
    let count = socket.read(&mut buffer).ok().filter(|count| *count > 0)?;
    buffer.truncate(count);
    Some(buffer)
}

fn hang_up(socket: &TcpStream) {
    // Fails where the other side was faster, which is as good.
    drop(socket.shutdown(Shutdown::Both));
}
