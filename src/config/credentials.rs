//! `gateway.auth` and `tidegate.keys`: who may come in.

use std::time::{Duration, UNIX_EPOCH};

use tidegate_config::Section;

use crate::agent::{AgentId, Agents};
use crate::auth::{Auth, Loopback, ProxyUsers, SecretDigest};
use crate::hex;
use crate::key::{Key, Keys, Permission, ToolScope};
use crate::proxies::Proxies;

use super::limits::read_rate;
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

/// Reads `tidegate.keys`.
pub(super) fn read_keys(tidegate: &mut Section<'_>, agents: &Agents) -> Keys {
    let mut keys: Vec<(SecretDigest, Key)> = Vec::new();
    for mut item in tidegate.items("keys").unwrap_or_default() {
        let read = read_key(&mut item, agents);
        item.deny_unknown_keys();
        keys.extend(read);
    }
    let count = keys.len();
    let keys = Keys::new(keys);
    if keys.len() < count {
        tidegate.fault("keys", "must not hold one digest twice");
    }
    keys
}

fn read_key(item: &mut Section<'_>, agents: &Agents) -> Option<(SecretDigest, Key)> {
    let name = item.text("name").map(|name| name.trim().to_owned());
    let name = name.filter(|name| !name.is_empty());
    if name.is_none() {
        item.fault("name", "is missing");
    }
    let digest = item.text("sha256").and_then(|text| hex::parse(text.trim()));
    if digest.is_none() {
        item.fault(
            "sha256",
            "must be the 64 hexadecimal digits of the key's SHA-256",
        );
    }
    let permission = |granted: Option<bool>, default| Permission::from(granted.unwrap_or(default));
    let key = Key {
        agents: read_key_agents(item, agents),
        sessions: permission(item.flag("sessions"), false),
        channel: permission(item.flag("channel"), false),
        model: permission(item.flag("model"), false),
        instructions: permission(item.flag("instructions"), true),
        tools: item.texts("tools").map_or(ToolScope::Any, ToolScope::Named),
        rate: read_rate(item),
        expires: read_expiry(item),
        name: name?,
    };
    Some((SecretDigest::from_bytes(digest?), key))
}

/// Reads the agents of a key, `"*"` for all of them.
fn read_key_agents(item: &mut Section<'_>, all: &Agents) -> Agents {
    let names = item.texts("agents").unwrap_or_default();
    if names.iter().any(|name| name == "*") {
        return all.clone();
    }
    let ids: Vec<_> = names
        .iter()
        .filter_map(|name| AgentId::parse(name))
        .collect();
    let known = |id: &AgentId| all.known().is_none_or(|known| known.contains(id));
    if ids.len() < names.len() || !ids.iter().all(known) {
        item.fault("agents", "must name configured agents only, or \"*\"");
    }
    all.narrowed(&ids)
}

/// Reads when a key expires: a day, at whose beginning (UTC) it does, or a time.
fn read_expiry(item: &mut Section<'_>) -> Option<u64> {
    let text = item.text("expires")?;
    let time = humantime::parse_rfc3339(&text);
    let time = time.or_else(|_| humantime::parse_rfc3339(&format!("{text}T00:00:00Z")));
    let since = time
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    if since.is_none() {
        item.fault(
            "expires",
            "must be a date such as \"2027-01-31\", or a time of RFC 3339 in UTC",
        );
    }
    since.as_ref().map(Duration::as_secs)
}
