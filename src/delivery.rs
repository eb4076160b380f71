//! Carries a run's events to the client: the effects between the runtime and
//! the wire. What is sent is made by [`crate::reply`].

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use http::StatusCode;
use spin_sdk::wasip3::http::types::Response;
use spin_sdk::wasip3::spawn;

use crate::config::StreamSettings;
use crate::error::Error;
use crate::record::Record;
use crate::reply::{Head, Mode, StreamedReply, WholeReply};
use crate::respond;
use crate::runtime::{self, Run, RunError, Step, ToolChoice};
use crate::sse;
use crate::validate::ValidRun;
use crate::wire::{Body, Client, Ticker, pause};

/// How often the host is asked whether the client of a silent stream is still
/// there.
const TICK: Duration = Duration::from_millis(250);

/// Carries out a run and answers with it.
pub(crate) async fn deliver(
    valid: ValidRun,
    stream: StreamSettings,
    created: u64,
    record: Record,
) -> Response {
    let mode = valid.mode();
    let choice = valid.tool_choice().clone();
    let model = valid.model().to_owned();
    let request = valid.into_request();
    let head = Head {
        id: request.run_id.clone(),
        created,
        model,
    };
    let run = runtime::start(request).await;
    match mode {
        Mode::Whole => whole(run, WholeReply::new(head, &choice), record).await,
        Mode::Streamed { include_usage } => {
            let streamed = Streamed {
                run,
                settings: stream,
                record,
            };
            streamed.answer(head, include_usage, &choice).await
        }
    }
}

async fn whole(mut run: Run, mut reply: WholeReply, mut record: Record) -> Response {
    let ended = loop {
        match run.next().await {
            None => break Err(abandoned()),
            Some(Step::Ended(ended)) => break ended,
            Some(Step::Events(events)) => {
                if let Err(error) = events.into_iter().try_for_each(|event| reply.event(event)) {
                    break Err(error);
                }
            }
        }
    };
    drop(run);
    match reply.end(ended) {
        Err(error) => respond::failure(&error, record),
        Ok((body, outcome)) => {
            record.outcome(&outcome);
            respond::json(StatusCode::OK, body, record)
        }
    }
}

/// A run whose answer is streamed.
struct Streamed {
    run: Run,
    settings: StreamSettings,
    record: Record,
}

impl Streamed {
    /// Waits a moment for the first step, so that a run that fails at once gets
    /// its true status and the head travels with the first text, and then
    /// answers.
    async fn answer(mut self, head: Head, include_usage: bool, choice: &ToolChoice) -> Response {
        let wait = pin!(pause(self.settings.first_event_wait));
        let first = match select(self.run.next(), wait).await {
            Either::Left((step, _)) => Some(step.unwrap_or(Step::Ended(Err(abandoned())))),
            Either::Right(((), _)) => None,
        };
        if let Some(Step::Ended(Err(error))) = first {
            return respond::failure(&Error::Run(error), self.record);
        }
        let mut bytes = Vec::new();
        let reply = StreamedReply::start(head, include_usage, choice, &mut bytes);
        let (response, body) = respond::stream(&mut self.record);
        spawn(async move {
            let answering = Answering {
                reply,
                body,
                bytes,
                record: self.record,
            };
            answering.follow(self.run, first, &self.settings).await;
        });
        response
    }
}

/// A stream whose head is out.
struct Answering {
    reply: StreamedReply,
    body: Body,
    bytes: Vec<u8>,
    record: Record,
}

impl Answering {
    /// Passes the run's steps on until it ends or the client leaves.
    async fn follow(mut self, mut run: Run, first: Option<Step>, settings: &StreamSettings) {
        if first.is_none() {
            self.bytes.extend(sse::HEARTBEAT);
        }
        let mut next = first;
        // One timer over all reads: arming one for each costs a quarter of the
        // tokens a second.
        let mut ticker = Ticker::new(TICK);
        loop {
            match next.take() {
                None => {}
                Some(Step::Events(events)) => {
                    let bytes = &mut self.bytes;
                    let mut events = events.into_iter();
                    if let Err(error) = events.try_for_each(|event| self.reply.event(event, bytes))
                    {
                        return self.end(Err(error)).await;
                    }
                }
                Some(Step::Ended(ended)) => return self.end(ended).await,
            }
            if self.flush().await == Client::Gone {
                return self.client_gone();
            }
            let Some(step) = self.wait(&mut run, &mut ticker, settings.heartbeat).await else {
                return self.client_gone();
            };
            next = Some(step);
        }
    }

    /// Waits for the next step, with a comment after every `heartbeat` of
    /// silence. None means that the client has left.
    async fn wait(
        &mut self,
        run: &mut Run,
        ticker: &mut Ticker,
        heartbeat: Duration,
    ) -> Option<Step> {
        let mut silence = Duration::ZERO;
        loop {
            match select(run.next(), pin!(ticker.tick())).await {
                Either::Left((step, _)) => {
                    return Some(step.unwrap_or(Step::Ended(Err(abandoned()))));
                }
                Either::Right(((), _)) => {}
            }
            silence += TICK;
            let client = if silence >= heartbeat {
                silence = Duration::ZERO;
                self.body.send(sse::HEARTBEAT.to_vec()).await
            } else {
                self.body.probe().await
            };
            if client == Client::Gone {
                return None;
            }
        }
    }

    async fn flush(&mut self) -> Client {
        if self.bytes.is_empty() {
            return Client::There;
        }
        let bytes = std::mem::take(&mut self.bytes);
        self.body.send(bytes).await
    }

    async fn end(mut self, ended: Result<runtime::RunOutcome, RunError>) {
        match self.reply.end(ended, &mut self.bytes) {
            Ok(outcome) => self.record.outcome(&outcome),
            Err(error) => self.record.failure(&error),
        }
        if self.body.send(self.bytes).await == Client::Gone {
            self.record.client_gone();
        }
        self.body.end().await;
        self.record.write();
    }

    fn client_gone(mut self) {
        self.record.client_gone();
        self.record.write();
    }
}

/// The stream of steps always brings an ending; this stands for its absence.
fn abandoned() -> RunError {
    RunError::Failed("the runtime left without an ending".to_owned())
}
