//! Several gateways behind runtime-openclaw: which of them a run comes to, and
//! what becomes of it where one cannot be reached.

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

/// The token of all gateways that have none of their own.
const OWN_TOKEN: &str = "runtime-token-9c2a";

/// An address at which nothing listens: a port of the system's own.
const NOBODY: &str = "http://127.0.0.1:1";

/// Starts Tidegate before these gateways, with more members of its section.
fn server(urls: &[&str], more: &str) -> Server {
    let urls = json!(urls);
    let runtime = format!("runtime: {{ urls: {urls}, token: '{OWN_TOKEN}', {more} }}");
    Server::start("openclaw", &config(&runtime))
}

/// Starts as many gateways that say which of them they are.
fn named(count: usize) -> Vec<Upstream> {
    let named = |n: usize| {
        let steps = stream(&[&says(&n.to_string()), &finish("stop"), "[DONE]"]);
        Upstream::script(steps)
    };
    (0..count).map(named).collect()
}

fn urls(upstreams: &[Upstream]) -> Vec<String> {
    upstreams.iter().map(Upstream::url).collect()
}

/// A request of a user, and so of a session.
fn of_user(user: &str, text: &str) -> Value {
    let mut body = ask(text);
    body["user"] = json!(user);
    body
}

fn said(answer: &Response) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = answer.json();
    answer["choices"][0]["message"]["content"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Asks for each of some users and returns who answered.
fn homes(server: &Server, users: usize) -> Vec<String> {
    let answer = |n: usize| server.chat(&of_user(&format!("user {n}"), "Hi")).send();
    (0..users).map(|n| said(&answer(n))).collect()
}

/// How many requests came to these gateways together.
fn requests(upstreams: &[Upstream]) -> usize {
    upstreams
        .iter()
        .map(|upstream| upstream.requests().len())
        .sum()
}

#[test]
fn a_session_keeps_its_backend_in_any_order_of_the_list() {
    let upstreams = named(3);
    let urls = urls(&upstreams);
    let [a, b, c] = [&urls[0], &urls[1], &urls[2]];
    let homes_in = |urls: &[&str]| homes(&server(urls, ""), 48);
    let homes = homes_in(&[a, b, c]);
    assert_eq!(homes_in(&[a, b, c]), homes);
    assert_eq!(homes_in(&[c, a, b]), homes);
    for n in 0..3 {
        assert!(
            homes.contains(&n.to_string()),
            "none is with {n}: {homes:?}"
        );
    }
    // With one of them gone, only its sessions are elsewhere.
    for (now, before) in homes_in(&[a, b]).iter().zip(&homes) {
        assert!(now == before || before == "2", "{before} became {now}");
    }
}

#[test]
fn runs_without_a_session_are_spread_over_all_backends() {
    let upstreams = named(2);
    let [a, b] = [upstreams[0].url(), upstreams[1].url()];
    let server = server(&[&a, &b], "");
    let answers: Vec<_> = (0..24)
        .map(|_| said(&server.chat(&ask("Hi")).send()))
        .collect();
    for n in ["0", "1"] {
        assert!(answers.iter().any(|answer| answer == n), "{answers:?}");
    }
    assert_eq!(requests(&upstreams), 24);
}

#[test]
fn a_backend_that_refuses_is_skipped_and_only_the_log_says_so() {
    let upstream = hello_upstream();
    let server = server(&[NOBODY, &upstream.url()], "");
    for _ in 0..16 {
        let whole = server.chat(&ask("Hi")).send();
        assert_eq!(said(&whole), "Hello");
        assert!(!format!("{whole:?}").contains("127.0.0.1:1\""), "{whole:?}");
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
    // What becomes of runs whose gateway is not there: without a session, and
    // with one.
    for (failover, fresh, continued) in [
        ("", 200, 502),
        ("failover: 'stateless'", 200, 502),
        ("failover: 'all'", 200, 200),
        ("failover: 'none'", 502, 502),
    ] {
        let server = server(&[NOBODY, &upstream.url()], failover);
        let worst = |body: &dyn Fn(usize) -> Value| {
            let answers = (0..24).map(|n| server.chat(&body(n)).send());
            answers.max_by_key(|answer| answer.status).unwrap()
        };
        let worst_fresh = worst(&|_| ask("Hi"));
        let worst_continued = worst(&|n| of_user(&n.to_string(), "Hi"));
        assert_eq!(worst_fresh.status, fresh, "{failover}");
        assert_eq!(worst_continued.status, continued, "{failover}");
        for answer in [worst_fresh, worst_continued] {
            if answer.status == 502 {
                let message = "The agent runtime cannot be reached.";
                assert_eq!(error(&answer)["message"], message);
                // Nothing was run: a client may ask again.
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
        assert!(!server.log().contains("backend_skipped"));
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
           {{ url: '{NOBODY}', token: 'of-nobody', weight: 100 }},
           {{ url: '{b}', token: 'of-b' }}] }}"
    );
    let server = Server::start("openclaw", &config(&document));
    let long = "long ".repeat(20_000) + "end";
    for _ in 0..32 {
        assert_eq!(said(&server.chat(&ask(&long)).send()), "Hello");
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
                 '{NOBODY}', 'http://127.0.0.1:2', '{}'] }} }} }}",
            upstream.url()
        );
        let server = Server::start("openclaw", &document);
        let answer = server.request("GET", "/v1/models").bearer(TOKEN).send();
        assert!(answer.text().contains("openclaw/beta"), "{answer:?}");
    }
}

