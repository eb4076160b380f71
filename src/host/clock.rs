//! One clock for all streams of an instance.
//!
//! Each stream waits with its own [`Watch`]. One of the waiting streams drives the clock
//! for all of them: it looks at them ([`crate::delivery::schedule`]), probes the bodies of
//! silent ones, and wakes the task of a stream that needs to act. When the driving stream
//! ends, another one takes over. So a silent stream costs no timer, and no task outlives
//! its request.
//!
//! A task of the component model is woken only by the host. So a watch reads from a stream
//! of WASI, its bell, and dropping the other end rings it. The feature `inter-task-wakeup`
//! of wit-bindgen does the same for every wait, which costs more.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::select;
use spin_sdk::time::sleep;
use spin_sdk::wasip3::wit_stream;
use spin_sdk::wit_bindgen::rt::async_support::{StreamReader, StreamWriter};
use tidegate_agent::joined::{Clock as _, HostClock};

use crate::delivery::Client;
use crate::delivery::schedule::{LOOK, Need, Schedule};

use super::keeper;
use super::outgoing::Body;

thread_local! {
    static CLOCK: Clock = Clock::default();
}

/// The streams of an instance.
#[derive(Default)]
struct Clock {
    entries: RefCell<Vec<Rc<Entry>>>,
    has_driver: Cell<bool>,
    /// Rings the driver, while it sleeps for longer than [`LOOK`].
    driver_bell: RefCell<Option<StreamWriter<u8>>>,
}

/// A stream, as the clock sees it.
struct Entry {
    /// The index in [`Clock::entries`].
    index: Cell<usize>,
    schedule: Cell<Schedule>,
    /// The body of the response, unless the stream writes to it.
    body: RefCell<Option<Body>>,
    alarm: Cell<Option<Alarm>>,
    /// Whether the run is to be cancelled. No other alarm replaces this one.
    is_cancelled: Cell<bool>,
    /// Rings the stream, while it waits and another one drives.
    bell: RefCell<Option<StreamWriter<u8>>>,
}

/// The reason to wake a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alarm {
    /// The time limit is reached.
    Due,
    /// The client has disconnected.
    Disconnected,
    /// A client has cancelled the run.
    Cancelled,
}

/// A future that never ends: it drives the clock until it is dropped.
type Driver = Pin<Box<dyn Future<Output = ()>>>;

/// Waits for the drop of the bell's other end.
type Bell = Pin<Box<dyn Future<Output = ()>>>;

/// The watch of one stream.
pub(crate) struct Watch {
    entry: Rc<Entry>,
    driver: Option<Driver>,
    bell: Option<Bell>,
}

impl Watch {
    /// Begins a watch with a time limit.
    #[must_use]
    pub(crate) fn new(limit: Duration) -> Self {
        let entry = Rc::new(Entry {
            index: Cell::default(),
            schedule: Cell::new(Schedule::new(HostClock::now(), limit)),
            body: RefCell::default(),
            alarm: Cell::default(),
            is_cancelled: Cell::default(),
            bell: RefCell::default(),
        });
        CLOCK.with(|clock| clock.add(&entry));
        Self {
            entry,
            driver: None,
            bell: None,
        }
    }

    /// Restarts the time limit: the stream is active.
    pub(crate) fn restart(&self) {
        self.entry.update(Schedule::restart);
        CLOCK.with(Clock::wake_driver);
    }

    /// Sets the time limit. If the earlier one was reached, it has no effect: the stream did
    /// something else at that moment.
    pub(crate) fn limit(&self, limit: Duration) {
        self.entry.update(|schedule| schedule.limit(limit));
        if self.entry.alarm.get() == Some(Alarm::Due) {
            self.entry.alarm.set(None);
        }
    }

    /// Returns whether the client is known to have disconnected. Writing then traps.
    pub(crate) fn is_disconnected(&self) -> bool {
        self.entry.alarm.get() == Some(Alarm::Disconnected)
    }

