//! A component in front of the gateway may give up its call at any time: the
//! component model cancels it. That ends the run, and nothing else in the
//! instance.

mod harness;

use std::sync::Mutex;
use std::sync::mpsc;

use harness::{
    Server, TOKEN, Upstream, ask, chunks, config, finish, finishes, says, streamed, text,
};

/// Starts the gateway with a middleware before it that gives up.
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
    let mut neighbour = server.chat(&streamed(ask("Hi"))).open();
    let said = std::iter::from_fn(|| neighbour.data()).find(|data| data.contains("Good"));
    assert!(said.is_some());
    let given_up = [
        server.request("GET", "/healthz"),
        server.request("GET", "/nowhere"),
        server.request("GET", "/v1/models").bearer(TOKEN),
        server.chat(&ask("")),
    ];
    for request in given_up {
        let answer = request.header("X-Patience", "0").send();
        assert_eq!(answer.status, 504, "{answer:?}");
    }
    go_on.send(()).unwrap();
    let chunks = chunks(&neighbour.finish());
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
