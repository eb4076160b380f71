//! Several backends behind runtime-openclaw: which backend gets a run, and what
//! happens if a backend cannot be reached.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a missing value fails the test"
)]

mod harness;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use harness::{
    Connection, RecordedRequest, Response, Server, TOKEN, Upstream, WAIT_LIMIT, Watched, ask,
    chunks, config, error, finish, finishes, hello_upstream, last_message, refusal_with, says,
    steps, stream, streamed, text,
};
use serde_json::{Value, json};

/// The token for backends without a token of their own.
const OWN_TOKEN: &str = "runtime-token-9c2a";

/// A URL that refuses connections: no program listens on this system port.
const UNREACHABLE: &str = "http://127.0.0.1:1";

/// Starts Tidegate with these backends and more members of `tidegate.runtime`.
fn server(urls: &[&str], more: &str) -> Server {
    let urls = json!(urls);
    let runtime = format!("runtime: {{ urls: {urls}, token: '{OWN_TOKEN}', {more} }}");
    Server::start("openclaw", &config(&runtime))
}

/// Starts backends that reply with their number.
fn numbered(count: usize) -> Vec<Upstream> {
    let numbered = |n: usize| {
        let steps = stream(&[&says(&n.to_string()), &finish("stop"), "[DONE]"]);
        Upstream::script(steps)
    };
    (0..count).map(numbered).collect()
}

fn urls(upstreams: &[Upstream]) -> Vec<String> {
    upstreams.iter().map(Upstream::url).collect()
}

/// Returns a request with a user, and therefore with a session.
fn with_user(user: &str, text: &str) -> Value {
    let mut body = ask(text);
    body["user"] = json!(user);
    body
}

fn reply_text(answer: &Response) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = answer.json();
    answer["choices"][0]["message"]["content"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Sends a request for each user and returns the backends that replied.
fn homes(server: &Server, users: usize) -> Vec<String> {
    let answer = |n: usize| server.chat(&with_user(&format!("user {n}"), "Hi")).send();
    (0..users).map(|n| reply_text(&answer(n))).collect()
}

/// Returns the total number of requests to these backends.
fn requests(upstreams: &[Upstream]) -> usize {
    upstreams
        .iter()
        .map(|upstream| upstream.requests().len())
        .sum()
}

#[test]
fn a_session_keeps_its_backend_in_any_order_of_the_list() {
    let upstreams = numbered(3);
    let urls = urls(&upstreams);
    let [a, b, c] = [&urls[0], &urls[1], &urls[2]];
    let homes_in = |urls: &[&str]| homes(&server(urls, ""), 48);
    let homes = homes_in(&[a, b, c]);
    assert_eq!(homes_in(&[a, b, c]), homes);
    assert_eq!(homes_in(&[c, a, b]), homes);
    for n in 0..3 {
        assert!(
            homes.contains(&n.to_string()),
            "no session belongs to {n}: {homes:?}"
        );
    }
    // Without one backend, only its own sessions move.
    for (now, before) in homes_in(&[a, b]).iter().zip(&homes) {
        assert!(now == before || before == "2", "{before} became {now}");
    }
}

#[test]
fn runs_without_a_session_are_spread_over_all_backends() {
    let upstreams = numbered(2);
    let [a, b] = [upstreams[0].url(), upstreams[1].url()];
    let server = server(&[&a, &b], "");
    let answers: Vec<_> = (0..24)
        .map(|_| reply_text(&server.chat(&ask("Hi")).send()))
        .collect();
    for n in ["0", "1"] {
        assert!(answers.iter().any(|answer| answer == n), "{answers:?}");
    }
    assert_eq!(requests(&upstreams), 24);
}

#[test]
fn a_backend_that_refuses_is_skipped_and_only_the_log_says_so() {
    let upstream = hello_upstream();
    let server = server(&[UNREACHABLE, &upstream.url()], "");
    for _ in 0..16 {
        let whole = server.chat(&ask("Hi")).send();
        assert_eq!(reply_text(&whole), "Hello");
        assert!(!whole.text().contains("127.0.0.1"), "{whole:?}");
        let answer = server.chat(&streamed(ask("Hi"))).send();
        assert_eq!(finishes(&chunks(&answer)), ["stop"]);
    }
    assert_eq!(upstream.requests().len(), 32);
    let log = server.wait_for_log(|log| log.contains("backend_skipped"));
    let line = log
        .lines()
        .find(|line| line.contains("backend_skipped"))
        .unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["backend_skipped"], "127.0.0.1:1");
    assert_eq!(line["seconds"], 1);
    assert_eq!(line["detail"], "the backend refuses the connection");
    server.assert_unharmed(&[TOKEN, OWN_TOKEN]);
}