#[test]
fn instances_with_a_store_share_their_backoff() {
    let stays = hello_upstream();
    // An address of this test's own where there is one, as below.
    let own = SocketAddr::from(([127, 0, 0, 78], 0));
    let hello = stream(&[&says("Hello"), &finish("stop"), "[DONE]"]);
    let start = |address| {
        let hello = hello.clone();
        Upstream::start_at(&[address], move |_, connection| connection.play(&hello))
    };
    let leaves = start(own);
    let (address, urls) = (leaves.address(), [stays.url(), leaves.url()]);
    drop(leaves);
    let runtime = format!("runtime: {{ urls: {} }}", json!(urls));
    let server = Server::builder("openclaw-files").config(&config(&runtime));
    let server = server.store().start();
    let run_until = |done: &dyn Fn() -> bool| {
        let begun = Instant::now();
        while !done() {
            assert!(begun.elapsed() < WAIT_LIMIT, "{}", server.log());
            assert_eq!(said(&server.chat(&ask("Hi")).send()), "Hello");
        }
    };
    // Each run has an instance of its own. The first one that comes to the
    // gateway tells the others, and one of them tries it later.
    run_until(&|| server.log().contains("\"seconds\":2"));
    let first = server.log().matches("\"seconds\":1").count();
    assert_eq!(first, 1, "{}", server.log());
    let back = start(address);
    run_until(&|| !back.requests().is_empty());
    // And the one that reached it tells them, too.
    let before = back.requests().len();
    (0..32).for_each(|_| assert_eq!(said(&server.chat(&ask("Hi")).send()), "Hello"));
    assert!(back.requests().len() > before);
}

/// What is seen of gateways that are under load.
#[derive(Default)]
struct Sight {
    /// Which gateway each message came to.
    arrived: Vec<(String, usize)>,
    /// What each user was answered, in order.
    answered: BTreeMap<usize, Vec<Answer>>,
}

/// An answer, with what was asked.
struct Answer {
    message: String,
    /// What was said; none if the run failed.
    said: Option<String>,
}

impl Sight {
    /// Which gateway has answered a user last, if one did.
    fn last(&self, user: usize) -> Option<usize> {
        let said = self.answered.get(&user)?.last()?.said.as_ref()?;
        said.split(':').next()?.parse().ok()
    }

    /// Whether every user has been answered so often.
    fn all_answered(&self, users: usize, count: usize) -> bool {
        let answers = self.answered.values().filter(|all| all.len() >= count);
        answers.count() == users
    }
}

