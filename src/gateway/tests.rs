//! The order of the checks, with the effects of a test.

use std::cell::RefCell;
use std::time::Duration;

use futures_util::FutureExt as _;
use tidegate_config::{Document, Faults, Variables};
use uuid::Uuid;

use super::*;
use crate::access::fake::Memory;
use crate::access::{PlaceLimit, UnixMillis};
use crate::agents::Upstream;
use crate::error::ErrorResponse;
use crate::inbound::{Budget, Headers};
use crate::rejection::BodyFault;
use crate::run::ValidEmbeddings;
use crate::runtime::{Agent, EmbeddingsOutcome, RunError};

const CONFIG: &str = "{
    gateway: {
        auth: { token: 'owner' },
        http: { endpoints: { chatCompletions: { enabled: true } }, securityHeaders: { strictTransportSecurity: 'max-age=1' } },
        trustedProxies: ['10.0.0.1'],
    },
    agents: { entries: { main: {} } },
    tidegate: { cors: { origins: ['https://app.example'] }, client: { peerHeader: 'peer' } },
}";

const HELLO: &str = r#"{"messages":[{"role":"user","content":"hi"}]}"#;

/// The effects of a test. It records which ones the gateway used.
struct Fake {
    config: Result<Config, Faults>,
    store: Rc<Memory>,
    body: Option<Vec<u8>>,
    used: RefCell<Vec<&'static str>>,
}

impl Fake {
    fn new(config: &str) -> Self {
        let document = Document::parse(config).unwrap().with(Variables::default());
        Self {
            config: Config::read(&document),
            store: Rc::default(),
            body: Some(HELLO.as_bytes().to_vec()),
            used: RefCell::default(),
        }
    }

    fn uses(&self, effect: &'static str) {
        self.used.borrow_mut().push(effect);
    }
}

impl Effects for Fake {
    type Store = Memory;
    type Place = ();

    async fn config(&self) -> Result<Config, Faults> {
        self.uses("config");
        self.config.clone()
    }

    fn store(&self) -> Option<Rc<Memory>> {
        self.uses("store");
        Some(Rc::clone(&self.store))
    }

    fn sweep(&self, _: UnixMillis) {}

    fn authority(&self) -> Option<String> {
        None
    }

    fn budget(&self, body_limit: usize) -> Budget {
        Budget::new(body_limit)
    }

    fn place(&self, limits: &[PlaceLimit]) -> Result<(), Rejection> {
        match limits {
            [] => Ok(()),
            [limit, ..] => Err(Rejection::RateLimited {
                limit: limit.limit,
                retry_after: 1,
            }),
        }
    }

    async fn body(
        &mut self,
        mut upload: Upload,
        _: &mut (),
    ) -> Result<(Vec<u8>, Holding), Rejection> {
        self.uses("body");
        let body = self.body.take();
        upload.take(body.ok_or(Rejection::Body(BodyFault::Incomplete))?, true)?;
        upload.finish()
    }

    async fn delay(&self, _duration: Duration) {
        self.uses("delay");
    }

    async fn agents(&self, _: Option<&Upstream>, _: &mut ()) -> Result<Vec<Agent>, RunError> {
        self.uses("agents");
        Err(RunError::UnknownAgent)
    }

    async fn embed(
        &self,
        valid: ValidEmbeddings,
        _: &mut (),
    ) -> Result<EmbeddingsOutcome, RunError> {
        self.uses("embed");
        Ok(EmbeddingsOutcome {
            vectors: vec![vec![0.125]; valid.texts()],
            input_tokens: None,
        })
    }
}

/// Answers a request, and returns `200` or the status and code of its error.
fn ask(fake: &mut Fake, method: Method, target: &str, headers: &[(&str, &str)]) -> String {
    let (_, answer) = exchange(fake, method, target, headers);
    match answer {
        Ok(Answer::Run(..)) => "run".to_owned(),
        Ok(Answer::Preflight) => "preflight".to_owned(),
        Ok(Answer::Document(_)) => "document".to_owned(),
        Ok(Answer::Stored(..)) => "stored".to_owned(),
        Ok(Answer::Embeddings(..)) => "embeddings".to_owned(),
        Err(error) => ErrorResponse::from(error).status.as_u16().to_string(),
    }
}

