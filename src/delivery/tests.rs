//! A streamed reply, with the run and the client of a test.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use futures_util::FutureExt as _;
use uuid::Uuid;

use super::*;
use crate::reply::{Head, Reasoning};
use crate::runtime::{RunEvent, StopReason, ToolChoice};

/// What a test line did.
#[derive(Debug, Default)]
struct Record {
    writes: Vec<String>,
    limits: Vec<Duration>,
    restarts: usize,
    has_ended: bool,
}

/// A line that plays waits. `Some(step)` within `ready` follows the wait immediately.
struct Script {
    waits: VecDeque<Wake>,
    ready: VecDeque<Step>,
    /// The write after which the client is gone.
    leaves_after: usize,
    record: Rc<RefCell<Record>>,
}

impl Script {
    fn new(waits: Vec<Wake>) -> Self {
        Self {
            waits: waits.into(),
            ready: VecDeque::new(),
            leaves_after: usize::MAX,
            record: Rc::default(),
        }
    }

    fn write(&self, bytes: Vec<u8>) -> Client {
        let mut record = self.record.borrow_mut();
        record.writes.push(String::from_utf8(bytes).unwrap());
        if record.writes.len() > self.leaves_after {
            return Client::Disconnected;
        }
        Client::Connected
    }
}

impl Line for Script {
    async fn wait(&mut self) -> Wake {
        self.waits.pop_front().expect("another wait")
    }

    fn ready(&mut self) -> Option<Step> {
        self.ready.pop_front()
    }

    async fn send(&mut self, bytes: Vec<u8>) -> Client {
        self.write(bytes)
    }

    fn restart(&mut self) {
        self.record.borrow_mut().restarts += 1;
    }

    fn limit(&mut self, limit: Duration) {
        self.record.borrow_mut().limits.push(limit);
    }

    async fn end(self, bytes: Vec<u8>) -> Client {
        self.record.borrow_mut().has_ended = true;
        self.write(bytes)
    }
}

const SETTINGS: StreamSettings = StreamSettings {
    heartbeat: Duration::from_secs(15),
    first_event_wait: Duration::from_secs(1),
    write_timeout: Duration::from_secs(300),
};

/// Two heartbeats.
const SILENCE: Duration = Duration::from_secs(30);

fn text(text: &str) -> Step {
    Step::Events(vec![RunEvent::Text(text.to_owned())])
}

fn ended() -> Step {
    Step::Ended(Ok(RunOutcome {
        stop_reason: StopReason::EndTurn,
        usage: None,
    }))
}

fn failed() -> RunError {
    RunError::Failed("broken".to_owned())
}

fn first(line: &mut Script) -> Result<Vec<Step>, RunError> {
    first_steps(line).now_or_never().unwrap()
}

/// Delivers a whole reply, and returns what the line did.
fn deliver(mut line: Script) -> Record {
    let first = first(&mut line).unwrap();
    let head = Head {
        id: "chatcmpl_1".to_owned(),
        created: 1,
        model: "openclaw".to_owned(),
        reasoning: Reasoning::Hidden,
    };
    let mut bytes = Vec::new();
    let reply = StreamedReply::start(head, false, &ToolChoice::Auto, &mut bytes);
    let log = AccessLog::begin(Uuid::nil());
    let delivery = Delivery::begin(reply, bytes, first, &mut line, log);
    let record = Rc::clone(&line.record);
    let delivered = delivery.follow(line, &SETTINGS, SILENCE).now_or_never();
    delivered.unwrap();
    record.take()
}

#[test]
fn reasoning_that_the_client_does_not_see_does_not_put_off_the_heartbeat() {
    let hidden = || Step::Events(vec![RunEvent::Reasoning("hm".to_owned())]);
    let restarts = |steps: Vec<Step>| {
        let waits = steps.into_iter().chain([ended()]).map(Wake::Step);
        deliver(Script::new(waits.collect())).restarts
    };
    let silent = restarts(vec![text("a"), hidden(), hidden()]);
    assert_eq!(restarts(vec![text("a")]), silent);
    assert_eq!(restarts(vec![text("a"), text("b"), hidden()]), silent + 1);
}