#[test]
fn failover_covers_only_the_configured_runs() {
    let upstream = hello_upstream();
    // Each mode with the status of runs whose backend is unreachable: without a
    // session, and with one.
    for (failover, fresh, continued) in [
        ("", 200, 502),
        ("failover: 'stateless'", 200, 502),
        ("failover: 'all'", 200, 200),
        ("failover: 'none'", 502, 502),
    ] {
        let server = server(&[UNREACHABLE, &upstream.url()], failover);
        let worst = |body: &dyn Fn(usize) -> Value| {
            let answers = (0..24).map(|n| server.chat(&body(n)).send());
            answers.max_by_key(|answer| answer.status).unwrap()
        };
        let worst_fresh = worst(&|_| ask("Hi"));
        let worst_continued = worst(&|n| with_user(&n.to_string(), "Hi"));
        assert_eq!(worst_fresh.status, fresh, "{failover}");
        assert_eq!(worst_continued.status, continued, "{failover}");
        for answer in [worst_fresh, worst_continued] {
            if answer.status == 502 {
                let message = "The agent runtime cannot be reached.";
                assert_eq!(error(&answer)["message"], message);
                // No run has started, so a client may retry.
                assert_eq!(answer.headers.get("x-should-retry"), None);
            }
        }
    }
}

#[test]
fn a_backends_error_response_is_forwarded_without_failover() {
    for (status, expected) in [(429, 429), (503, 503), (500, 502)] {
        let refuse = || Upstream::script(refusal_with(status, "Retry-After: 7"));
        let upstreams = [refuse(), refuse()];
        let [a, b] = [upstreams[0].url(), upstreams[1].url()];
        let server = server(&[&a, &b], "failover: 'all'");
        for n in 1..=8 {
            let answer = server.chat(&ask("Hi")).send();
            assert_eq!(answer.status, expected, "{answer:?}");
            let wait = (status != 500).then_some("7");
            assert_eq!(answer.headers.get("retry-after"), wait, "{answer:?}");
            assert_eq!(requests(&upstreams), n, "{status}");
        }
        // The access log follows the notice.
        let log = server.wait_for_log(|log| log.matches("duration_ms").count() == 8);
        assert!(!log.contains("backend_skipped"), "{log}");
    }
}

#[test]
fn a_request_is_never_sent_twice() {
    let hangs_up = |_: &RecordedRequest, connection: &mut Connection| connection.close();
    let upstreams = [Upstream::start(hangs_up), hello_upstream()];
    let [a, b] = [upstreams[0].url(), upstreams[1].url()];
    let server = server(&[&a, &b], "failover: 'all'");
    for n in 1..=32 {
        let answer = server.chat(&ask("Hi")).send();
        if answer.status != 200 {
            assert_eq!(answer.status, 502, "{answer:?}");
            assert_eq!(answer.headers.get("x-should-retry"), Some("false"));
        }
        assert_eq!(requests(&upstreams), n);
    }
    assert!(
        upstreams
            .iter()
            .all(|upstream| !upstream.requests().is_empty())
    );
}

#[test]
fn a_backend_receives_the_whole_request_with_its_own_token() {
    let upstreams = [hello_upstream(), hello_upstream()];
    let [a, b] = [upstreams[0].url(), upstreams[1].url()];
    let document = format!(
        "runtime: {{ token: '{OWN_TOKEN}', failover: 'all', urls: ['{a}',
           {{ url: '{UNREACHABLE}', token: 'of-unreachable', weight: 100 }},
           {{ url: '{b}', token: 'of-b' }}] }}"
    );
    let server = Server::start("openclaw", &config(&document));
    let long = "long ".repeat(20_000) + "end";
    for _ in 0..32 {
        assert_eq!(reply_text(&server.chat(&ask(&long)).send()), "Hello");
    }
    for (upstream, token) in upstreams.iter().zip([OWN_TOKEN, "of-b"]) {
        let requests = upstream.requests();
        assert!(!requests.is_empty());
        for request in requests {
            let authorization = [format!("Bearer {token}")];
            assert_eq!(request.headers.all("authorization"), authorization);
            assert!(last_message(&request) == long, "{}", request.body.len());
        }
    }
}

