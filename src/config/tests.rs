//! Valid and faulty documents.

use std::rc::Rc;
use std::time::Duration;

use tidegate_config::variables::{GATEWAY_PASSWORD, GATEWAY_TOKEN};
use tidegate_config::{Document, Variables};

use super::*;
use crate::access::{Auth, Caller, Credentials, Identity, Key, Permission, UnixMillis, to_hex};
use crate::agents::AgentId;
use crate::inbound::{ClientAddress, Headers, Origin};
use crate::run::UrlPolicy;
use sha2::Digest as _;

const ON: &str = "http: { endpoints: { chatCompletions: { enabled: true } } }";

fn read(text: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let variables: Variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let config = Config::read(&Document::parse(text).unwrap().with(variables));
    config.map_err(|faults| faults.0.iter().map(ToString::to_string).collect())
}

fn settings(text: &str, variables: &[(&str, &str)]) -> Settings {
    match read(text, variables) {
        Ok(Config::On(settings)) => Rc::unwrap_or_clone(settings),
        Ok(Config::Off) => panic!("the endpoint is disabled"),
        Err(faults) => panic!("{faults:?}"),
    }
}

fn caller(settings: &Settings, token: &str) -> Option<Caller> {
    let value = format!("Bearer {token}");
    let headers = Headers::from([("authorization", value.as_str())]);
    let credentials = Credentials {
        headers: &headers,
        address: ClientAddress::for_test(None, None),
        origin: Origin::Absent,
    };
    let now = UnixMillis::default();
    settings.auth.authenticate(&credentials, now).ok()
}

fn accepts(settings: &Settings, token: &str) -> bool {
    caller(settings, token).is_some()
}

#[test]
fn responses_have_a_switch_and_limits_of_their_own() {
    let enabled =
        "http: { endpoints: { responses: { enabled: true, images: { allowUrl: true } } } }";
    let text = |responses: &str| {
        format!(
            "{{ gateway: {{ auth: {{ mode: 'none' }}, {enabled} }}, tidegate: {{ responses: {{ {responses} }} }} }}"
        )
    };
    let defaults = settings(&text(""), &[]);
    let only = Endpoints {
        completions: false,
        responses: true,
    };
    assert_eq!(defaults.endpoints, only);
    assert_eq!(defaults.responses.limit, 8 * 1024 * 1024);
    assert_eq!(defaults.responses.progress, Duration::from_mins(2));
    let urls = &defaults.rules.image_urls;
    assert_eq!(urls.responses, UrlPolicy::Hosts(Vec::new()));
    assert_eq!(urls.completions, UrlPolicy::Refuse);
    let chosen = settings(&text("limit: 65536, progress: '30s'"), &[]).responses;
    assert_eq!(
        (chosen.limit, chosen.progress),
        (65536, Duration::from_secs(30))
    );
    for (fault, path) in [
        ("limit: 1", "tidegate.responses.limit"),
        ("progress: '1ms'", "tidegate.responses.progress"),
        ("other: 1", "tidegate.responses.other"),
    ] {
        let faults = read(&text(fault), &[]).err().unwrap();
        assert!(
            faults.iter().any(|fault| fault.starts_with(path)),
            "{faults:?}"
        );
    }
}

#[test]
fn the_endpoint_is_disabled_by_default() {
    for text in [
        "{}",
        "{ gateway: { auth: { token: 'x' } } }",
        "{ gateway: { http: { endpoints: { chatCompletions: { enabled: false } } } } }",
        "{ tidegate: { unknown: 1 } }",
    ] {
        assert!(matches!(read(text, &[]), Ok(Config::Off)), "{text}");
    }
}

#[test]
fn the_mode_follows_from_the_configured_credentials() {
    let cases = [
        ("{ token: 't' }", &[][..], "t"),
        ("{ password: 'p' }", &[], "p"),
        ("{ mode: 'password', token: 't', password: 'p' }", &[], "p"),
        ("{}", &[(GATEWAY_TOKEN, "from-env")], "from-env"),
        ("{}", &[(GATEWAY_PASSWORD, "from-env")], "from-env"),
        ("{ token: 't' }", &[(GATEWAY_TOKEN, "from-env")], "t"),
    ];
    for (auth, variables, token) in cases {
        let settings = settings(
            &format!("{{ gateway: {{ auth: {auth}, {ON} }} }}"),
            variables,
        );
        assert!(accepts(&settings, token), "{auth}");
        assert!(!accepts(&settings, "other"), "{auth}");
    }
}