#[test]
fn a_run_that_fails_before_its_first_event_gets_a_status() {
    let fails = |before: Vec<Step>| {
        let waits = before.into_iter().chain([Step::Ended(Err(failed()))]);
        first(&mut Script::new(waits.map(Wake::Step).collect()))
    };
    assert_eq!(fails(Vec::new()), Err(failed()));
    // An empty text says that the run has begun, so the failure is part of the stream.
    assert!(fails(vec![text("")]).is_ok());
}

#[test]
fn a_silent_run_gets_a_head_and_a_heartbeat() {
    let waits = vec![Wake::Due, Wake::Step(text("a")), Wake::Step(ended())];
    let record = deliver(Script::new(waits));
    assert!(record.writes[0].contains(r#""role":"assistant""#));
    assert!(record.writes[0].ends_with(": waiting\n"));
    assert!(record.writes[1].contains(r#""content":"a""#));
    assert!(record.has_ended);
}

#[test]
fn steps_that_are_ready_share_a_write() {
    let mut line = Script::new(vec![Wake::Step(text("a")), Wake::Step(ended())]);
    line.ready = [text("b"), text("c")].into();
    let record = deliver(line);
    assert_eq!(record.writes.len(), 2);
    assert_eq!(record.writes[0].matches("content").count(), 3);
}

#[test]
fn the_end_of_a_run_is_sent_with_its_last_events() {
    let mut line = Script::new(vec![Wake::Step(text("a"))]);
    line.ready = [text("b"), ended()].into();
    let record = deliver(line);
    assert_eq!(record.writes.len(), 1);
    assert!(record.writes[0].ends_with("data: [DONE]\n\n"));
}

#[test]
fn every_silence_ends_with_a_heartbeat() {
    let silence = || [Wake::Step(text("a")), Wake::Due];
    let waits = silence().into_iter().chain(silence());
    let waits = waits.chain([Wake::Step(ended())]);
    let record = deliver(Script::new(waits.collect()));
    for silence in [1, 3] {
        assert_eq!(record.writes[silence], ": waiting\n");
    }
}

#[test]
fn a_run_that_is_silent_for_too_long_has_failed() {
    let waits = vec![Wake::Step(text("a")), Wake::Due, Wake::Due];
    let record = deliver(Script::new(waits));
    let last = record.writes.last().unwrap();
    assert!(last.starts_with(r#"data: {"error""#), "{last}");
    assert!(record.has_ended);
}

#[test]
fn a_write_has_its_own_time_limit() {
    let waits = vec![Wake::Step(text("a")), Wake::Step(ended())];
    let record = deliver(Script::new(waits));
    let StreamSettings {
        heartbeat,
        write_timeout,
        ..
    } = SETTINGS;
    assert_eq!(record.limits, [write_timeout, heartbeat, write_timeout]);
}

#[test]
fn a_disconnect_ends_the_delivery_without_an_end() {
    let during_a_wait = Script::new(vec![Wake::Step(text("a")), Wake::Disconnected]);
    let mut during_a_write = Script::new(vec![Wake::Due, Wake::Step(text("a"))]);
    during_a_write.leaves_after = 1;
    for line in [during_a_wait, during_a_write] {
        let record = deliver(line);
        assert!(!record.has_ended);
        assert!(!record.writes.concat().contains("[DONE]"));
    }
}

#[test]
fn a_broken_run_never_says_done_without_an_error() {
    let waits = vec![
        Wake::Step(text("a")),
        Wake::Step(Step::Ended(Err(failed()))),
    ];
    let writes = deliver(Script::new(waits)).writes.concat();
    assert!(writes.contains(r#"data: {"error""#), "{writes}");
    assert!(!writes.contains(r#""finish_reason":"stop""#), "{writes}");
}