#[test]
fn models_are_listed_by_a_reachable_backend() {
    let list = r#"{"data":[{"id":"openclaw/main"},{"id":"openclaw/beta"}]}"#;
    let upstream = Upstream::script(vec![harness::Step::Write(steps::answer(
        200,
        "application/json",
        list,
    ))]);
    for failover in ["all", "none"] {
        let document = format!(
            "{{ gateway: {{ auth: {{ token: '{TOKEN}' }},
                 http: {{ endpoints: {{ chatCompletions: {{ enabled: true }} }} }} }},
               tidegate: {{ runtime: {{ failover: '{failover}', urls: [
                 '{UNREACHABLE}', 'http://127.0.0.1:2', '{}'] }} }} }}",
            upstream.url()
        );
        let server = Server::start("openclaw", &document);
        let answer = server.request("GET", "/v1/models").bearer(TOKEN).send();
        assert!(answer.text().contains("openclaw/beta"), "{answer:?}");
    }
}

#[test]
fn instances_with_a_store_share_their_backoff() {
    let stable = hello_upstream();
    // A loopback address that no other test uses, as below.
    let own = SocketAddr::from(([127, 0, 0, 78], 0));
    let hello = stream(&[&says("Hello"), &finish("stop"), "[DONE]"]);
    let start = |address| {
        let hello = hello.clone();
        Upstream::start_at(&[address], move |_, connection| connection.play(&hello))
    };
    let failing = start(own);
    let (address, urls) = (failing.address(), [stable.url(), failing.url()]);
    drop(failing);
    let runtime = format!("runtime: {{ urls: {} }}", json!(urls));
    let server = Server::builder("openclaw-files").config(&config(&runtime));
    let server = server.store().start();
    let run_until = |done: &dyn Fn() -> bool| {
        let begun = Instant::now();
        while !done() {
            assert!(begun.elapsed() < WAIT_LIMIT, "{}", server.log());
            assert_eq!(reply_text(&server.chat(&ask("Hi")).send()), "Hello");
        }
    };
    // Each run has its own instance. The first instance that cannot reach the backend
    // stores the backoff for the others, and one of them tries the backend later.
    run_until(&|| server.log().contains("\"seconds\":2"));
    let first = server.log().matches("\"seconds\":1").count();
    assert_eq!(first, 1, "{}", server.log());
    let back = start(address);
    run_until(&|| !back.requests().is_empty());
    // The instance that reached the backend has cleared its backoff in the store.
    let before = back.requests().len();
    (0..32).for_each(|_| assert_eq!(reply_text(&server.chat(&ask("Hi")).send()), "Hello"));
    assert!(back.requests().len() > before);
}

/// The requests and replies under load.
#[derive(Default)]
struct Traffic {
    /// Each message with the number of the backend that received it.
    received: Vec<(String, usize)>,
    /// The replies to each user, in order.
    replies: BTreeMap<usize, Vec<Reply>>,
}

/// A reply and the message that it belongs to.
struct Reply {
    message: String,
    /// The text, or `None` if the run failed.
    text: Option<String>,
}

impl Traffic {
    /// Returns the backend of a user's last reply, or `None` if the run failed.
    fn last(&self, user: usize) -> Option<usize> {
        let text = self.replies.get(&user)?.last()?.text.as_ref()?;
        text.split(':').next()?.parse().ok()
    }

    /// Returns whether every user has `count` replies or more.
    fn all_have(&self, users: usize, count: usize) -> bool {
        let enough = self.replies.values().filter(|all| all.len() >= count);
        enough.count() == users
    }
}

/// Starts backend `n`, which echoes its number and the message word by word. After
/// its number, it does not continue its reply to `hold`.
fn echoing(n: usize, address: SocketAddr, traffic: &Arc<Watched<Traffic>>) -> Upstream {
    let traffic = Arc::clone(traffic);
    Upstream::start_at(&[address], move |request, connection| {
        let message = last_message(request);
        traffic.update(|traffic| traffic.received.push((message.clone(), n)));
        connection.open_events();
        connection.event(&says(&format!("{n}:")));
        if message == "hold" {
            connection.pause(WAIT_LIMIT);
            return;
        }
        for word in message.split_inclusive(' ') {
            connection.event(&says(word));
        }
        connection.event(&finish("stop"));
        connection.event("[DONE]");
        connection.end();
    })
}

/// Sends requests of a user, one after the other, until `stop` is set.
fn send_until(stop: &AtomicBool, server: &Server, user: usize, traffic: &Watched<Traffic>) {
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let message = format!("message {n} of user {user}");
        let body = streamed(with_user(&format!("user {user}"), &message));
        let answer = server.chat(&body).send();
        let text = (answer.status == 200)
            .then(|| chunks(&answer))
            .filter(|chunks| finishes(chunks) == ["stop"])
            .map(|chunks| text(&chunks));
        traffic.update(|traffic| {
            let replies = traffic.replies.entry(user).or_default();
            replies.push(Reply { message, text });
        });
    }
}

