//! Those who have been let in, and what they may do.

use std::borrow::Cow;
use std::rc::Rc;

use crate::hex;
use crate::key::Key;

use super::scopes::Scopes;

/// The name of whoever holds the gateway's own token or password.
const OWNER: &str = "owner";

/// The name of everyone where nobody is asked for one.
const ANYONE: &str = "anyone";

/// Somebody who may use the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    name: Cow<'static, str>,
    rights: Rights,
}

/// What a caller may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rights {
    /// Everything.
    All,
    /// What the caller's key allows.
    Scoped(Rc<Key>),
    /// What the request itself asks for.
    Narrowed(Scopes),
}

impl Caller {
    /// Lets in whoever holds the gateway's own token or password.
    pub(super) fn owner() -> Self {
        Self {
            name: Cow::Borrowed(OWNER),
            rights: Rights::All,
        }
    }

    /// Lets in somebody nobody has asked for a name.
    pub(super) fn anyone(rights: Rights) -> Self {
        let name = Cow::Borrowed(ANYONE);
        Self { name, rights }
    }

    /// Lets in the holder of a key.
    pub(super) fn with_key(key: Rc<Key>) -> Self {
        Self {
            name: Cow::Owned(format!("key:{}", key.name)),
            rights: Rights::Scoped(key),
        }
    }

    /// Lets in a user whom a proxy has named.
    pub(super) fn user(user: &str, rights: Rights) -> Self {
        Self {
            name: Cow::Owned(format!("user:{user}")),
            rights,
        }
    }

    /// Returns the name under which the caller's sessions are kept apart from
    /// those of others. It does not change with the credential.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name for a log, where users appear as short digests.
    #[must_use]
    pub fn label(&self) -> String {
        match self.name.strip_prefix("user:") {
            Some(user) => format!("user:{}", hex::short(user.as_bytes())),
            None => self.name.clone().into_owned(),
        }
    }

    /// Tells whether the caller is one of several who must not meet: the holder
    /// of a key, or a user whom a proxy has named.
    #[must_use]
    pub fn is_tenant(&self) -> bool {
        !matches!(self.name.as_ref(), OWNER | ANYONE)
    }

    /// Returns what the caller may do.
    #[must_use]
    pub fn rights(&self) -> &Rights {
        &self.rights
    }

    #[cfg(test)]
    pub(crate) fn for_test(name: &str) -> Self {
        Self {
            name: Cow::Owned(name.to_owned()),
            rights: Rights::All,
        }
    }

    #[cfg(test)]
    pub(crate) fn for_test_with(key: Key) -> Self {
        Self::with_key(Rc::new(key))
    }
}
