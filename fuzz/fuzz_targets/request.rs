//! Any bytes as the body of a chat completion, a response or embeddings become a request to
//! the runtime or a rejection, and never a panic. A rejection names its parameter or position.

#![no_main]

use std::cell::OnceCell;
use std::rc::Rc;

use libfuzzer_sys::fuzz_target;
use tidegate::access::{Caller, Credentials, UnixMillis};
use tidegate::config::{Config, Settings};
use tidegate::error::{Error, ErrorResponse};
use tidegate::inbound::{Api, Headers, Origin};
use tidegate::rejection::Rejection;
use tidegate::run::{RequestIds, ValidEmbeddings, ValidRun};
use tidegate_config::Document;

const CONFIG: &str = "{
    gateway: { auth: { mode: 'none' }, http: { endpoints: { chatCompletions: {
        enabled: true, images: { allowUrl: true, urlAllowlist: ['*.example.com'] },
    } } } },
    agents: { entries: { main: {}, research: {} } },
    tidegate: { models: { 'gpt-4o': 'research' } },
}";

fuzz_target!(|body: &[u8]| {
    thread_local! {
        static GATEWAY: OnceCell<(Rc<Settings>, Caller)> = const { OnceCell::new() };
    }
    GATEWAY.with(|gateway| {
        let (settings, caller) = gateway.get_or_init(gateway_and_caller);
        check(body, settings, caller);
    });
});

fn check(body: &[u8], settings: &Settings, caller: &Caller) {
    for api in [Api::Completions, Api::Responses] {
        check_as(api, body, settings, caller);
    }
}

fn check_as(api: Api, body: &[u8], settings: &Settings, caller: &Caller) {
    let (headers, ids) = (Headers::default(), RequestIds::default());
    match ValidRun::read(api, body.to_vec(), &headers, caller, &settings.rules, ids) {
        Ok(run) => {
            let request = run.into_request();
            assert!(request.session.starts_with("agent:"), "{request:?}");
            assert!(!request.messages.is_empty(), "{request:?}");
        }
        Err(rejection) => check_rejection(rejection),
    }
    match ValidEmbeddings::read(body.to_vec(), &headers, caller, &settings.rules) {
        Ok(valid) => {
            let request = valid.into_request();
            assert!((1..=128).contains(&request.inputs.len()), "{request:?}");
            assert_ne!(request.dimensions, Some(0));
        }
        Err(rejection) => check_rejection(rejection),
    }
}

/// A rejection is a 400 with a parameter, or with the position in the JSON text.
fn check_rejection(rejection: Rejection) {
    let response = ErrorResponse::from(Error::from(rejection));
    assert_eq!(response.status.as_u16(), 400, "{response:?}");
    let message = &response.error.message;
    let has_position = message.contains("must be a JSON object") || message.contains("line");
    assert!(response.error.param.is_some() || has_position, "{response:?}");
}

fn gateway_and_caller() -> (Rc<Settings>, Caller) {
    let document = Document::parse(CONFIG).expect("a document");
    let Config::On(settings) = Config::read(&document).expect("a configuration") else {
        panic!("the endpoint is disabled");
    };
    let headers = &Headers::default();
    let address = settings.proxies.client_address(headers);
    let credentials = Credentials {
        headers,
        address: address.expect("an address"),
        origin: Origin::Absent,
    };
    let now = UnixMillis::default();
    let caller = settings.auth.authenticate(&credentials, now);
    let caller = caller.expect("anyone");
    (settings, caller)
}
