//! Any bytes as the body of a chat completion: a run or a refusal, never a
//! panic, and a refusal says what or where.

#![no_main]

use std::cell::OnceCell;

use libfuzzer_sys::fuzz_target;
use tidegate::auth::{Caller, Presented};
use tidegate::body;
use tidegate::config::{Config, Settings};
use tidegate::error::Error;
use tidegate::cors::Page;
use tidegate::headers::Headers;
use tidegate::openai::request::ChatCompletionRequest;
use tidegate::rejection::Rejection;
use tidegate::validate::{RequestIds, validate};
use tidegate_config::Document;
use uuid::Uuid;

const CONFIG: &str = "{
    gateway: { auth: { mode: 'none' }, http: { endpoints: { chatCompletions: {
        enabled: true, images: { allowUrl: true, urlAllowlist: ['*.example.com'] },
    } } } },
    agents: { entries: { main: {}, research: {} } },
    tidegate: { models: { 'gpt-4o': 'research' } },
}";

fuzz_target!(|body: &[u8]| {
    thread_local! {
        static KNOWN: OnceCell<(Settings, Caller)> = const { OnceCell::new() };
    }
    KNOWN.with(|known| {
        let (settings, caller) = known.get_or_init(known_to_the_gateway);
        check(body, settings, caller);
    });
});

fn check(body: &[u8], settings: &Settings, caller: &Caller) {
    let text = body::text(body.to_vec());
    let request = match ChatCompletionRequest::parse(&text) {
        Ok(request) => request,
        Err(error) => {
            assert!(error.line() > 0, "{error}");
            return;
        }
    };
    let ids = RequestIds {
        run: Uuid::nil(),
        session: Uuid::nil(),
    };
    match validate(request, &Headers::default(), caller, settings, ids) {
        Ok(run) => {
            let request = run.into_request();
            assert!(request.session.starts_with("agent:"), "{request:?}");
            assert!(!request.messages.is_empty(), "{request:?}");
        }
        Err(rejection) => check_refusal(rejection),
    }
}

/// A refusal is a 400 that names a member, unless the root is at fault.
fn check_refusal(rejection: Rejection) {
    let answer = Error::from(rejection).answer();
    assert_eq!(answer.status.as_u16(), 400, "{answer:?}");
    assert!(!answer.error.message.is_empty(), "{answer:?}");
    let is_of_root = answer.error.message.contains("must be a JSON object");
    assert!(answer.error.param.is_some() || is_of_root, "{answer:?}");
}

fn known_to_the_gateway() -> (Settings, Caller) {
    let document = Document::parse(CONFIG).expect("a document");
    let Config::On(settings) = Config::read(&document).expect("a configuration") else {
        panic!("the endpoint is off");
    };
    let headers = &Headers::default();
    let sender = settings.proxies.sender(headers).expect("a sender");
    let page = Page::Absent;
    let presented = Presented {
        headers,
        sender,
        page,
    };
    let caller = settings.auth.authenticate(&presented, 0);
    (*settings, caller.expect("anyone"))
}