#[test]
fn all_faults_are_reported_together() {
    let text = format!(
        "{{ gateway: {{ auth: {{ mode: 'tokn' }}, {ON} }}, agents: {{ list: [{{ id: 'Bad Id' }}] }}, \
         tidegate: {{ defaultAgent: '-', sesion: {{}}, stream: {{ heartbeat: '10ms', beat: 1 }}, runtime: {{ any: 1 }} }} }}"
    );
    let faults = read(&text, &[]).err().unwrap();
    let paths: Vec<_> = faults.iter().filter_map(|f| f.split(": ").next()).collect();
    assert_eq!(
        paths,
        [
            "agents.list[0].id",
            "tidegate.defaultAgent",
            "gateway.auth.mode",
            "tidegate.stream.heartbeat",
            "tidegate.stream.beat",
            "tidegate.sesion",
        ]
    );
}

#[test]
fn an_enabled_endpoint_needs_a_credential() {
    let faults = read(&format!("{{ gateway: {{ {ON} }} }}"), &[])
        .err()
        .unwrap();
    assert!(
        faults[0].starts_with("gateway.auth.token: is missing"),
        "{faults:?}"
    );
    let both = format!("{{ gateway: {{ auth: {{ token: 't', password: 'p' }}, {ON} }} }}");
    assert!(read(&both, &[]).err().unwrap()[0].starts_with("gateway.auth.mode"));
}

#[test]
fn agents_are_read_from_entries_or_the_older_list() {
    for agents in [
        "{ entries: { Main: {}, research: {} } }",
        "{ list: [{ id: 'main' }, { id: 'research' }, { id: 'Main' }] }",
    ] {
        let text = format!("{{ gateway: {{ auth: {{ mode: 'none' }}, {ON} }}, agents: {agents} }}");
        let settings = settings(&text, &[]);
        let names: Vec<_> = settings
            .rules
            .agents
            .known()
            .unwrap_or_default()
            .iter()
            .map(AgentId::as_str)
            .collect();
        assert_eq!(names, ["main", "research"]);
    }
}

#[test]
fn the_default_agent_must_be_one_of_the_agents() {
    let text = format!(
        "{{ gateway: {{ auth: {{ mode: 'none' }}, {ON} }}, agents: {{ entries: {{ a: {{}} }} }}, tidegate: {{ defaultAgent: 'b' }} }}"
    );
    assert_eq!(
        read(&text, &[]).err().unwrap(),
        ["tidegate.defaultAgent: is not one of the configured agents"]
    );
}

#[test]
fn times_have_defaults() {
    let text = format!("{{ gateway: {{ auth: {{ mode: 'none' }}, {ON} }} }}");
    let stream = settings(&text, &[]).stream;
    assert_eq!(stream.heartbeat, Duration::from_secs(15));
    assert_eq!(stream.first_event_wait, Duration::from_secs(1));
}

/// Reads a document with these keys.
fn with_keys(keys: &str) -> Result<Config, Vec<String>> {
    let text = format!(
        "{{ gateway: {{ auth: {{ token: 'owner' }}, {ON} }}, agents: {{ entries: {{ main: {{}}, a: {{}} }} }}, \
         tidegate: {{ keys: [{keys}] }} }}"
    );
    read(&text, &[])
}

