//! A streamed reply, with the run and the client of a test.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use futures_util::FutureExt as _;
use tidegate_json::RawValue;
use uuid::Uuid;

use super::*;
use crate::inbound::Budget;
use crate::openai::responses::{Echo, ReasoningEcho, Truncation};
use crate::reply::{FailureCode, Head, Reasoning, ResponseHead, StreamedChat, StreamedResponse};
use crate::run::ToolNames;
use crate::runtime::{
    RunEvent, RunOutcome, StopReason, ToolArgumentsDelta, ToolCallStart, ToolChoice,
};

/// What a test line did.
#[derive(Debug, Default)]
struct Record {
    writes: Vec<String>,
    limits: Vec<Duration>,
    restarts: usize,
    has_ended: bool,
    ending: Option<Ending>,
    /// How often the reply so far was noted.
    progress: usize,
    has_left: bool,
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

    fn now(&self) -> u64 {
        9
    }

    fn note_progress(&mut self) {
        self.record.borrow_mut().progress += 1;
    }

    async fn leave(self) -> Option<Ending> {
        self.record.borrow_mut().has_left = true;
        None
    }

    async fn end(self, ending: Ending, bytes: Vec<u8>) -> Client {
        self.record.borrow_mut().ending = Some(ending);
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
    Step::Ended(Ending::Succeeded(RunOutcome {
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

/// Delivers a chat completion, and returns what the line did.
fn deliver(line: Script) -> Record {
    let head = Head {
        id: "chatcmpl_1".to_owned(),
        created: 1,
        model: "openclaw".to_owned(),
        reasoning: Reasoning::Hidden,
    };
    let mut bytes = Vec::new();
    let reply = StreamedChat::start(head, false, &ToolChoice::Auto, &mut bytes);
    deliver_reply(line, reply.into(), bytes, None)
}

/// Delivers a response with a progress event after a time.
fn deliver_response(line: Script, reasoning: Reasoning, progress: Duration) -> Record {
    let head = response_head(reasoning);
    let mut bytes = Vec::new();
    let holding = Budget::new(0).begin("a");
    let auto = ToolChoice::Auto;
    let reply = StreamedResponse::start(head, &auto, holding, 0, &mut bytes);
    deliver_reply(line, reply.into(), bytes, Some(progress))
}

fn deliver_reply(
    mut line: Script,
    reply: StreamedReply,
    bytes: Vec<u8>,
    progress: Option<Duration>,
) -> Record {
    let first = first(&mut line).unwrap();
    let log = AccessLog::begin(Uuid::nil());
    let delivery = Delivery::begin(reply, bytes, first, &mut line, log);
    let record = Rc::clone(&line.record);
    let silence = progress.map_or(SILENCE, |_| Duration::MAX);
    let delivered = delivery.follow(line, &SETTINGS, silence, progress);
    delivered.now_or_never().unwrap();
    record.take()
}

fn response_head(reasoning: Reasoning) -> ResponseHead {
    let raw = |json: &str| RawValue::from_string(json.to_owned()).unwrap();
    ResponseHead {
        id: "resp_1".to_owned(),
        run: Uuid::nil(),
        created: 1,
        model: "openclaw".to_owned(),
        reasoning,
        echo: Echo {
            instructions: None,
            max_output_tokens: None,
            max_tool_calls: None,
            metadata: raw("{}"),
            parallel_tool_calls: true,
            previous_response_id: None,
            prompt_cache_key: None,
            reasoning: ReasoningEcho::default(),
            safety_identifier: None,
            temperature: 1.0,
            text: raw("{}"),
            tool_choice: raw("\"auto\""),
            tools: raw("[]"),
            top_p: 1.0,
            truncation: Truncation::Disabled,
        },
        names: ToolNames::default(),
        limit: 1_000_000,
        store: false,
        background: false,
        failure: FailureCode::ServerError,
    }
}

fn events(run: impl IntoIterator<Item = RunEvent>) -> Wake {
    Wake::Step(Step::Events(run.into_iter().collect()))
}

/// Returns whether each write after the first one is a progress event, or a comment.
fn silent_writes(record: &Record) -> Vec<&'static str> {
    let writes = record.writes.iter().filter_map(|write| {
        if write == ": waiting\n" {
            return Some("comment");
        }
        let is_progress = write.starts_with("event: response.in_progress\n");
        is_progress.then_some("progress")
    });
    writes.collect()
}

#[test]
fn a_response_without_an_event_sends_its_progress() {
    let hidden = || events([RunEvent::Reasoning("hm".to_owned())]);
    let buffered = || {
        let (id, name) = (String::new(), "f".to_owned());
        let call = || {
            RunEvent::ToolCall(ToolCallStart {
                id: id.clone(),
                name: name.clone(),
            })
        };
        events([call(), call()])
    };
    let arguments = || {
        let json = "1".to_owned();
        events([RunEvent::ToolArguments(ToolArgumentsDelta {
            index: 1,
            json,
        })])
    };
    let waits = [
        Wake::Step(text("a")),
        Wake::Due,
        // Reasoning that the client does not see is not an event.
        hidden(),
        Wake::Due,
        Wake::Due,
        Wake::Due,
        buffered(),
        Wake::Due,
        // The arguments of a waiting call are not an event.
        arguments(),
        Wake::Due,
        Wake::Step(ended()),
    ];
    let progress = 2 * SETTINGS.heartbeat;
    let line = Script::new(waits.into_iter().collect());
    let record = deliver_response(line, Reasoning::Hidden, progress);
    assert_eq!(
        silent_writes(&record),
        [
            "comment", "progress", "comment", "progress", "comment", "progress"
        ]
    );
    assert!(record.has_ended);
    let last = record.writes.last().unwrap();
    assert!(last.contains("event: response.completed\n"), "{last}");
    assert!(last.contains("\"completed_at\":9"), "{last}");
}

#[test]
fn a_wait_ends_at_the_heartbeat_or_the_progress() {
    let limits = |seconds: u64| {
        let waits = [Wake::Step(text("a")), Wake::Due, Wake::Due, Wake::Due];
        let waits = waits.into_iter().chain([Wake::Step(ended())]).collect();
        let progress = Duration::from_secs(seconds);
        let record = deliver_response(Script::new(waits), Reasoning::Hidden, progress);
        let write_timeout = SETTINGS.write_timeout;
        let limits = record
            .limits
            .iter()
            .filter(|limit| **limit != write_timeout);
        let limits: Vec<_> = limits.map(Duration::as_secs).collect();
        (limits, silent_writes(&record))
    };
    let (heartbeat, rest) = (15, 5);
    assert_eq!(
        limits(20),
        (
            vec![heartbeat, rest, heartbeat, rest],
            vec!["comment", "progress", "comment"]
        )
    );
    assert_eq!(limits(4), (vec![4; 4], vec!["progress"; 3]));
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
        let waits = before
            .into_iter()
            .chain([Step::Ended(Ending::Failed(failed()))]);
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
        Wake::Step(Step::Ended(Ending::Failed(failed()))),
    ];
    let writes = deliver(Script::new(waits)).writes.concat();
    assert!(writes.contains(r#"data: {"error""#), "{writes}");
    assert!(!writes.contains(r#""finish_reason":"stop""#), "{writes}");
}
