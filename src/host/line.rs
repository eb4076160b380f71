//! The run and the client of a streamed reply.

use std::pin::pin;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt as _;
use futures_util::future::{Either, select};

use crate::access::UnixMillis;
use crate::delivery::{Client, Line, Wake};
use crate::runtime::Step;

use super::clock::{Alarm, Watch};
use super::outgoing::Body;
use super::runtime::Run;

/// The run, the watch and, after the head of the response, the body.
pub(crate) struct HostLine {
    run: Run,
    watch: Watch,
}

impl HostLine {
    /// Begins with a time limit for the first event.
    pub(crate) fn new(run: Run, limit: Duration) -> Self {
        let watch = Watch::new(limit);
        Self { run, watch }
    }

    /// Takes the body to write to it, unless the client has disconnected. A step of the run
    /// may be ready at the same moment, and comes first.
    fn body(&mut self) -> Option<Body> {
        let is_disconnected = self.watch.is_disconnected();
        let body = self.watch.take_body();
        body.filter(|_| !is_disconnected)
    }

    /// Adds the body of the response.
    pub(crate) fn open(&mut self, body: Body) {
        self.watch.put_body(body);
    }
}

impl Line for HostLine {
    async fn wait(&mut self) -> Wake {
        let Self { run, watch } = self;
        match select(pin!(run.next_step()), pin!(watch.alarm())).await {
            Either::Left((step, _)) => Wake::Step(step),
            Either::Right((Alarm::Due, _)) => Wake::Due,
            Either::Right((Alarm::Disconnected, _)) => Wake::Disconnected,
        }
    }

    fn ready(&mut self) -> Option<Step> {
        self.run.next_step().now_or_never()
    }

    async fn send(&mut self, bytes: Vec<u8>) -> Client {
        let Some(mut body) = self.body() else {
            return Client::Disconnected;
        };
        let Self { run, watch } = self;
        let sending = async {
            match select(pin!(body.send(bytes)), pin!(watch.alarm())).await {
                Either::Left((client, _)) => client,
                Either::Right(_) => Client::Disconnected,
            }
        };
        let sent = run.place.while_held(sending).await;
        // The clock must not probe a body that the client does not read.
        if sent == Client::Connected {
            self.watch.put_body(body);
        }
        sent
    }

    fn restart(&mut self) {
        self.watch.restart();
    }

    fn limit(&mut self, limit: Duration) {
        self.watch.limit(limit);
    }

    fn now(&self) -> u64 {
        seconds()
    }

    async fn end(mut self, bytes: Vec<u8>) -> Client {
        let body = self.body();
        // A run that the reply has ended is cancelled first.
        drop(self.run);
        let Some(mut body) = body else {
            return Client::Disconnected;
        };
        let sending = async move {
            let sent = body.send(bytes).await;
            if sent == Client::Connected {
                body.end().await;
            }
            sent
        };
        match select(pin!(sending), pin!(self.watch.alarm())).await {
            Either::Left((client, _)) => client,
            Either::Right(_) => Client::Disconnected,
        }
    }
}

/// Returns the time, in seconds since 1970.
pub(crate) fn seconds() -> u64 {
    UnixMillis::of(SystemTime::now()).seconds()
}
