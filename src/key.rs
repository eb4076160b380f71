//! Keys: credentials that may do less than the gateway's own token.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::agent::Agents;
use crate::auth::SecretDigest;
use crate::rate::Rate;

/// What the holder of a key may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key's name, which is no secret.
    pub name: String,
    /// The agents that it may use; others do not exist for it.
    pub agents: Rc<Agents>,
    /// Whether it may name sessions by header.
    pub sessions: Permission,
    /// Whether it may name a message channel.
    pub channel: Permission,
    /// Whether it may choose the agent's model.
    pub model: Permission,
    /// Whether it may send system and developer messages.
    pub instructions: Permission,
    /// The tools that it may offer.
    pub tools: ToolScope,
    /// How often it may call.
    pub rate: Rate,
    /// From when on it is refused, in seconds since 1970.
    pub expires: Option<u64>,
}

/// Whether something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// It may.
    Granted,
    /// It may not.
    Denied,
}

/// The tools that a key may offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolScope {
    /// Any.
    Any,
    /// Those of these names.
    Named(Vec<String>),
}

impl ToolScope {
    /// Tells whether a tool may be offered.
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

/// All keys, found by digest.
///
/// Whoever presents a credential cannot choose its digest, so the time that a
/// search takes tells nothing of the digests that are kept.
#[derive(Clone, Default)]
pub struct Keys(BTreeMap<SecretDigest, Rc<Key>>);

impl Keys {
    /// Adds a key under its digest, and returns the one that it replaces.
    pub fn insert(&mut self, digest: SecretDigest, key: Key) -> Option<Rc<Key>> {
        self.0.insert(digest, Rc::new(key))
    }

    /// Tells whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether any key has a rate.
    #[must_use]
    pub fn have_rates(&self) -> bool {
        self.0.values().any(|key| !key.rate.is_unlimited())
    }

    /// Finds the key of a presented credential.
    #[must_use]
    pub fn find(&self, presented: &SecretDigest) -> Option<Rc<Key>> {
        self.0.get(presented).cloned()
    }
}

#[cfg(test)]
impl Key {
    /// Returns a key that may do nothing.
    pub(crate) fn for_test(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            agents: Rc::new(Agents::new(Vec::new(), None).narrowed(&[])),
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
    fn each_of_many_keys_is_found_and_no_other() {
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
