use super::*;

const PEER: &str = "peer-address";

const PROXY: &str = "10.0.0.7";

fn proxies() -> Proxies {
    Proxies {
        trusted: ["10.0.0.0/8", "2001:db8::1/128"]
            .map(|text| Network::parse(text).unwrap())
            .into(),
        peer_header: Some(PEER.to_owned()),
        client_header: None,
    }
}

fn client_address<const N: usize>(
    proxies: &Proxies,
    headers: [(&str, &str); N],
) -> Result<ClientAddress, Rejection> {
    proxies.client_address(&Headers::from(headers))
}

/// Returns the address of a request that came directly, or through a proxy.
fn from(address: &str, proxy: Option<&str>) -> Result<ClientAddress, Rejection> {
    Ok(ClientAddress::for_test(Some(address), proxy))
}

#[test]
fn a_proxy_must_be_configured() {
    for name in [
        "Forwarded",
        "X-Real-IP",
        "X-Forwarded-For",
        "x-forwarded-proto",
        "X-Forwarded-Host",
    ] {
        let refused = client_address(&Proxies::default(), [(name, "192.0.2.1")]);
        assert_eq!(refused, Err(Rejection::Proxied), "{name}");
    }
}

#[test]
fn other_headers_are_not_a_proxys() {
    let headers = [
        ("Via", "1.1 edge"),
        ("X-Forwarded", "x"),
        ("é", "x"),
        ("x", "y"),
    ];
    let unknown = Ok(ClientAddress::for_test(None, None));
    assert_eq!(client_address(&Proxies::default(), headers), unknown);
}

#[test]
fn the_peer_may_have_a_port() {
    for (peer, address) in [
        ("192.0.2.1:4711", "192.0.2.1"),
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:db8::2]:80", "2001:db8::2"),
        ("2001:db8::2", "2001:db8::2"),
        ("[::ffff:192.0.2.1]:80", "192.0.2.1"),
        ("[fe80::1%2]:1234", "fe80::1"),
        ("fe80::1%eth0.1", "fe80::1"),
    ] {
        assert_eq!(
            client_address(&proxies(), [(PEER, peer)]),
            from(address, None),
            "{peer}"
        );
    }
    let without_peer = Proxies {
        peer_header: None,
        ..proxies()
    };
    let unknown = Ok(ClientAddress::for_test(None, None));
    assert_eq!(
        client_address(&without_peer, [(PEER, "192.0.2.1")]),
        unknown
    );
}