#[test]
fn a_key_has_only_the_configured_permissions() {
    let digest = to_hex(&sha2::Sha256::digest(b"tg_1").into());
    let key = |members: &str| {
        let settings = match with_keys(&format!("{{ name: 'web', sha256: '{digest}', {members} }}"))
        {
            Ok(Config::On(settings)) => settings,
            Ok(Config::Off) => panic!("the endpoint is disabled"),
            Err(faults) => panic!("{faults:?}"),
        };
        match caller(&settings, "tg_1").unwrap().identity() {
            Identity::Key(key) => Key::clone(key),
            other => panic!("{other:?}"),
        }
    };
    let bare = key("");
    assert_eq!(bare.agents.known(), Some(&[][..]));
    assert_eq!(bare.sessions, Permission::Denied);
    assert_eq!(bare.channel, Permission::Denied);
    assert_eq!(bare.model, Permission::Denied);
    assert_eq!(bare.instructions, Permission::Granted);
    assert!(bare.tools.allows("anything"));
    assert_eq!(bare.expires, None);
    let full = key(
        "agents: ['A'], sessions: true, channel: true, model: true, instructions: false, \
         tools: ['f'], expires: '1970-01-02'",
    );
    assert_eq!(full.agents.known().unwrap()[0].as_str(), "a");
    assert_eq!(full.sessions, Permission::Granted);
    assert_eq!(full.instructions, Permission::Denied);
    assert!(full.tools.allows("f") && !full.tools.allows("g"));
    assert_eq!(full.expires, Some(UnixMillis::new(86_400_000)));
    assert_eq!(
        key("expires: '1970-01-01T00:00:07Z'").expires,
        Some(UnixMillis::new(7_000))
    );
    assert_eq!(key("agents: ['*']").agents.known().unwrap().len(), 2);
}

#[test]
fn a_fault_names_the_key_by_its_index() {
    let digest = "0".repeat(64);
    for (keys, fault) in [
        (format!("{{ sha256: '{digest}' }}"), "tidegate.keys[0].name"),
        ("{ name: 'a' }".to_owned(), "tidegate.keys[0].sha256"),
        (
            "{ name: 'a', sha256: 'tg_plain' }".to_owned(),
            "tidegate.keys[0].sha256",
        ),
        (
            format!("{{ name: 'a', sha256: '{digest}', agents: ['gone'] }}"),
            "tidegate.keys[0].agents",
        ),
        (
            format!("{{ name: 'a', sha256: '{digest}', expires: 'soon' }}"),
            "tidegate.keys[0].expires",
        ),
        (
            format!("{{ name: 'a', sha256: '{digest}', agent: 'a' }}"),
            "tidegate.keys[0].agent",
        ),
    ] {
        let faults = with_keys(&keys).err().unwrap();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with(&format!("{fault}:")), "{faults:?}");
        assert!(!faults[0].contains("tg_plain"), "{faults:?}");
    }
}

#[test]
fn keys_are_credentials_but_not_with_mode_none() {
    let key = format!(
        "tidegate: {{ keys: [{{ name: 'a', sha256: '{}' }}] }}",
        "0".repeat(64)
    );
    assert!(read(&format!("{{ gateway: {{ {ON} }}, {key} }}"), &[]).is_ok());
    let open = format!("{{ gateway: {{ auth: {{ mode: 'none' }}, {ON} }}, {key} }}");
    assert!(read(&open, &[]).err().unwrap()[0].starts_with("gateway.auth.mode"));
}

#[test]
fn two_identities_cannot_share_a_credential() {
    let key = |name: &str, digest: &str| format!("{{ name: '{name}', sha256: '{digest}' }},");
    let other = "0".repeat(64);
    let owner = to_hex(&sha2::Sha256::digest(b"owner").into());
    for (keys, fault) in [
        (key("a", &other) + &key("b", &other), "tidegate.keys"),
        (key("a", &owner), "gateway.auth.token"),
    ] {
        let faults = with_keys(&keys).err().unwrap();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with(&format!("{fault}:")), "{faults:?}");
    }
    assert!(with_keys(&(key("a", &other) + &key("a", &"1".repeat(64)))).is_ok());
}

#[test]
fn transport_security_is_a_header_value_or_false() {
    for (value, expected) in [
        ("'max-age=1'", Some("max-age=1")),
        ("false", None),
        ("' '", None),
    ] {
        let text = format!(
            "{{ gateway: {{ auth: {{ mode: 'none' }}, http: {{ endpoints: {{ chatCompletions: {{ enabled: true }} }}, \
             securityHeaders: {{ strictTransportSecurity: {value} }} }} }} }}"
        );
        assert_eq!(settings(&text, &[]).transport_security.as_deref(), expected);
    }
}

