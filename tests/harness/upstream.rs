//! A scripted HTTP server behind the runtime. It records every request and notices
//! when the runtime closes a connection.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::WAIT_LIMIT;
use super::watched::Watched;
use super::wire::{Body, Head, Headers};

/// A server on a free port. Dropping it stops the server.
pub(crate) struct Upstream {
    address: SocketAddr,
    record: Arc<Watched<Record>>,
    /// The thread that accepts connections and owns the listener.
    accepting: Option<JoinHandle<()>>,
}

/// A request that arrived.
#[derive(Clone)]
pub(crate) struct RecordedRequest {
    /// The number of its connection, from 0.
    pub(crate) connection: usize,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    /// When its last byte arrived.
    pub(crate) at: Instant,
}

impl RecordedRequest {
    /// Returns the body as JSON.
    pub(crate) fn json(&self) -> Value {
        let json = serde_json::from_slice(&self.body);
        json.unwrap_or_else(|error| panic!("not JSON ({error}): {self:?}"))
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

/// The end of a connection that the caller closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Close {
    pub(crate) connection: usize,
    pub(crate) at: Instant,
}

/// A step of a script.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Sends these bytes, in one packet if they fit.
    Write(Vec<u8>),
    /// Waits, at most until the caller closes the connection.
    Pause(Duration),
    /// Waits until the caller closes the connection.
    AwaitClose,
    /// Closes the connection.
    Close,
}

impl Upstream {
    /// Starts a server that calls a function for each request. The connection stays
    /// open unless the function closes it.
    pub(crate) fn start(
        answer: impl Fn(&RecordedRequest, &mut Connection) + Send + Sync + 'static,
    ) -> Self {
        Self::start_at(&[SocketAddr::from(([127, 0, 0, 1], 0))], answer)
    }

    /// Starts a server on the first of these addresses that is available.
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

    /// Starts a server that plays the same script for every request.
    pub(crate) fn script(steps: Vec<Step>) -> Self {
        Self::start(move |_, connection| connection.play(&steps))
    }

    /// Returns the address that the server listens on.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the server's URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the requests that have arrived so far.
    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        self.record.read(|record| record.requests.clone())
    }

    /// Waits until `count` requests have arrived, and returns all requests.
    pub(crate) fn wait_for_requests(&self, count: usize) -> Vec<RecordedRequest> {
        let requests = self.record.wait(WAIT_LIMIT, |record| {
            (record.requests.len() >= count).then(|| record.requests.clone())
        });
        requests.unwrap_or_else(|| panic!("fewer than {count} requests: {:?}", self.requests()))
    }

    /// Returns the connections that the caller has closed so far, in order.
    pub(crate) fn closes(&self) -> Vec<Close> {
        self.record.read(|record| record.closes.clone())
    }

    /// Waits until the caller has closed a connection, and returns the first.
    pub(crate) fn wait_for_close(&self) -> Close {
        self.wait_for_closes(1).remove(0)
    }

    /// Waits until the caller has closed `count` connections, and returns all that
    /// it has closed.
    pub(crate) fn wait_for_closes(&self, count: usize) -> Vec<Close> {
        let closes = self.record.wait(WAIT_LIMIT, |record| {
            (record.closes.len() >= count).then(|| record.closes.clone())
        });
        closes
            .unwrap_or_else(|| panic!("fewer than {count} connections closed: {:?}", self.closes()))
    }

    /// Waits until either side has closed every connection.
    pub(crate) fn wait_until_all_closed(&self) {
        let closed = self.record.wait(WAIT_LIMIT, |record| {
            (record.ended == record.sockets.len()).then_some(())
        });
        assert!(closed.is_some(), "a connection is still open");
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.record.update(|record| record.stopped = true);
        // The accepting thread blocks in `accept` until this connection wakes it.
        // After it has ended, the port refuses connections. Existing connections
        // close only then, so that a caller cannot reconnect. If the thread has
        // panicked, its message is already printed.
        drop(TcpStream::connect(self.address));
        drop(self.accepting.take().map(JoinHandle::join));
        self.record
            .update(|record| record.sockets.iter().for_each(shut_down));
    }
}

/// A connection, for the function that responds to a request.
pub(crate) struct Connection {
    id: usize,
    socket: TcpStream,
    record: Arc<Watched<Record>>,
}

impl Connection {
    /// Sends bytes at once. Returns `false` if the connection is closed.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.socket.write_all(bytes.as_ref()).is_ok()
    }

    /// Sends a response with a body of known length.
    pub(crate) fn answer(&mut self, status: u16, content_type: &str, body: &str) -> bool {
        self.send(steps::answer(status, content_type, body))
    }

    /// Sends the head of a response of server-sent events.
    pub(crate) fn open_events(&mut self) -> bool {
        self.send(steps::events_head())
    }

    /// Sends an event.
    pub(crate) fn event(&mut self, data: &str) -> bool {
        self.send(steps::event(data))
    }

    /// Ends a response of server-sent events.
    pub(crate) fn end(&mut self) -> bool {
        self.send(steps::LAST_CHUNK)
    }

    /// Waits, at most until the caller closes the connection. Returns `false` if it
    /// is closed.
    pub(crate) fn pause(&self, duration: Duration) -> bool {
        let ended = self.record.wait(duration, |record| {
            let closed = record
                .closes
                .iter()
                .any(|close| close.connection == self.id);
            (closed || record.stopped).then_some(())
        });
        ended.is_none()
    }

    /// Closes the connection.
    pub(crate) fn close(&mut self) {
        self.record
            .update(|record| record.closed_here.push(self.id));
        shut_down(&self.socket);
    }

    /// Plays a script.
    pub(crate) fn play(&mut self, steps: &[Step]) {
        steps.iter().for_each(|step| self.perform(step));
    }

    fn perform(&mut self, step: &Step) {
        match step {
            Step::Write(bytes) => {
                self.send(bytes);
            }
            Step::Pause(duration) => {
                self.pause(*duration);
            }
            Step::AwaitClose => {
                self.pause(WAIT_LIMIT);
            }
            Step::Close => self.close(),
        }
    }
}

/// The bytes of responses, for scripts.
pub(crate) mod steps {
    /// Ends a chunked body.
    pub(crate) const LAST_CHUNK: &str = "0\r\n\r\n";

    /// A response with a body of known length.
    pub(crate) fn answer(status: u16, content_type: &str, body: &str) -> Vec<u8> {
        let length = body.len();
        format!(
            "HTTP/1.1 {status} Scripted\r\nContent-Type: {content_type}\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    /// The head of a chunked response of server-sent events.
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

    /// A chunk with one server-sent event.
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
    /// How many of the sockets are closed.
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

/// Reads the requests of a connection. Runs in its own thread, so that it notices a
/// disconnect while a response is being sent.
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

/// Waits for bytes from the caller. Returns `None` when the connection is closed.
fn receive(socket: &mut TcpStream) -> Option<Vec<u8>> {
    let mut buffer = vec![0; 64 * 1024];
    let count = socket.read(&mut buffer).ok().filter(|count| *count > 0)?;
    buffer.truncate(count);
    Some(buffer)
}

fn shut_down(socket: &TcpStream) {
    // Fails if the other side has already closed the connection.
    drop(socket.shutdown(Shutdown::Both));
}
