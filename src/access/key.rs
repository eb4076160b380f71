//! API keys: credentials with limited rights.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::agents::{Agents, Upstream};

use super::digest::SecretDigest;
use super::rate::Rate;
use super::time::UnixMillis;

/// What the client with an API key may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key's name, which is not secret.
    pub name: String,
    /// The agents that it may use. Other agents do not exist for it.
    pub agents: Rc<Agents>,
    /// The runtime of all its runs, if it has one of its own.
    pub upstream: Option<Upstream>,
    /// Whether it may name sessions by header.
    pub sessions: Permission,
    /// Whether it may set the message channel.
    pub channel: Permission,
    /// Whether it may choose the agent's model.
    pub model: Permission,
    /// Whether it may send system and developer messages.
    pub instructions: Permission,
    /// The tools that it may offer.
    pub tools: ToolScope,
    /// Its rate limits.
    pub rate: Rate,
    /// The time at which it expires, if it does.
    pub expires: Option<UnixMillis>,
}

/// Whether a key has a right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// It has the right.
    Granted,
    /// It does not.
    Denied,
}

/// The tools that a key may offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolScope {
    /// Any tool.
    Any,
    /// Tools with these names.
    Named(Vec<String>),
}

impl ToolScope {
    /// Returns whether a key may offer a tool.
    #[must_use]
    pub fn allows(&self, tool: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Named(names) => names.iter().any(|name| name == tool),
        }
    }
}

impl From<bool> for Permission {
    fn from(granted: bool) -> Self {
        if granted { Self::Granted } else { Self::Denied }
    }
}

/// All keys by digest.
///
/// The lookup is not in constant time and need not be: a client cannot choose the
/// digest of its credential, so the time reveals nothing about stored digests.
#[derive(Clone, Default)]
pub struct Keys(BTreeMap<SecretDigest, Rc<Key>>);

impl Keys {
    /// Adds a key and returns the key that had the same digest.
    pub fn insert(&mut self, digest: SecretDigest, key: Key) -> Option<Rc<Key>> {
        self.0.insert(digest, Rc::new(key))
    }

    /// Returns whether there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns all keys.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.0.values().map(Rc::as_ref)
    }

    /// Returns the key with a digest.
    #[must_use]
    pub fn find(&self, digest: &SecretDigest) -> Option<Rc<Key>> {
        self.0.get(digest).cloned()
    }
}

#[cfg(test)]
impl Key {
    /// Returns a key without any permission.
    pub(crate) fn for_test(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            agents: Rc::new(Agents::new(Vec::new(), None).narrowed(&[])),
            upstream: None,
            sessions: Permission::Denied,
            channel: Permission::Denied,
            model: Permission::Denied,
            instructions: Permission::Denied,
            tools: ToolScope::Named(Vec::new()),
            rate: Rate::default(),
            expires: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use tidegate_config::Secret;

    use super::*;

    #[test]
    fn find_returns_the_key_with_the_digest() {
        let digest = |n: usize| SecretDigest::of(&Secret::new(format!("tg_{n}")));
        let mut keys = Keys::default();
        for n in 0..1000 {
            assert_eq!(keys.insert(digest(n), Key::for_test(&n.to_string())), None);
        }
        for n in 0..1000 {
            let found = keys.find(&digest(n)).map(|key| key.name.clone());
            assert_eq!(found, Some(n.to_string()));
        }
        assert!(keys.find(&digest(1000)).is_none());
        assert!(Keys::default().find(&digest(0)).is_none());
    }
}
