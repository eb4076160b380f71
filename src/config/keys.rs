//! `tidegate.keys`: API keys.

use std::borrow::Cow;
use std::rc::Rc;
use std::time::UNIX_EPOCH;

use tidegate_config::Section;

use crate::access::{Key, Keys, Permission, SecretDigest, ToolScope, UnixMillis, parse_hex};
use crate::agents::{AgentId, Agents, Upstream, Upstreams};

use super::limits::read_rate;

/// Reads `tidegate.keys`.
pub(super) fn read_keys<'d>(
    tidegate: &mut Section<'d>,
    agents: &'d Agents,
    upstreams: &Upstreams,
) -> Keys {
    let mut keys = Keys::default();
    let mut sets = AgentSets {
        all: agents,
        last: None,
    };
    for mut item in tidegate.items("keys").unwrap_or_default() {
        let read = read_key(&mut item, &mut sets, upstreams);
        item.deny_unknown_keys();
        if let Some((digest, key)) = read
            && keys.insert(digest, key).is_some()
        {
            tidegate.fault("keys", "must not contain a duplicate digest");
        }
    }
    keys
}

fn read_key<'d>(
    item: &mut Section<'d>,
    sets: &mut AgentSets<'d>,
    upstreams: &Upstreams,
) -> Option<(SecretDigest, Key)> {
    let name = item.borrowed_text("name");
    let name = name.map(|name| name.trim().to_owned());
    let name = name.filter(|name| !name.is_empty());
    if name.is_none() {
        item.fault("name", "is missing");
    }
    let digest = item.borrowed_text("sha256");
    let digest = digest.and_then(|text| parse_hex(text.trim()));
    if digest.is_none() {
        item.fault(
            "sha256",
            "must be the 64 hexadecimal digits of the key's SHA-256",
        );
    }
    let permission = |granted: Option<bool>, default| Permission::from(granted.unwrap_or(default));
    let key = Key {
        agents: sets.read(item),
        upstream: read_upstream(item, upstreams),
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

/// Reads the runtime of a key.
fn read_upstream(item: &mut Section<'_>, upstreams: &Upstreams) -> Option<Upstream> {
    let name = item.borrowed_text("runtime")?;
    let upstream = upstreams.find(&name);
    if upstream.is_none() {
        item.fault("runtime", "is not a name in tidegate.runtimes");
    }
    upstream
}

/// The sets of agents of keys. Consecutive keys with the same set share it.
struct AgentSets<'a> {
    all: &'a Agents,
    last: Option<(Vec<Cow<'a, str>>, Rc<Agents>)>,
}

impl<'a> AgentSets<'a> {
    /// Reads the agents of a key, `"*"` for all of them.
    fn read(&mut self, item: &mut Section<'a>) -> Rc<Agents> {
        let names = item.borrowed_texts("agents").unwrap_or_default();
        if let Some((last, agents)) = &self.last
            && *last == names
        {
            return Rc::clone(agents);
        }
        match self.select(&names) {
            Some(agents) => {
                let agents = Rc::new(agents);
                self.last = Some((names, Rc::clone(&agents)));
                agents
            }
            None => {
                item.fault("agents", "must contain only configured agents, or \"*\"");
                Rc::new(self.all.narrowed(&[]))
            }
        }
    }

    fn select(&self, names: &[Cow<'a, str>]) -> Option<Agents> {
        if names.iter().any(|name| name == "*") {
            return Some(self.all.clone());
        }
        let known = |id: &AgentId| self.all.known().is_none_or(|known| known.contains(id));
        let ids = names.iter().map(|name| AgentId::parse(name).filter(known));
        let ids: Vec<_> = ids.collect::<Option<_>>()?;
        Some(self.all.narrowed(&ids))
    }
}

/// Reads the expiry: a date, which means its beginning in UTC, or a time.
fn read_expiry(item: &mut Section<'_>) -> Option<UnixMillis> {
    let text = item.text("expires")?;
    let time = humantime::parse_rfc3339(&text)
        .or_else(|_| humantime::parse_rfc3339(&format!("{text}T00:00:00Z")));
    let expiry = time.ok().filter(|time| *time >= UNIX_EPOCH);
    if expiry.is_none() {
        item.fault(
            "expires",
            "must be a date such as \"2027-01-31\", or an RFC 3339 time in UTC",
        );
    }
    expiry.map(UnixMillis::of)
}