fn trusted_proxy(gateway: &str, tidegate: &str) -> Result<Config, Vec<String>> {
    let auth = "mode: 'trusted-proxy', trustedProxy: { userHeader: 'x-user' }";
    read(
        &format!(
            "{{ gateway: {{ auth: {{ {auth} }}, {gateway} {ON} }}, tidegate: {{ {tidegate} }} }}"
        ),
        &[],
    )
}

#[test]
fn trusted_proxy_requires_a_proxy_and_a_peer() {
    let proxies = "trustedProxies: ['10.0.0.1'],";
    let client = "client: { peerHeader: 'spin-client-addr' }";
    let Ok(Config::On(settings)) = trusted_proxy(proxies, client) else {
        panic!("the configuration is rejected");
    };
    assert!(matches!(settings.auth, Auth::Proxy(_)));
    let faults = |gateway, tidegate| trusted_proxy(gateway, tidegate).err().unwrap_or_default();
    assert!(faults("", client)[0].contains("gateway.trustedProxies"));
    let named = "keys: [{ name: 'a', sha256: '' }]";
    assert!(!faults(proxies, named).is_empty());
    if cfg!(not(feature = "spin")) {
        assert!(faults(proxies, "")[0].contains("tidegate.client.peerHeader"));
    }
}

#[test]
fn proxies_are_addresses_and_ranges() {
    let proxies = |list: &str| {
        read(
            &format!("{{ gateway: {{ auth: {{ token: 't' }}, trustedProxies: {list}, {ON} }} }}"),
            &[],
        )
    };
    let Ok(Config::On(settings)) = proxies("['10.0.0.0/8', ' ::1 ']") else {
        panic!("valid proxies are rejected");
    };
    assert_eq!(settings.proxies.trusted.len(), 2);
    for list in ["['localhost']", "['10.0.0.1/99']", "['10.0.0.1', '']"] {
        let faults = proxies(list).err().unwrap();
        assert!(
            faults[0].starts_with("gateway.trustedProxies"),
            "{faults:?}"
        );
    }
}

/// Returns the first fault of a document with these agents and members of `tidegate`.
fn first_fault(agents: &str, tidegate: &str) -> String {
    let text = format!(
        "{{ gateway: {{ auth: {{ token: 't' }}, {ON} }}, agents: {{ entries: {{ {agents} }} }},
            tidegate: {{ {tidegate} }} }}"
    );
    let faults = read(&text, &[]).err().unwrap_or_default();
    faults.into_iter().next().unwrap_or_default()
}

#[test]
fn a_key_and_an_agent_may_have_a_runtime() {
    let key = |runtime: &str| {
        let digest = "0".repeat(64);
        let key =
            format!("{{ name: 'a', sha256: '{digest}', agents: ['*'], runtime: '{runtime}' }}");
        format!("runtimes: {{ one: {{ agents: ['a'], url: 7 }} }}, keys: [{key}]")
    };
    assert_eq!(first_fault("a: {}", &key("one")), "");
    assert_eq!(
        first_fault("a: {}", &key("two")),
        "tidegate.keys[0].runtime: is not a name in tidegate.runtimes"
    );
}

#[test]
fn every_fault_of_the_runtimes_has_its_path() {
    let many: String = (0..101).map(|n| format!("r{n}: {{}},")).collect();
    for (runtimes, expected) in [
        ("'One ': {}", "tidegate.runtimes.One : is not a valid name"),
        (
            "one: { agents: ['a'] }, two: { agents: ['A'] }",
            "tidegate.runtimes.two.agents: must not contain an agent of another runtime",
        ),
        (
            "one: { agents: ['b'] }",
            "tidegate.runtimes.one.agents: must contain only configured agents",
        ),
        (
            &many,
            "tidegate.runtimes: must contain at most 100 runtimes",
        ),
    ] {
        let fault = first_fault("a: {}", &format!("runtimes: {{ {runtimes} }}"));
        assert!(fault.starts_with(expected), "{fault}");
    }
}