/// Starts gateway number `n`, which repeats what it is asked word by word, and
/// stays silent after the first word of `hold`.
fn repeating(n: usize, address: SocketAddr, sight: &Arc<Watched<Sight>>) -> Upstream {
    let sight = Arc::clone(sight);
    Upstream::start_at(&[address], move |request, connection| {
        let message = last_message(request);
        sight.update(|sight| sight.arrived.push((message.clone(), n)));
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

/// Lets a user ask one thing after another until it is enough.
fn use_until(enough: &AtomicBool, server: &Server, user: usize, sight: &Watched<Sight>) {
    for n in 0.. {
        if enough.load(Ordering::Relaxed) {
            return;
        }
        let message = format!("message {n} of user {user}");
        let body = streamed(of_user(&format!("user {user}"), &message));
        let answer = server.chat(&body).send();
        let said = (answer.status == 200)
            .then(|| chunks(&answer))
            .filter(|chunks| finishes(chunks) == ["stop"])
            .map(|chunks| text(&chunks));
        sight.update(|sight| {
            let answers = sight.answered.entry(user).or_default();
            answers.push(Answer { message, said });
        });
    }
}

/// Ends the load when it is dropped, so that a test that fails ends, too.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Returns as many users of each of three gateways, with the gateway that their
/// sessions belong to.
fn users_of_each(server: &Server, count: usize) -> Vec<(usize, usize)> {
    let mut users = Vec::new();
    for user in 0..1000 {
        let first = of_user(&format!("user {user}"), &format!("first of user {user}"));
        let said = said(&server.chat(&first).send());
        let home = said.split(':').next().unwrap().parse().unwrap();
        if users.iter().filter(|(_, other)| *other == home).count() < count {
            users.push((user, home));
        }
        if users.len() == 3 * count {
            break;
        }
    }
    users
}

#[test]
fn a_backend_that_fails_under_load_loses_only_its_runs_and_regains_its_sessions() {
    let sight = Arc::new(Watched::<Sight>::default());
    // An address of this test's own where there is one: while the gateway is
    // down, no other program may listen at its port.
    let own = SocketAddr::from(([127, 0, 0, 77], 0));
    let (stays, dies) = (SocketAddr::from(([127, 0, 0, 1], 0)), own);
    let mut gateways: Vec<_> = [stays, dies, stays]
        .into_iter()
        .enumerate()
        .map(|(n, address)| Some(repeating(n, address, &sight)))
        .collect();
    let urls: Vec<_> = gateways.iter().flatten().map(Upstream::url).collect();
    let urls: Vec<_> = urls.iter().map(String::as_str).collect();
    let server = server(&urls, "failover: 'all'");
    let enough = AtomicBool::new(false);
    let wait = |what: &dyn Fn(&Sight) -> bool| {
        let seen = sight.wait(WAIT_LIMIT, |sight| what(sight).then_some(()));
        seen.expect("it happens in time");
    };
    let count = |sight: &Sight| sight.answered.values().map(Vec::len).max().unwrap_or(0);
    let users = users_of_each(&server, 4);
    let (orphan, _) = *users.iter().find(|(_, home)| *home == 1).unwrap();
    thread::scope(|scope| {
        let end = Ends(&enough);
        for (user, _) in &users {
            let (enough, server, sight) = (&enough, &server, sight.as_ref());
            scope.spawn(move || use_until(enough, server, *user, sight));
        }
        wait(&|sight| sight.all_answered(users.len(), 3));
        let held = server.chat(&streamed(of_user(&format!("user {orphan}"), "hold")));
        let mut held = held.open();
        while !held.data().unwrap().contains("1:") {}
        let address = gateways[1].as_ref().unwrap().address();
        drop(gateways[1].take());
        let held = held.finish();
        assert!(
            held.events()
                .iter()
                .any(|event| event.contains("\"error\""))
        );
        assert_eq!(finishes(&chunks(&held)), [""; 0], "{held:?}");
        let dead_since = sight.read(count);
        wait(&|sight| sight.all_answered(users.len(), dead_since + 3));
        let last = |sight: &Sight, user: &usize| sight.last(*user);
        sight.read(|sight| assert!(users.iter().all(|(user, _)| last(sight, user) != Some(1))));
        gateways[1] = Some(repeating(1, address, &sight));
        let is_home =
            |sight: &Sight, (user, home): &(usize, usize)| last(sight, user) == Some(*home);
        wait(&|sight| users.iter().all(|user| is_home(sight, user)));
        drop(end);
    });
    sight.read(|sight| check(sight, &users));
    server.wait_for_log(|log| log.contains("backend_skipped"));
    server.assert_unharmed(&[TOKEN, OWN_TOKEN]);
}

/// Checks that no run took place twice, none failed but those that were under
/// way, and none was told what belongs to another.
fn check(sight: &Sight, users: &[(usize, usize)]) {
    let mut arrivals = BTreeMap::<&str, Vec<usize>>::new();
    for (message, gateway) in &sight.arrived {
        arrivals.entry(message).or_default().push(*gateway);
    }
    for (message, gateways) in &arrivals {
        assert_eq!(gateways.len(), 1, "{message} came to {gateways:?}");
    }
    for (user, answers) in &sight.answered {
        let failed = answers.iter().filter(|answer| answer.said.is_none());
        let most = usize::from(users.contains(&(*user, 1)));
        assert!(
            failed.count() <= most,
            "too many runs of user {user} failed"
        );
        for Answer { message, said } in answers {
            if let Some(said) = said {
                let gateway = arrivals[message.as_str()][0];
                assert_eq!(*said, format!("{gateway}:{message}"));
            }
        }
    }
}