#[test]
fn a_trusted_proxy_names_the_client() {
    for (list, address) in [
        ("203.0.113.9", "203.0.113.9"),
        ("1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("1.2.3.4, 203.0.113.9 , 10.9.9.9,10.1.1.1", "203.0.113.9"),
        ("garbage, 203.0.113.9", "203.0.113.9"),
        ("2001:db8::5", "2001:db8::5"),
        ("203.0.113.9:50123", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("10.0.0.9, 10.0.0.8", "10.0.0.9"),
        ("10.0.0.8", "10.0.0.8"),
    ] {
        let headers = [(PEER, "10.0.0.7:1"), ("X-Forwarded-For", list)];
        assert_eq!(
            client_address(&proxies(), headers),
            from(address, Some(PROXY)),
            "{list}"
        );
    }
}

#[test]
fn the_last_field_is_the_proxys() {
    let forged = ("X-Forwarded-For", "198.51.100.1");
    let headers = [
        (PEER, "10.0.0.7"),
        forged,
        ("x-forwarded-for", "203.0.113.9"),
    ];
    assert_eq!(
        client_address(&proxies(), headers),
        from("203.0.113.9", Some(PROXY))
    );
    let headers = [
        (PEER, "10.0.0.7"),
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-for", "10.1.1.1"),
    ];
    assert_eq!(
        client_address(&proxies(), headers),
        from("203.0.113.9", Some(PROXY))
    );
}

#[test]
fn a_proxy_must_name_the_client() {
    for list in [
        "",
        "not-an-address",
        "203.0.113.9, x",
        "127.0.0.1",
        "::1",
        "127.0.0.1, 10.0.0.8",
        "x, 10.0.0.8",
    ] {
        let headers = [(PEER, "10.0.0.7:1"), ("X-Forwarded-For", list)];
        assert_eq!(
            client_address(&proxies(), headers),
            Err(Rejection::Proxied),
            "{list}"
        );
    }
    for name in ["Forwarded", "X-Forwarded-Proto", "X-Real-IP"] {
        let headers = [(PEER, "10.0.0.7:1"), (name, "203.0.113.9")];
        assert_eq!(
            client_address(&proxies(), headers),
            Err(Rejection::Proxied),
            "{name}"
        );
    }
}

#[test]
fn an_untrusted_peer_is_not_a_proxy() {
    let headers = [(PEER, "192.0.2.1:1"), ("X-Forwarded-For", "203.0.113.9")];
    assert_eq!(client_address(&proxies(), headers), Err(Rejection::Proxied));
}

#[test]
fn a_proxy_may_be_the_client() {
    assert_eq!(
        client_address(&proxies(), [(PEER, "10.0.0.7:1")]),
        from("10.0.0.7", Some(PROXY))
    );
}

#[test]
fn without_a_peer_forwarded_addresses_count_but_no_proxy_is_known() {
    let without_peer = Proxies {
        peer_header: None,
        ..proxies()
    };
    let found = client_address(&without_peer, [("X-Forwarded-For", "203.0.113.9")]);
    assert_eq!(found, from("203.0.113.9", None));
    let refused = client_address(&without_peer, [("X-Forwarded-For", "x")]);
    assert_eq!(refused, Err(Rejection::Proxied));
}

#[test]
fn another_header_may_name_the_client() {
    let proxies = Proxies {
        client_header: Some("cf-connecting-ip".to_owned()),
        ..proxies()
    };
    let found = |peer, value| {
        client_address(
            &proxies,
            [
                (PEER, peer),
                ("X-Forwarded-For", "1.1.1.1"),
                ("CF-Connecting-IP", value),
            ],
        )
    };
    assert_eq!(
        found("10.0.0.7", "203.0.113.9"),
        from("203.0.113.9", Some(PROXY))
    );
    assert_eq!(
        found("10.0.0.7", "203.0.113.9, 1.2.3.4"),
        Err(Rejection::Proxied)
    );
    assert_eq!(found("192.0.2.1", "203.0.113.9"), Err(Rejection::Proxied));
    let without = client_address(
        &proxies,
        [(PEER, "10.0.0.7"), ("X-Forwarded-For", "1.1.1.1")],
    );
    assert_eq!(without, from("10.0.0.7", Some(PROXY)));
}

#[test]
fn a_duplicate_peer_or_client_header_is_rejected() {
    let proxies = Proxies {
        client_header: Some("cf-connecting-ip".to_owned()),
        ..proxies()
    };
    for headers in [
        [(PEER, "10.0.0.7"), (PEER, "192.0.2.1")],
        [(PEER, ""), (PEER, "192.0.2.1")],
    ] {
        assert_eq!(client_address(&proxies, headers), Err(Rejection::Proxied));
    }
    let forged = [
        (PEER, "10.0.0.7"),
        ("cf-connecting-ip", "198.51.100.1"),
        ("CF-Connecting-IP", "203.0.113.9"),
    ];
    assert_eq!(client_address(&proxies, forged), Err(Rejection::Proxied));
}

#[test]
fn a_missing_or_invalid_peer_is_not_a_proxy() {
    let forwarded = ("X-Forwarded-For", "203.0.113.9");
    for peer in [("other", "10.0.0.7"), (PEER, ""), (PEER, "10.0.0.7, x")] {
        let refused = client_address(&proxies(), [peer, forwarded]);
        assert_eq!(refused, Err(Rejection::Proxied), "{peer:?}");
    }
    for peer in ["", "unix:", "10.0.0.7, x", "[fe80::1"] {
        let refused = client_address(&proxies(), [(PEER, peer)]);
        assert_eq!(refused, Err(Rejection::Proxied), "{peer:?}");
    }
}
