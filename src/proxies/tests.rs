use super::*;

const PEER: &str = "peer-address";

const PROXY: &str = "10.0.0.7";

fn proxies() -> Proxies {
    Proxies {
        trusted: ["10.0.0.0/8", "2001:db8::1"]
            .map(|text| Network::parse(text).unwrap())
            .into(),
        peer_header: Some(PEER.to_owned()),
        client_header: None,
    }
}

fn sender<const N: usize>(
    proxies: &Proxies,
    headers: [(&str, &str); N],
) -> Result<Sender, Rejection> {
    proxies.sender(&Headers::from(headers))
}

/// Returns the sender of a request that came directly, or through a proxy.
fn from(address: &str, proxy: Option<&str>) -> Result<Sender, Rejection> {
    Ok(Sender::for_test(Some(address), proxy))
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
        let refused = sender(&Proxies::default(), [(name, "192.0.2.1")]);
        assert_eq!(refused, Err(Rejection::Proxied), "{name}");
    }
}

#[test]
fn other_headers_say_nothing_of_proxies() {
    let headers = [
        ("Via", "1.1 edge"),
        ("X-Forwarded", "x"),
        ("é", "x"),
        ("x", "y"),
    ];
    let unknown = Ok(Sender::for_test(None, None));
    assert_eq!(sender(&Proxies::default(), headers), unknown);
}

#[test]
fn the_host_tells_the_peer_with_its_port_or_without() {
    for (told, address) in [
        ("192.0.2.1:4711", "192.0.2.1"),
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:db8::2]:80", "2001:db8::2"),
        ("2001:db8::2", "2001:db8::2"),
        ("[::ffff:192.0.2.1]:80", "192.0.2.1"),
    ] {
        assert_eq!(
            sender(&proxies(), [(PEER, told)]),
            from(address, None),
            "{told}"
        );
    }
    let unheard = Proxies {
        peer_header: None,
        ..proxies()
    };
    let unknown = Ok(Sender::for_test(None, None));
    assert_eq!(sender(&unheard, [(PEER, "192.0.2.1")]), unknown);
}

#[test]
fn a_trusted_proxy_tells_the_client() {
    for (list, address) in [
        ("203.0.113.9", "203.0.113.9"),
        ("1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("1.2.3.4, 203.0.113.9 , 10.9.9.9,10.1.1.1", "203.0.113.9"),
        ("garbage, 203.0.113.9", "203.0.113.9"),
        ("2001:db8::5", "2001:db8::5"),
        ("203.0.113.9:50123", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
    ] {
        let headers = [(PEER, "10.0.0.7:1"), ("X-Forwarded-For", list)];
        assert_eq!(
            sender(&proxies(), headers),
            from(address, Some(PROXY)),
            "{list}"
        );
    }
}

#[test]
fn the_last_of_several_fields_is_the_proxys() {
    let forged = ("X-Forwarded-For", "198.51.100.1");
    let headers = [
        (PEER, "10.0.0.7"),
        forged,
        ("x-forwarded-for", "203.0.113.9"),
    ];
    assert_eq!(
        sender(&proxies(), headers),
        from("203.0.113.9", Some(PROXY))
    );
    let headers = [
        (PEER, "10.0.0.7"),
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-for", "10.1.1.1"),
    ];
    assert_eq!(
        sender(&proxies(), headers),
        from("203.0.113.9", Some(PROXY))
    );
}

#[test]
fn a_proxy_that_does_not_tell_the_client_is_refused() {
    for list in [
        "",
        "not-an-address",
        "203.0.113.9, x",
        "127.0.0.1",
        "::1",
        "10.0.0.8",
    ] {
        let headers = [(PEER, "10.0.0.7:1"), ("X-Forwarded-For", list)];
        assert_eq!(
            sender(&proxies(), headers),
            Err(Rejection::Proxied),
            "{list}"
        );
    }
    for name in ["Forwarded", "X-Forwarded-Proto", "X-Real-IP"] {
        let headers = [(PEER, "10.0.0.7:1"), (name, "203.0.113.9")];
        assert_eq!(
            sender(&proxies(), headers),
            Err(Rejection::Proxied),
            "{name}"
        );
    }
}

#[test]
fn nobody_else_can_pass_for_a_proxy() {
    let headers = [(PEER, "192.0.2.1:1"), ("X-Forwarded-For", "203.0.113.9")];
    assert_eq!(sender(&proxies(), headers), Err(Rejection::Proxied));
}

#[test]
fn a_proxy_itself_may_ask() {
    assert_eq!(
        sender(&proxies(), [(PEER, "10.0.0.7:1")]),
        from("10.0.0.7", Some(PROXY))
    );
}

#[test]
fn where_the_peer_is_unknown_a_proxy_is_believed_but_proves_nothing() {
    let unheard = Proxies {
        peer_header: None,
        ..proxies()
    };
    let told = sender(&unheard, [("X-Forwarded-For", "203.0.113.9")]);
    assert_eq!(told, from("203.0.113.9", None));
    let refused = sender(&unheard, [("X-Forwarded-For", "x")]);
    assert_eq!(refused, Err(Rejection::Proxied));
}

#[test]
fn another_header_may_tell_the_client() {
    let proxies = Proxies {
        client_header: Some("cf-connecting-ip".to_owned()),
        ..proxies()
    };
    let told = |peer, value| {
        sender(
            &proxies,
            [
                (PEER, peer),
                ("X-Forwarded-For", "1.1.1.1"),
                ("CF-Connecting-IP", value),
            ],
        )
    };
    assert_eq!(
        told("10.0.0.7", "203.0.113.9"),
        from("203.0.113.9", Some(PROXY))
    );
    assert_eq!(
        told("10.0.0.7", "203.0.113.9, 1.2.3.4"),
        Err(Rejection::Proxied)
    );
    assert_eq!(told("192.0.2.1", "203.0.113.9"), Err(Rejection::Proxied));
    let without = sender(
        &proxies,
        [(PEER, "10.0.0.7"), ("X-Forwarded-For", "1.1.1.1")],
    );
    assert_eq!(without, from("10.0.0.7", Some(PROXY)));
}

#[test]
fn a_header_of_the_hosts_or_the_proxys_own_comes_once() {
    let proxies = Proxies {
        client_header: Some("cf-connecting-ip".to_owned()),
        ..proxies()
    };
    for headers in [
        [(PEER, "10.0.0.7"), (PEER, "192.0.2.1")],
        [(PEER, ""), (PEER, "192.0.2.1")],
    ] {
        assert_eq!(sender(&proxies, headers), Err(Rejection::Proxied));
    }
    let forged = [
        (PEER, "10.0.0.7"),
        ("cf-connecting-ip", "198.51.100.1"),
        ("CF-Connecting-IP", "203.0.113.9"),
    ];
    assert_eq!(sender(&proxies, forged), Err(Rejection::Proxied));
}

#[test]
fn a_host_that_should_tell_its_peer_and_does_not_is_no_proxy() {
    let forwarded = ("X-Forwarded-For", "203.0.113.9");
    for peer in [("other", "10.0.0.7"), (PEER, ""), (PEER, "10.0.0.7, x")] {
        let refused = sender(&proxies(), [peer, forwarded]);
        assert_eq!(refused, Err(Rejection::Proxied), "{peer:?}");
    }
}