fn exchange(
    fake: &mut Fake,
    method: Method,
    target: &str,
    headers: &[(&str, &str)],
) -> (Exchange, Result<Answer<()>, Error>) {
    let fields = headers.iter();
    let fields = fields.map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
    let head = RequestHead {
        method,
        target: target.to_owned(),
        headers: Headers::new(fields.collect()),
    };
    let now = UnixMillis::new(1_800_000_000_000);
    let arrival = Arrival::new(Uuid::nil(), now, &head.headers);
    answer(&head, fake, arrival, RequestIds::default())
        .now_or_never()
        .unwrap()
}

const CHAT: &str = "/v1/chat/completions";
const EMBEDDINGS: &str = "/v1/embeddings";
const OWNER: (&str, &str) = ("authorization", "Bearer owner");
const WRONG: (&str, &str) = ("authorization", "Bearer wrong");
const UNTRUSTED: [(&str, &str); 2] = [("peer", "192.0.2.1"), ("x-forwarded-for", "203.0.113.9")];
const PREFLIGHT: [(&str, &str); 2] = [
    ("origin", "https://app.example"),
    ("access-control-request-method", "POST"),
];

#[test]
fn each_endpoint_has_its_own_switch() {
    let responses = CONFIG.replace("chatCompletions", "responses");
    let hello = br#"{"input":"hi"}"#;
    for (config, body, target, other) in [
        (CONFIG, HELLO.as_bytes(), CHAT, "/v1/responses"),
        (&responses, hello.as_slice(), "/v1/responses", CHAT),
    ] {
        let ask = |method, target| {
            let mut fake = Fake::new(config);
            fake.body = Some(body.to_vec());
            ask(&mut fake, method, target, &[OWNER])
        };
        assert_eq!(ask(Method::POST, target), "run");
        // Like an unknown path, before the method.
        assert_eq!(ask(Method::POST, other), "404");
        assert_eq!(ask(Method::GET, other), "404");
        assert_eq!(ask(Method::GET, "/v1/models"), "document");
    }
    let socket = ("sec-websocket-version", "13");
    let mut fake = Fake::new(&responses);
    assert_eq!(
        ask(&mut fake, Method::GET, "/v1/responses", &[socket]),
        "426"
    );
    assert_eq!(ask(&mut fake, Method::GET, "/v1/responses", &[]), "405");
}

#[test]
fn a_stored_response_is_asked_for_by_its_caller_alone() {
    let responses = CONFIG.replace("chatCompletions", "responses");
    let with_secret = responses.replace(
        "tidegate: {",
        "tidegate: { session: { secret: 'a secret of 16 bytes' },",
    );
    let id = "/v1/responses/resp_00000000-0000-0000-0000-000000000000";
    for (config, method, rest, headers, expected) in [
        (&with_secret, Method::GET, "", vec![OWNER], "stored"),
        (
            &with_secret,
            Method::GET,
            "?stream=true",
            vec![OWNER],
            "stored",
        ),
        (&with_secret, Method::DELETE, "", vec![OWNER], "stored"),
        (&with_secret, Method::POST, "/cancel", vec![OWNER], "stored"),
        (&with_secret, Method::GET, "", vec![], "401"),
        (&with_secret, Method::POST, "", vec![OWNER], "405"),
        (&with_secret, Method::GET, "/cancel", vec![OWNER], "405"),
        (&with_secret, Method::GET, "/other", vec![OWNER], "404"),
        (
            &with_secret,
            Method::GET,
            "?starting_after=x",
            vec![OWNER],
            "400",
        ),
        (&with_secret, Method::GET, "x", vec![OWNER], "404"),
        (&responses, Method::GET, "", vec![OWNER], "404"),
        (&CONFIG.to_owned(), Method::GET, "", vec![OWNER], "404"),
    ] {
        let mut fake = Fake::new(config);
        let found = ask(&mut fake, method.clone(), &format!("{id}{rest}"), &headers);
        assert_eq!(found, expected, "{method} {rest}");
    }
}

