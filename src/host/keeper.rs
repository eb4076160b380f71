//! The runs of this instance that have a log.
//!
//! While there are any, the clock of the streams also renews the lease of the instance and
//! looks for requests to cancel one of its runs. So a silent run costs no timer.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use crate::access::UnixMillis;
use crate::run_log::{LOOK, Lease, RENEWAL, StoredLog};

use super::random::random_ids;
use super::store::{self, Store};

/// How often the keys of the lease are registered. They stay in the store for longer.
const REGISTRATION: Duration = Duration::from_hours(24);

thread_local! {
    static KEEPER: Keeper = Keeper::default();
}

#[derive(Default)]
struct Keeper {
    lease: OnceCell<Lease>,
    runs: RefCell<Vec<Rc<Kept>>>,
    /// When the keys of the lease are registered again.
    registration: Cell<UnixMillis>,
    renewal: Cell<UnixMillis>,
    look: Cell<UnixMillis>,
    /// Until when the lease allows to write.
    until: Cell<UnixMillis>,
    /// The last known value of the requests to cancel.
    asked: RefCell<Option<Vec<u8>>>,
}

/// Cancels a run.
pub(crate) type Cancel = Box<dyn Fn()>;

/// A run that has a log.
struct Kept {
    log: StoredLog<Store>,
    cancel: RefCell<Option<Cancel>>,
}

/// The registration of a run. Dropping it ends it.
pub(crate) struct Registration(Rc<Kept>);

impl Registration {
    /// Registers a run, whose lease begins now. Returns `None` if the store has failed.
    pub(crate) fn begin(log: StoredLog<Store>) -> Option<Self> {
        let kept = Rc::new(Kept {
            log,
            cancel: RefCell::default(),
        });
        KEEPER.with(|keeper| {
            if keeper.runs.borrow().is_empty() {
                keeper.begin(kept.log.store())?;
            }
            keeper.runs.borrow_mut().push(Rc::clone(&kept));
            Some(Self(kept))
        })
    }

    /// Sets the function that is called when the run is to be cancelled.
    pub(crate) fn on_cancel(&self, cancel: Cancel) {
        self.0.cancel.replace(Some(cancel));
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        KEEPER.with(|keeper| {
            let mut runs = keeper.runs.borrow_mut();
            runs.retain(|run| !Rc::ptr_eq(run, &self.0));
        });
    }
}

/// Returns the id of this instance.
pub(crate) fn instance() -> Lease {
    KEEPER.with(Keeper::lease)
}

/// Returns whether the lease allows to write.
pub(crate) fn may_write() -> bool {
    KEEPER.with(|keeper| now() < keeper.until.get())
}

/// Does what is due, and returns the time until the next time.
pub(crate) fn tick() -> Duration {
    KEEPER.with(Keeper::tick)
}

impl Keeper {
    fn lease(&self) -> Lease {
        *self.lease.get_or_init(|| {
            let [instance] = random_ids();
            Lease::of(instance)
        })
    }

    fn begin(&self, store: &Store) -> Option<()> {
        let now = now();
        self.renew(store, now)?;
        self.look.set(now + LOOK);
        self.asked.replace(self.lease().asked(store)?);
        Some(())
    }

    fn renew(&self, store: &Store, now: UnixMillis) -> Option<()> {
        let lease = self.lease();
        self.renewal.set(now + RENEWAL);
        if self.registration.get() <= now {
            lease.register(store, now)?;
            self.registration.set(now + REGISTRATION);
        }
        self.until.set(lease.renew(store, now)?);
        Some(())
    }

    fn tick(&self) -> Duration {
        if self.runs.borrow().is_empty() {
            return Duration::MAX;
        }
        let now = now();
        if let Some(store) = store::open() {
            if self.renewal.get() <= now {
                self.renew(&store, now);
            }
            if self.look.get() <= now {
                self.look(&store);
                self.look.set(now + LOOK);
            }
        }
        let next = self.look.get().min(self.renewal.get());
        Duration::from_millis(next.millis().saturating_sub(now.millis()))
    }

    /// Wakes the runs that are to be cancelled.
    fn look(&self, store: &Store) {
        let Some(asked) = self.lease().asked(store) else {
            return;
        };
        if *self.asked.borrow() == asked {
            return;
        }
        self.asked.replace(asked);
        for run in self.runs.borrow().iter() {
            if run.log.is_cancel_asked() == Some(true)
                && let Some(cancel) = &*run.cancel.borrow()
            {
                cancel();
            }
        }
    }
}

fn now() -> UnixMillis {
    UnixMillis::of(SystemTime::now())
}
