//! Answers to requests for stored responses.

use std::time::{Duration, SystemTime};

use http::StatusCode;
use serde::Serialize;
use spin_sdk::time::sleep;
use tidegate_agent::task::yield_to_host;

use crate::access::UnixMillis;
use crate::config::Settings;
use crate::delivery::{Step, first_steps};
use crate::error::Error;
use crate::exchange::Exchange;
use crate::gateway::{Action, StoredRequest};
use crate::inbound::Holding;
use crate::rejection::StoredFault;
use crate::reply::Ending;
use crate::run_log::{Entry, Lease, LogHead, LogReader, LogState, StoredLog};

use super::delivery;
use super::follower::{Follower, end_if_lost};
use super::line::HostLine;
use super::outgoing::Outgoing;
use super::places::Place;
use super::random::random_ids;
use super::respond;
use super::runtime::Run;
use super::store::{self, Store};

/// How long a cancellation waits for the instance of the run. Its lease ends within that time.
const PATIENCE: Duration = Duration::from_secs(20);

/// The time between two looks at a run that is being cancelled.
const LOOK: Duration = Duration::from_millis(200);

/// A stored response, of which the first piece has been read.
struct Found {
    log: StoredLog<Store>,
    reader: LogReader<LogHead>,
    /// The entries of the first piece.
    entries: Vec<Entry>,
    head: LogHead,
}

/// Answers a request.
pub(crate) async fn respond(
    request: StoredRequest<Place>,
    settings: &Settings,
    exchange: Exchange,
) -> Outgoing {
    match request.action {
        Action::Follow(first) => follow(request, first, settings, exchange).await,
        Action::Get | Action::Cancel | Action::Delete => match document(request).await {
            Ok((body, memory)) => respond::json(StatusCode::OK, body, exchange).holding(memory),
            Err(error) => respond::error(error.into(), exchange),
        },
    }
}

async fn document(request: StoredRequest<Place>) -> Result<(Vec<u8>, Holding), Error> {
    let found = find(&request).await?;
    match request.action {
        Action::Get | Action::Follow(_) => current(found, request.memory).await,
        Action::Cancel if !found.head.background => Err(StoredFault::NotInBackground.into()),
        Action::Cancel => {
            cancel(found).await?;
            current(find(&request).await?, request.memory).await
        }
        Action::Delete => {
            let (log, reader) = cancel(found).await?;
            log.delete(&reader).ok_or(StoredFault::StoreFailed)?;
            Ok((deleted(&request.id)?, request.memory))
        }
    }
}

/// Finds a response that is kept for the client.
async fn find(request: &StoredRequest<Place>) -> Result<Found, StoredFault> {
    let absent = || StoredFault::NoResponse(request.id.clone());
    let store = store::open().ok_or_else(absent)?;
    let log = StoredLog::new(store, request.cipher.clone(), request.keys.clone());
    let mut reader = LogReader::new();
    let (mut entries, mut follows) = log.read(&mut reader).ok_or(StoredFault::StoreFailed)?;
    let head = loop {
        if let Some(head) = reader.take_head() {
            break head;
        }
        if !follows {
            return Err(absent());
        }
        yield_to_host().await;
        (entries, follows) = log.read(&mut reader).ok_or(StoredFault::StoreFailed)?;
    };
    let now = UnixMillis::of(SystemTime::now());
    if head.id != request.id || !head.is_kept || head.expiry <= now {
        return Err(absent());
    }
    Ok(Found {
        log,
        reader,
        entries,
        head,
    })
}