    /// Returns a function that wakes the stream because its run is to be cancelled.
    pub(crate) fn cancel(&self) -> impl Fn() + 'static {
        let entry = Rc::clone(&self.entry);
        move || {
            entry.is_cancelled.set(true);
            drop(entry.bell.take());
        }
    }

    /// Puts the body where the clock can probe it.
    pub(crate) fn put_body(&self, body: Body) {
        *self.entry.body.borrow_mut() = Some(body);
    }

    /// Takes the body to write to it.
    pub(crate) fn take_body(&self) -> Option<Body> {
        self.entry.body.borrow_mut().take()
    }

    /// Waits until the stream needs to act. A caller may stop waiting and wait again later.
    pub(crate) async fn alarm(&mut self) -> Alarm {
        poll_fn(|context| self.poll_alarm(context)).await
    }

    fn poll_alarm(&mut self, context: &mut Context<'_>) -> Poll<Alarm> {
        loop {
            if let Some(alarm) = self.entry.take_alarm() {
                return Poll::Ready(alarm);
            }
            if self.driver.is_none() && CLOCK.with(Clock::claim) {
                self.bell = None;
                self.entry.bell.take();
                self.driver = Some(Box::pin(drive()));
            }
            if let Some(driver) = &mut self.driver {
                let Poll::Pending = driver.as_mut().poll(context) else {
                    self.driver = None;
                    continue;
                };
                return self.entry.take_alarm().map_or(Poll::Pending, Poll::Ready);
            }
            let entry = &self.entry;
            let bell = self.bell.get_or_insert_with(|| {
                let (writer, reader) = wit_stream::new();
                entry.bell.replace(Some(writer));
                Box::pin(wait_for(reader))
            });
            let Poll::Ready(()) = bell.as_mut().poll(context) else {
                return Poll::Pending;
            };
            self.bell = None;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let is_driver = self.driver.take().is_some();
        CLOCK.with(|clock| {
            clock.remove(&self.entry);
            if is_driver {
                clock.hand_over();
            }
        });
    }
}

impl Clock {
    fn add(&self, entry: &Rc<Entry>) {
        let mut entries = self.entries.borrow_mut();
        entry.index.set(entries.len());
        entries.push(Rc::clone(entry));
        drop(entries);
        self.wake_driver();
    }

    fn remove(&self, entry: &Rc<Entry>) {
        let mut entries = self.entries.borrow_mut();
        let index = entry.index.get();
        if index < entries.len() {
            entries.swap_remove(index);
        }
        if let Some(moved) = entries.get(index) {
            moved.index.set(index);
        }
    }

    /// Returns whether the caller must drive.
    fn claim(&self) -> bool {
        !self.has_driver.replace(true)
    }

    /// Wakes a stream, which then drives. Streams without a bell do not wait, and the
    /// first that does drives.
    fn hand_over(&self) {
        self.has_driver.set(false);
        self.driver_bell.take();
        let entries = self.entries.borrow();
        let mut bells = entries.iter().map(|entry| entry.bell.take());
        drop(bells.find(Option::is_some));
    }

    /// Shortens the sleep of the driver.
    fn wake_driver(&self) {
        drop(self.driver_bell.take());
    }

    /// Looks at all streams, and returns the time until the next look.
    fn look(&self) -> Duration {
        let now = HostClock::now();
        let mut rest = Duration::MAX;
        for entry in self.entries.borrow().iter() {
            match entry.update(|schedule| schedule.look(now)) {
                Need::Nothing => {}
                Need::Due => entry.ring(Alarm::Due),
                Need::Probe if entry.is_disconnected() => entry.ring(Alarm::Disconnected),
                Need::Probe => {}
            }
            rest = rest.min(entry.schedule.get().rest(now));
        }
        rest
    }
}

impl Entry {
    fn update<T>(&self, change: impl FnOnce(&mut Schedule) -> T) -> T {
        let mut schedule = self.schedule.get();
        let result = change(&mut schedule);
        self.schedule.set(schedule);
        result
    }

    /// Probes the body. The host takes an empty write immediately, unless the client reads
    /// slowly. Then the write is cancelled.
    fn is_disconnected(&self) -> bool {
        let mut body = self.body.borrow_mut();
        let probe = body.as_mut().map(|body| body.probe().now_or_never());
        probe.flatten() == Some(Client::Disconnected)
    }

    fn take_alarm(&self) -> Option<Alarm> {
        match self.is_cancelled.take() {
            true => Some(Alarm::Cancelled),
            false => self.alarm.take(),
        }
    }

    fn ring(&self, alarm: Alarm) {
        self.alarm.set(Some(alarm));
        drop(self.bell.take());
    }
}

/// Looks at the streams whenever one of them needs it.
async fn drive() {
    loop {
        let rest = CLOCK.with(Clock::look).min(keeper::tick());
        if rest <= LOOK {
            sleep(rest).await;
            continue;
        }
        let (writer, reader) = wit_stream::new();
        CLOCK.with(|clock| clock.driver_bell.replace(Some(writer)));
        select(pin!(sleep(rest)), pin!(wait_for(reader))).await;
        CLOCK.with(Clock::wake_driver);
    }
}

async fn wait_for(mut reader: StreamReader<u8>) {
    reader.read(Vec::with_capacity(1)).await;
}
