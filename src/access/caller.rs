//! Authenticated clients.

use std::borrow::Cow;
use std::rc::Rc;

use crate::agents::Upstream;
use crate::runtime::Authority;

use super::digest::short_digest;
use super::key::Key;
use super::scopes::Scopes;

/// An authenticated client. Only [`super::Auth`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    identity: Identity,
    scopes: Scopes,
}

/// Who a caller is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// A client with the gateway's token or password.
    Owner,
    /// A client of a gateway without authentication.
    Anyone,
    /// A client with an API key.
    Key(Rc<Key>),
    /// A user that a trusted proxy has authenticated.
    User(String),
}

impl Caller {
    pub(super) fn owner() -> Self {
        Self::unscoped(Identity::Owner)
    }

    pub(super) fn anyone(scopes: Scopes) -> Self {
        let identity = Identity::Anyone;
        Self { identity, scopes }
    }

    pub(super) fn with_key(key: Rc<Key>) -> Self {
        Self::unscoped(Identity::Key(key))
    }

    pub(super) fn user(name: &str, scopes: Scopes) -> Self {
        let identity = Identity::User(name.to_owned());
        Self { identity, scopes }
    }

    fn unscoped(identity: Identity) -> Self {
        let scopes = Scopes::All;
        Self { identity, scopes }
    }

    /// Returns who the caller is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Returns the scopes that the request keeps.
    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// Returns the name that separates the caller's sessions from the sessions of
    /// other callers. A new credential of the same name does not change it.
    #[must_use]
    pub fn name(&self) -> Cow<'static, str> {
        match &self.identity {
            Identity::Owner => Cow::Borrowed("owner"),
            Identity::Anyone => Cow::Borrowed("anyone"),
            Identity::Key(key) => Cow::Owned(format!("key:{}", key.name)),
            Identity::User(user) => Cow::Owned(format!("user:{user}")),
        }
    }

    /// Returns the name for the access log, in which users appear as short digests.
    #[must_use]
    pub fn label(&self) -> Cow<'static, str> {
        match &self.identity {
            Identity::User(user) => Cow::Owned(format!("user:{}", short_digest(user.as_bytes()))),
            Identity::Owner | Identity::Anyone | Identity::Key(_) => self.name(),
        }
    }

    /// Returns what the caller's runs may do.
    #[must_use]
    pub fn authority(&self) -> Authority {
        match (&self.identity, &self.scopes) {
            (Identity::Owner, _) | (Identity::Anyone, Scopes::All) => Authority::Owner,
            (Identity::Anyone | Identity::Key(_) | Identity::User(_), _) => Authority::Restricted,
        }
    }

    /// Returns the runtime of all the caller's runs, if it has one of its own.
    #[must_use]
    pub fn upstream(&self) -> Option<&Upstream> {
        match &self.identity {
            Identity::Key(key) => key.upstream.as_ref(),
            Identity::Owner | Identity::Anyone | Identity::User(_) => None,
        }
    }

    /// Returns whether the caller is one of several tenants, whose sessions must
    /// stay apart.
    #[must_use]
    pub fn is_tenant(&self) -> bool {
        match self.identity {
            Identity::Key(_) | Identity::User(_) => true,
            Identity::Owner | Identity::Anyone => false,
        }
    }
}

#[cfg(test)]
impl Caller {
    /// Makes a caller with a name as in [`Caller::name`].
    pub(crate) fn for_test(name: &str) -> Self {
        match name.split_once(':') {
            Some(("key", key)) => Self::for_test_with(Key::for_test(key)),
            Some(("user", user)) => Self::user(user, Scopes::All),
            _ if name == "anyone" => Self::anyone(Scopes::All),
            _ => Self::owner(),
        }
    }

    pub(crate) fn for_test_with(key: Key) -> Self {
        Self::with_key(Rc::new(key))
    }
}
