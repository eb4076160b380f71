//! `gateway.auth`.

use tidegate_config::variables::{GATEWAY_PASSWORD, GATEWAY_TOKEN};
use tidegate_config::{Secret, Section};

use crate::access::{Auth, Keys, Loopback, ProxyUsers, SecretDigest};
use crate::inbound::Proxies;

/// The variables that count even if the document does not name them, unless it has keys and
/// no `gateway.auth`.
pub const WELL_KNOWN_VARIABLES: [&str; 2] = [GATEWAY_TOKEN, GATEWAY_PASSWORD];

#[derive(Clone, Copy)]
enum AuthMode {
    Token,
    Password,
    TrustedProxy,
    None,
}

const MODES: [(&str, AuthMode); 4] = [
    ("token", AuthMode::Token),
    ("password", AuthMode::Password),
    ("trusted-proxy", AuthMode::TrustedProxy),
    ("none", AuthMode::None),
];

/// Reads how clients authenticate. API keys are enough.
pub(super) fn read_auth(auth: &mut Section<'_>, keys: Keys, proxies: &Proxies) -> Option<Auth> {
    // OpenClaw's own variables are set on its machines. A document with keys alone is opened
    // by its keys alone.
    let has_variables = auth.is_present() || keys.is_empty();
    let variable = |auth: &mut Section<'_>, name| has_variables.then(|| auth.variable(name));
    let token = auth.secret("token");
    let token = token.or_else(|| variable(auth, GATEWAY_TOKEN).flatten());
    let password = auth.secret("password");
    let password = password.or_else(|| variable(auth, GATEWAY_PASSWORD).flatten());
    let mode = match auth.text("mode") {
        Some(_) => auth.choice("mode", &MODES)?,
        None => match (&token, &password) {
            (Some(_), Some(_)) => {
                let problem = "must be set if both a token and a password are configured";
                auth.fault("mode", problem);
                return None;
            }
            (None, Some(_)) => AuthMode::Password,
            (None, None) if !keys.is_empty() => {
                return Some(Auth::Credentials { shared: None, keys });
            }
            (_, None) => AuthMode::Token,
        },
    };
    match mode {
        AuthMode::None | AuthMode::TrustedProxy if !keys.is_empty() => {
            let problem = "must be \"token\" or \"password\" if tidegate.keys is set";
            auth.fault("mode", problem);
            None
        }
        AuthMode::None => Some(Auth::None),
        AuthMode::TrustedProxy => read_proxy_users(auth, proxies).map(Auth::Proxy),
        AuthMode::Token => read_shared(auth, "token", GATEWAY_TOKEN, token, keys),
        AuthMode::Password => read_shared(auth, "password", GATEWAY_PASSWORD, password, keys),
    }
}

/// Checks the token or password. A blank one counts as missing.
fn read_shared(
    auth: &mut Section<'_>,
    key: &'static str,
    variable: &str,
    secret: Option<Secret>,
    keys: Keys,
) -> Option<Auth> {
    let secret = secret.filter(|secret| !secret.expose().trim().is_empty());
    if secret.is_none() {
        auth.fault(
            key,
            &format!("is missing; set it or the variable {variable}"),
        );
    }
    let shared = SecretDigest::of(&secret?);
    if keys.find(&shared).is_some() {
        auth.fault(
            key,
            "is also a key in tidegate.keys, which would get all rights",
        );
    }
    let shared = Some(shared);
    Some(Auth::Credentials { shared, keys })
}

/// Reads `gateway.auth.trustedProxy`. The gateway must be able to recognize the
/// proxy.
fn read_proxy_users(auth: &mut Section<'_>, proxies: &Proxies) -> Option<ProxyUsers> {
    if proxies.trusted.is_empty() {
        auth.fault("mode", "requires a proxy in gateway.trustedProxies");
    }
    if proxies.peer_header.is_none() {
        auth.fault(
            "mode",
            "requires a host that exposes the peer address; set its header in tidegate.client.peerHeader",
        );
    }
    let mut users = auth.section("trustedProxy");
    let user_header = users.text("userHeader").map(|name| name.trim().to_owned());
    let user_header = user_header.filter(|name| !name.is_empty());
    if user_header.is_none() {
        users.fault("userHeader", "is missing");
    }
    Some(ProxyUsers {
        required_headers: users.texts("requiredHeaders").unwrap_or_default(),
        allowed: users.texts("allowUsers").unwrap_or_default(),
        loopback: match users.flag("allowLoopback") {
            Some(true) => Loopback::Allowed,
            Some(false) | None => Loopback::Refused,
        },
        user_header: user_header?,
    })
}