/// Returns the response as it is now.
async fn current(found: Found, memory: Holding) -> Result<(Vec<u8>, Holding), Error> {
    let Found {
        log,
        mut reader,
        mut entries,
        head,
    } = found;
    let instance = Lease::of(head.instance);
    let absent = || StoredFault::NoResponse(head.id);
    let mut response = head.reply.snapshot(memory).ok_or_else(absent)?;
    let mut ended = None;
    let mut is_checked = false;
    loop {
        for entry in entries {
            match entry {
                Entry::Event(event) => {
                    if let Err(error) = response.event(event) {
                        return response.snapshot(Some((Ending::Failed(error), 0)));
                    }
                }
                Entry::Progress => {}
                Entry::End(end) => ended = Some((end.ending, end.at)),
            }
        }
        if reader.state() != LogState::Open {
            break;
        }
        let follows;
        (entries, follows) = log.read(&mut reader).ok_or(StoredFault::StoreFailed)?;
        if !follows && entries.is_empty() {
            if is_checked {
                break;
            }
            end_if_lost(&log, &reader, instance);
            is_checked = true;
        }
        yield_to_host().await;
    }
    match reader.state() {
        LogState::Open | LogState::Ended => response.snapshot(ended),
        LogState::Full | LogState::Broken => Err(StoredFault::Incomplete.into()),
    }
}

/// Streams the events from a number on, and goes on until the end of the run.
async fn follow(
    request: StoredRequest<Place>,
    first: u64,
    settings: &Settings,
    exchange: Exchange,
) -> Outgoing {
    let found = match find(&request).await {
        Ok(found) => found,
        Err(fault) => return respond::error(Error::from(fault).into(), exchange),
    };
    if matches!(found.reader.state(), LogState::Full | LogState::Broken) {
        return respond::error(Error::from(StoredFault::Incomplete).into(), exchange);
    }
    let Found {
        log,
        reader,
        entries,
        head,
    } = found;
    let follower = Follower::new(log, reader, Lease::of(head.instance), entries);
    let mut bytes = Vec::new();
    let reply = head.reply.streamed(request.memory, first, &mut bytes);
    let mut line = HostLine::new(
        Run::follow(follower, request.place),
        settings.stream.first_event_wait,
    );
    let failed = |error| vec![Step::Ended(Ending::Failed(error))];
    let first = first_steps(&mut line).await.unwrap_or_else(failed);
    delivery::send(line, reply, bytes, first, None, settings, exchange)
}

/// Cancels a run, waits for its end, and reads its log to the end.
async fn cancel(found: Found) -> Result<(StoredLog<Store>, LogReader<LogHead>), StoredFault> {
    let Found {
        log,
        mut reader,
        head,
        ..
    } = found;
    let instance = Lease::of(head.instance);
    skip(&log, &mut reader).await?;
    if reader.state() == LogState::Ended {
        return Ok((log, reader));
    }
    log.ask_to_cancel().ok_or(StoredFault::StoreFailed)?;
    let [token] = random_ids();
    instance
        .ask(log.store(), token)
        .ok_or(StoredFault::StoreFailed)?;
    let mut waited = Duration::ZERO;
    while reader.state() == LogState::Open && waited < PATIENCE {
        sleep(LOOK).await;
        waited += LOOK;
        skip(&log, &mut reader).await?;
        if reader.state() == LogState::Open {
            end_if_lost(&log, &reader, instance);
        }
    }
    Ok((log, reader))
}

/// Reads to the end of a log. Other tasks may run between two pieces.
async fn skip(log: &StoredLog<Store>, reader: &mut LogReader<LogHead>) -> Result<(), StoredFault> {
    while reader.state() == LogState::Open {
        let (_, follows) = log.read(reader).ok_or(StoredFault::StoreFailed)?;
        if !follows {
            break;
        }
        yield_to_host().await;
    }
    Ok(())
}

fn deleted(id: &str) -> Result<Vec<u8>, Error> {
    #[derive(Serialize)]
    struct Deleted<'a> {
        id: &'a str,
        object: &'static str,
        deleted: bool,
    }
    let deleted = Deleted {
        id,
        object: "response",
        deleted: true,
    };
    serde_json::to_vec(&deleted).map_err(|_| Error::Internal("encoding a document"))
}
