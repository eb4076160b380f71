//! A middleware may drop its call to the gateway at any time, and the component
//! model cancels the call. This cancels the call's run and affects no other request of
//! the instance.

mod harness;

use std::sync::Mutex;
use std::sync::mpsc;

use harness::{
    Server, TOKEN, Upstream, ask, chunks, config, finish, finishes, says, streamed, text,
};

/// Starts the gateway behind the middleware `impatient`, which drops calls.
fn server(upstream: &Upstream) -> Server {
    let runtime = format!("runtime: {{ url: '{}' }}", upstream.url());
    let server = Server::builder("openclaw").behind("impatient");
    server.config(&config(&runtime)).start()
}

#[test]
fn cancelling_a_call_at_once_does_not_affect_other_requests() {
    let (go_on, may_go_on) = mpsc::channel();
    let may_go_on = Mutex::new(may_go_on);
    let upstream = Upstream::start(move |_, connection| {
        connection.open_events();
        connection.event(&says("Good"));
        may_go_on.lock().unwrap().recv().unwrap();
        connection.event(&says("bye"));
        connection.event(&finish("stop"));
        connection.end();
    });
    let server = server(&upstream);
    let mut other = server.chat(&streamed(ask("Hi"))).open();
    let found = std::iter::from_fn(|| other.data()).find(|data| data.contains("Good"));
    assert!(found.is_some());
    let cancelled = [
        server.request("GET", "/healthz"),
        server.request("GET", "/nowhere"),
        server.request("GET", "/v1/models").bearer(TOKEN),
        server.chat(&ask("")),
    ];
    for request in cancelled {
        let answer = request.header("X-Patience", "0").send();
        assert_eq!(answer.status, 504, "{answer:?}");
    }
    go_on.send(()).unwrap();
    let chunks = chunks(&other.finish());
    assert_eq!(
        (text(&chunks).as_str(), finishes(&chunks)),
        ("Goodbye", vec!["stop"])
    );
    server.assert_unharmed(&[TOKEN]);
}

#[test]
fn cancelling_a_call_cancels_its_run() {
    let upstream = Upstream::start(|_, connection| {
        connection.open_events();
        connection.event(&says("Wait"));
    });
    let server = server(&upstream);
    let answer = server.chat(&ask("Hi")).header("X-Patience", "300").send();
    assert_eq!(answer.status, 504, "{answer:?}");
    upstream.wait_for_close();
    server.assert_unharmed(&[TOKEN]);
}
