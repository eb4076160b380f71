//! Authentication from configured credentials and headers.

use tidegate_config::Secret;

use super::*;
use crate::inbound::{ClientAddress, Headers, Origin};
use crate::rejection::Rejection;

fn by(auth: &Auth, headers: &Headers, now: u64) -> Result<Caller, Denied> {
    let credentials = Credentials {
        headers,
        address: ClientAddress::for_test(None, None),
        origin: Origin::Absent,
    };
    auth.authenticate(&credentials, UnixMillis::new(now))
}

fn auth(keys: Vec<(SecretDigest, Key)>) -> Auth {
    Auth::Credentials {
        shared: Some(SecretDigest::of(&Secret::new("s3cret"))),
        keys: keys
            .into_iter()
            .fold(Keys::default(), |mut all, (digest, key)| {
                all.insert(digest, key);
                all
            }),
    }
}

fn authenticate(values: &[&'static [u8]]) -> Result<Caller, Denied> {
    let field = |value: &&[u8]| ("Authorization".to_owned(), value.to_vec());
    let headers = Headers::new(values.iter().map(field).collect());
    by(&auth(Vec::new()), &headers, 0)
}

#[test]
fn the_scheme_is_case_insensitive() {
    for value in [
        &b"Bearer s3cret"[..],
        b"bearer s3cret",
        b"BEARER s3cret",
        b"  Bearer   s3cret  ",
        b"Bearer \ts3cret",
    ] {
        assert!(authenticate(&[value]).is_ok(), "{}", value.escape_ascii());
    }
}

#[test]
fn other_credentials_are_denied() {
    for value in [
        &b""[..],
        b"Bearer",
        b"Bearer ",
        b"Bearer    ",
        b"Bearer\ts3cret",
        b"Bearers3cret",
        b"s3cret",
        b"Basic s3cret",
        b"Basic czNjcmV0",
        b"Bearer s3cre",
        b"Bearer s3crett",
        b"Bearer S3cret",
        b"Bearer s3cret, Bearer s3cret",
        b"Bearer \"s3cret\"",
        b"Bearer s3cret\xff",
    ] {
        let refused = authenticate(&[value]).map_err(Rejection::from);
        assert_eq!(
            refused,
            Err(Rejection::Unauthorized),
            "{}",
            value.escape_ascii()
        );
    }
    assert_eq!(authenticate(&[]), Err(Denied::Missing));
}

#[test]
fn several_headers_are_refused_whatever_they_contain() {
    for headers in [
        [&b"Bearer s3cret"[..], b"Bearer wrong"],
        [b"Bearer wrong", b"Bearer s3cret"],
        [b"Bearer s3cret", b"Bearer s3cret"],
    ] {
        let refused = authenticate(&headers).map_err(Rejection::from);
        assert!(
            matches!(refused, Err(Rejection::Invalid { .. })),
            "{refused:?}"
        );
    }
}

#[test]
fn mode_none_accepts_every_request() {
    assert!(by(&Auth::None, &Headers::default(), 0).is_ok());
}

#[test]
fn a_key_identifies_its_caller_until_it_expires() {
    let digest = SecretDigest::of(&Secret::new("tg_1"));
    let key = Key {
        expires: Some(UnixMillis::new(100)),
        ..Key::for_test("web")
    };
    let auth = auth(vec![(digest, key)]);
    let at = |token, now| {
        let token = format!("Bearer {token}");
        let headers = Headers::from([("authorization", token.as_str())]);
        by(&auth, &headers, now).map(|caller| caller.name())
    };
    assert_eq!(at("tg_1", 99).as_deref(), Ok("key:web"));
    assert_eq!(at("tg_1", 100), Err(Denied::Expired));
    assert_eq!(at("tg_2", 0), Err(Denied::Wrong));
    assert_eq!(at("s3cret", 1000).as_deref(), Ok("owner"));
}

#[test]
fn a_foreign_origin_needs_a_credential() {
    let users = ProxyUsers {
        user_header: "x-user".to_owned(),
        required_headers: Vec::new(),
        allowed: Vec::new(),
        loopback: Loopback::Refused,
    };
    let headers = Headers::from([("x-user", "ana"), ("authorization", "Bearer s3cret")]);
    for (auth, is_allowed) in [
        (Auth::None, false),
        (Auth::Proxy(users), false),
        (auth(Vec::new()), true),
    ] {
        let from = |origin| {
            let address = ClientAddress::for_test(Some("203.0.113.9"), Some("10.0.0.1"));
            let headers = &headers;
            let credentials = Credentials {
                headers,
                address,
                origin,
            };
            auth.authenticate(&credentials, UnixMillis::default())
        };
        assert_eq!(from(Origin::Foreign).is_ok(), is_allowed);
        assert!(from(Origin::Trusted).is_ok() && from(Origin::Absent).is_ok());
        assert_eq!(from(Origin::Unknown).is_ok(), !matches!(auth, Auth::None));
    }
}

#[test]
fn a_user_appears_in_the_log_as_a_digest() {
    let caller = Caller::user("ana@example.com", Scopes::All);
    assert_eq!(caller.name(), "user:ana@example.com");
    assert!(caller.is_tenant());
    assert_eq!(caller.label(), "user:8e43ca377012");
    assert_eq!(Caller::for_test("owner").label(), "owner");
}
