//! Incoming requests of `wasi:http`.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use http::Method;
use spin_sdk::time::sleep;
use spin_sdk::wasip3::http::types::{ErrorCode, Method as WasiMethod, Request, Trailers};
use spin_sdk::wasip3::{spawn, wit_future};
use spin_sdk::wit_bindgen::rt::async_support::{FutureReader, StreamReader, StreamResult};

use crate::inbound::{Headers, Holding, RequestHead, Upload};
use crate::rejection::{BodyFault, Rejection};

/// How long the rest of a refused body is read. A client may read the response only after
/// it has sent its request.
const DISCARD_TIME: Duration = Duration::from_secs(5);

/// The size of a read of such a rest, in bytes.
const DISCARD_SIZE: usize = 64 * 1024;

/// Reads the head of a request.
pub(crate) fn head(request: &Request) -> RequestHead {
    RequestHead {
        method: method(&request.get_method()),
        target: request.get_path_with_query().unwrap_or_default(),
        headers: Headers::new(request.get_headers().copy_all()),
    }
}

/// The end of a body: its trailers, or the reason why it is incomplete.
type BodyEnd = FutureReader<Result<Option<Trailers>, ErrorCode>>;

/// Reads the body of a request, and returns it with its share of the budget.
///
/// # Errors
/// The first rule of [`Upload`] that the body violates, and an incomplete body.
pub(crate) async fn body(
    request: Request,
    mut upload: Upload,
) -> Result<(Vec<u8>, Holding), Rejection> {
    let (_done, result) = wit_future::new::<Result<(), ErrorCode>>(|| Ok(()));
    let (mut stream, end) = Request::consume_body(request, result);
    if let Err(rejection) = read(&mut stream, &mut upload).await {
        spawn(discard(stream, upload.rest(), end));
        return Err(rejection);
    }
    // The stream has ended and all declared bytes have arrived, so the body is complete.
    // Waiting for its trailers would take two more turns of the host.
    if upload.has_declared_size() || end.await.is_ok() {
        return upload.finish();
    }
    Err(Rejection::Body(BodyFault::Incomplete))
}

/// Reads until the end of the stream.
async fn read(stream: &mut StreamReader<u8>, upload: &mut Upload) -> Result<(), Rejection> {
    let begin = Instant::now();
    let mut timeout = pin!(sleep(upload.time_left(Duration::ZERO)));
    loop {
        let mut reading = pin!(stream.read(upload.buffer()));
        let ((result, buffer), is_due) = match select(reading.as_mut(), timeout.as_mut()).await {
            Either::Left((read, _)) => (read, false),
            // Cancel the read to learn how much has arrived. The cancelled read may
            // also have ended the body.
            Either::Right(((), _)) => (reading.as_mut().cancel(), true),
        };
        upload.take(buffer, result == StreamResult::Dropped)?;
        if result == StreamResult::Dropped {
            return Ok(());
        }
        if is_due {
            upload.check_pace(begin.elapsed())?;
            timeout.set(sleep(upload.time_left(begin.elapsed())));
        }
    }
}

/// Reads at most `rest` bytes of a refused body, and drops them. Reading after the end traps.
async fn discard(mut stream: StreamReader<u8>, mut rest: usize, end: BodyEnd) {
    let mut buffer = Vec::with_capacity(DISCARD_SIZE);
    let reading = async {
        while rest > 0 {
            let (result, read) = stream.read(buffer).await;
            if result == StreamResult::Dropped {
                return;
            }
            rest = rest.saturating_sub(read.len());
            buffer = read;
            buffer.clear();
        }
    };
    select(pin!(reading), pin!(sleep(DISCARD_TIME))).await;
    drop(end);
}

fn method(method: &WasiMethod) -> Method {
    match method {
        WasiMethod::Get => Method::GET,
        WasiMethod::Head => Method::HEAD,
        WasiMethod::Post => Method::POST,
        WasiMethod::Put => Method::PUT,
        WasiMethod::Delete => Method::DELETE,
        WasiMethod::Connect => Method::CONNECT,
        WasiMethod::Options => Method::OPTIONS,
        WasiMethod::Trace => Method::TRACE,
        WasiMethod::Patch => Method::PATCH,
        WasiMethod::Other(name) => Method::from_bytes(name.as_bytes()).unwrap_or(Method::TRACE),
    }
}