#[test]
fn the_first_failed_check_determines_the_answer() {
    let [peer, forwarded] = UNTRUSTED;
    let [origin, requested] = PREFLIGHT;
    let foreign = ("origin", "https://evil.example");
    for (method, target, headers, expected) in [
        // An untrusted proxy comes before the path, the path before the method, and the
        // method before the credential.
        (Method::GET, "/nowhere", vec![peer, forwarded], "403"),
        (Method::GET, "/nowhere", vec![], "404"),
        (Method::GET, CHAT, vec![], "405"),
        (Method::POST, CHAT, vec![], "401"),
        (Method::POST, CHAT, vec![WRONG], "401"),
        (Method::POST, CHAT, vec![OWNER], "run"),
        (Method::POST, "/v1/responses", vec![], "404"),
        (Method::GET, "/v1/responses", vec![OWNER], "404"),
        (Method::GET, EMBEDDINGS, vec![], "405"),
        (Method::POST, EMBEDDINGS, vec![], "401"),
        (Method::POST, EMBEDDINGS, vec![OWNER], "400"),
        (Method::GET, "/v1/models", vec![OWNER], "document"),
        (Method::GET, "/v1/models/openclaw%2Fx", vec![OWNER], "404"),
        // A preflight needs no credential, but a known origin.
        (Method::OPTIONS, CHAT, vec![origin, requested], "preflight"),
        (Method::OPTIONS, CHAT, vec![foreign, requested], "405"),
        (
            Method::OPTIONS,
            "/nowhere",
            vec![origin, requested],
            "preflight",
        ),
        (Method::OPTIONS, "/nowhere", vec![foreign, requested], "404"),
        // A health check needs nothing.
        (Method::GET, "/healthz", vec![peer, forwarded], "document"),
        (Method::GET, "/readyz", vec![], "document"),
        (Method::POST, "/healthz", vec![], "405"),
    ] {
        let mut fake = Fake::new(CONFIG);
        let found = ask(&mut fake, method.clone(), target, &headers);
        assert_eq!(found, expected, "{method} {target} {headers:?}");
    }
}

#[test]
fn a_body_is_read_after_authorization_only() {
    let none = CONFIG.replace("token: 'owner'", "mode: 'none'");
    let read_only = ("x-openclaw-scopes", "operator.read");
    for (config, headers) in [(CONFIG, vec![WRONG]), (none.as_str(), vec![read_only])] {
        let mut fake = Fake::new(config);
        ask(&mut fake, Method::POST, CHAT, &headers);
        assert!(!fake.used.borrow().contains(&"body"), "{headers:?}");
    }
}

#[test]
fn embeddings_have_the_checks_of_a_run() {
    let texts = r#"{"model":"openclaw","input":["a","b"]}"#;
    let ask_with = |config: &str, body: Vec<u8>, headers: &[(&str, &str)]| {
        let mut fake = Fake::new(config);
        fake.body = Some(body);
        let answer = ask(&mut fake, Method::POST, EMBEDDINGS, headers);
        (answer, fake.used.take())
    };
    let (answer, used) = ask_with(CONFIG, texts.into(), &[OWNER]);
    assert_eq!(answer, "embeddings");
    assert_eq!(used, ["config", "store", "body", "embed"]);
    let unknown = texts.replace("openclaw", "openclaw/nope");
    let (answer, used) = ask_with(CONFIG, unknown.into(), &[OWNER]);
    assert_eq!((answer.as_str(), used.contains(&"embed")), ("400", false));
    let limited = "tidegate: { limits: { concurrentRuns: 1 },";
    let limited = CONFIG.replace("tidegate: {", limited);
    let (answer, used) = ask_with(&limited, texts.into(), &[OWNER]);
    assert_eq!((answer.as_str(), used.contains(&"body")), ("429", false));
    let none = CONFIG.replace("token: 'owner'", "mode: 'none'");
    let read_only = ("x-openclaw-scopes", "operator.read");
    let (answer, used) = ask_with(&none, texts.into(), &[read_only]);
    assert_eq!((answer.as_str(), used.contains(&"body")), ("403", false));
}

#[test]
fn a_body_of_embeddings_has_at_most_5_mib_or_the_limit_of_all_bodies() {
    let small = "tidegate: { limits: { body: 1024 },";
    let small = CONFIG.replace("tidegate: {", small);
    for (config, limit) in [(CONFIG, 5 * 1024 * 1024), (&small, 1024)] {
        for (size, expected) in [(limit, "embeddings"), (limit + 1, "413")] {
            let mut body = r#"{"model":"openclaw","input":"a"}"#.to_owned();
            body.push_str(&" ".repeat(size - body.len()));
            let mut fake = Fake::new(config);
            fake.body = Some(body.into_bytes());
            let answer = ask(&mut fake, Method::POST, EMBEDDINGS, &[OWNER]);
            assert_eq!(answer, expected, "{size} of {limit}");
        }
    }
}

