//! `gateway.auth`: who may come in.

use tidegate_config::Section;

use crate::auth::{Auth, Loopback, ProxyUsers, SecretDigest};
use crate::key::Keys;
use crate::proxies::Proxies;

use super::{PASSWORD_VARIABLE, TOKEN_VARIABLE};

#[derive(Clone, Copy)]
enum AuthMode {
    Token,
    Password,
    TrustedProxy,
    None,
}

/// Reads how callers prove who they are. Keys alone will do.
pub(super) fn read_auth(auth: &mut Section<'_>, keys: Keys, proxies: &Proxies) -> Option<Auth> {
    const MODES: [(&str, AuthMode); 4] = [
        ("token", AuthMode::Token),
        ("password", AuthMode::Password),
        ("trusted-proxy", AuthMode::TrustedProxy),
        ("none", AuthMode::None),
    ];
    let token = auth
        .secret("token")
        .or_else(|| auth.variable(TOKEN_VARIABLE));
    let password = auth
        .secret("password")
        .or_else(|| auth.variable(PASSWORD_VARIABLE));
    let mode = match auth.text("mode") {
        Some(_) => auth.choice("mode", &MODES)?,
        None => match (&token, &password) {
            (Some(_), Some(_)) => {
                auth.fault("mode", "must say whether the token or the password counts");
                return None;
            }
            (None, Some(_)) => AuthMode::Password,
            (None, None) if !keys.is_empty() => {
                return Some(Auth::Credentials { shared: None, keys });
            }
            (_, None) => AuthMode::Token,
        },
    };
    let (key, variable, secret) = match mode {
        AuthMode::None | AuthMode::TrustedProxy if !keys.is_empty() => {
            auth.fault(
                "mode",
                "must be \"token\" or \"password\" where there are keys",
            );
            return None;
        }
        AuthMode::None => return Some(Auth::None),
        AuthMode::TrustedProxy => return read_proxy_users(auth, proxies).map(Auth::Proxy),
        AuthMode::Token => ("token", TOKEN_VARIABLE, token),
        AuthMode::Password => ("password", PASSWORD_VARIABLE, password),
    };
    let secret = secret.filter(|secret| !secret.expose().trim().is_empty());
    if secret.is_none() {
        auth.fault(
            key,
            &format!("is missing; set it, or the variable {variable}"),
        );
    }
    let shared = SecretDigest::of(&secret?);
    if keys.find(&shared).is_some() {
        auth.fault(
            key,
            "is a key of tidegate.keys, too, and would give it all rights",
        );
    }
    let shared = Some(shared);
    Some(Auth::Credentials { shared, keys })
}

/// Reads `gateway.auth.trustedProxy`. A proxy's word counts only where it is
/// known to be the proxy's.
fn read_proxy_users(auth: &mut Section<'_>, proxies: &Proxies) -> Option<ProxyUsers> {
    if proxies.trusted.is_empty() {
        auth.fault("mode", "needs the proxy in gateway.trustedProxies");
    }
    if proxies.peer_header.is_none() {
        auth.fault(
            "mode",
            "needs a host that tells whom it is connected to; name its header in tidegate.client.peerHeader",
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