/// Stops the load when it is dropped, so that a failing test ends as well.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Returns `count` users for each of three backends, each with the backend of its
/// session.
fn users_of_each(server: &Server, count: usize) -> Vec<(usize, usize)> {
    let mut users = Vec::new();
    for user in 0..1000 {
        let first = with_user(&format!("user {user}"), &format!("first of user {user}"));
        let reply_text = reply_text(&server.chat(&first).send());
        let home = reply_text.split(':').next().unwrap().parse().unwrap();
        if users.iter().filter(|(_, other)| *other == home).count() < count {
            users.push((user, home));
        }
        if users.len() == 3 * count {
            break;
        }
    }
    users
}

/// Starts three echoing backends.
fn three_echoing(traffic: &Arc<Watched<Traffic>>) -> Vec<Option<Upstream>> {
    // A loopback address that no other test uses: while the backend is down, no other
    // program may listen on its port.
    let own = SocketAddr::from(([127, 0, 0, 77], 0));
    let (stable, failing) = (SocketAddr::from(([127, 0, 0, 1], 0)), own);
    [stable, failing, stable]
        .into_iter()
        .enumerate()
        .map(|(n, address)| Some(echoing(n, address, traffic)))
        .collect()
}

#[test]
fn a_backend_that_fails_under_load_loses_only_its_runs_and_regains_its_sessions() {
    let traffic = Arc::new(Watched::<Traffic>::default());
    let mut backends = three_echoing(&traffic);
    let urls: Vec<_> = backends.iter().flatten().map(Upstream::url).collect();
    let urls: Vec<_> = urls.iter().map(String::as_str).collect();
    let server = server(&urls, "failover: 'all'");
    let stop = AtomicBool::new(false);
    let wait = |condition: &dyn Fn(&Traffic) -> bool| {
        let met = traffic.wait(WAIT_LIMIT, |traffic| condition(traffic).then_some(()));
        met.expect("the condition is met in time");
    };
    let count = |traffic: &Traffic| traffic.replies.values().map(Vec::len).max().unwrap_or(0);
    let users = users_of_each(&server, 4);
    let (user, _) = *users.iter().find(|(_, home)| *home == 1).unwrap();
    thread::scope(|scope| {
        let guard = StopOnDrop(&stop);
        for (user, _) in &users {
            let (stop, server, traffic) = (&stop, &server, traffic.as_ref());
            scope.spawn(move || send_until(stop, server, *user, traffic));
        }
        wait(&|traffic| traffic.all_have(users.len(), 3));
        let held = server.chat(&streamed(with_user(&format!("user {user}"), "hold")));
        let mut held = held.open();
        while !held.data().unwrap().contains("1:") {}
        let address = backends[1].as_ref().unwrap().address();
        drop(backends[1].take());
        let held = held.finish();
        assert!(
            held.events()
                .iter()
                .any(|event| event.contains("\"error\""))
        );
        assert_eq!(finishes(&chunks(&held)), [""; 0], "{held:?}");
        let replies_before = traffic.read(count);
        wait(&|traffic| traffic.all_have(users.len(), replies_before + 3));
        let last = |traffic: &Traffic, user: &usize| traffic.last(*user);
        traffic
            .read(|traffic| assert!(users.iter().all(|(user, _)| last(traffic, user) != Some(1))));
        backends[1] = Some(echoing(1, address, &traffic));
        let is_home =
            |traffic: &Traffic, (user, home): &(usize, usize)| last(traffic, user) == Some(*home);
        wait(&|traffic| users.iter().all(|user| is_home(traffic, user)));
        drop(guard);
    });
    traffic.read(|traffic| check(traffic, &users));
    server.wait_for_log(|log| log.contains("backend_skipped"));
    server.assert_unharmed(&[TOKEN, OWN_TOKEN]);
}

/// Asserts that no run was sent twice, that only users of the failing backend lost a
/// run and each at most one, and that every reply belongs to its message.
fn check(traffic: &Traffic, users: &[(usize, usize)]) {
    let mut arrivals = BTreeMap::<&str, Vec<usize>>::new();
    for (message, backend) in &traffic.received {
        arrivals.entry(message).or_default().push(*backend);
    }
    for (message, backends) in &arrivals {
        assert_eq!(backends.len(), 1, "{message} went to {backends:?}");
    }
    for (user, replies) in &traffic.replies {
        let failed = replies.iter().filter(|reply| reply.text.is_none());
        let most = usize::from(users.contains(&(*user, 1)));
        assert!(
            failed.count() <= most,
            "too many runs of user {user} failed"
        );
        for Reply { message, text } in replies {
            if let Some(text) = text {
                let backend = arrivals[message.as_str()][0];
                assert_eq!(*text, format!("{backend}:{message}"));
            }
        }
    }
}