#[test]
fn a_locked_out_address_cannot_even_use_the_right_credential() {
    let mut fake = Fake::new(CONFIG);
    let peer = ("peer", "192.0.2.1");
    for _ in 0..10 {
        assert_eq!(ask(&mut fake, Method::POST, CHAT, &[peer, WRONG]), "401");
    }
    assert_eq!(ask(&mut fake, Method::POST, CHAT, &[peer, OWNER]), "429");
    let other = ("peer", "192.0.2.2");
    assert_eq!(ask(&mut fake, Method::POST, CHAT, &[other, OWNER]), "run");
}

#[test]
fn a_disabled_endpoint_has_no_paths_and_is_ready() {
    let mut fake = Fake::new("{}");
    assert_eq!(ask(&mut fake, Method::POST, CHAT, &[OWNER]), "404");
    assert_eq!(ask(&mut fake, Method::GET, "/readyz", &[]), "document");
}

#[test]
fn a_faulty_configuration_is_alive_but_not_ready() {
    let mut fake = Fake::new(&CONFIG.replace("'max-age=1'", "7"));
    assert_eq!(ask(&mut fake, Method::POST, CHAT, &[OWNER]), "500");
    assert_eq!(ask(&mut fake, Method::GET, "/readyz", &[]), "500");
    assert_eq!(ask(&mut fake, Method::GET, "/healthz", &[]), "document");
}

#[test]
fn every_response_after_the_settings_has_their_headers() {
    let [origin, _] = PREFLIGHT;
    let [peer, forwarded] = UNTRUSTED;
    for (target, headers) in [
        (CHAT, vec![origin, OWNER]),
        (CHAT, vec![origin]),
        ("/nowhere", vec![origin]),
        (CHAT, vec![origin, peer, forwarded]),
    ] {
        let (exchange, _) = exchange(&mut Fake::new(CONFIG), Method::POST, target, &headers);
        assert!(exchange.grant.is_some(), "{target} {headers:?}");
        assert_eq!(exchange.transport_security.as_deref(), Some("max-age=1"));
    }
}

#[test]
fn a_run_without_a_place_is_refused_before_its_body_is_read() {
    let limited = "tidegate: { limits: { concurrentRuns: 1 },";
    let mut fake = Fake::new(&CONFIG.replace("tidegate: {", limited));
    assert_eq!(ask(&mut fake, Method::POST, CHAT, &[OWNER]), "429");
    assert!(!fake.used.borrow().contains(&"body"));
    assert_eq!(
        ask(&mut fake, Method::GET, "/v1/models", &[OWNER]),
        "document"
    );
}

#[test]
fn only_the_owner_learns_which_guards_are_inactive() {
    let ready = |headers: &[(&str, &str)], fake: &mut Fake| match exchange(
        fake,
        Method::GET,
        "/readyz",
        headers,
    )
    .1
    {
        Ok(Answer::Document(body)) => String::from_utf8(body).unwrap(),
        Ok(_) | Err(_) => "no document".to_owned(),
    };
    let without_proxies = CONFIG.replace("trustedProxies: ['10.0.0.1'],", "");
    let without_peers = without_proxies.replace("client: { peerHeader: 'peer' }", "");
    let mut fake = Fake::new(&without_peers);
    for headers in [&[][..], &[WRONG], &[WRONG, OWNER]] {
        assert_eq!(ready(headers, &mut fake), r#"{"ready":true}"#);
    }
    let details = ready(&[OWNER], &mut fake);
    let inactive = r#"{"ready":true,"inactive_guards":["failed attempts"#;
    assert!(details.starts_with(inactive), "{details}");
    let mut fake = Fake::new(CONFIG);
    let details = ready(&[OWNER, ("peer", "192.0.2.1")], &mut fake);
    assert_eq!(details, r#"{"ready":true,"inactive_guards":[]}"#);
}

#[test]
fn a_health_check_is_no_way_around_the_lockout() {
    let mut fake = Fake::new(CONFIG);
    let peer = ("peer", "192.0.2.1");
    for _ in 0..10 {
        let answer = ask(&mut fake, Method::GET, "/readyz", &[peer, WRONG]);
        assert_eq!(answer, "document");
    }
    assert_eq!(ask(&mut fake, Method::POST, CHAT, &[peer, OWNER]), "429");
}
