//! Scopes: the rights that a request keeps when it lists them in a header.
//!
//! Only requests without a credential of their own can be narrowed. The rules are
//! OpenClaw's for `x-openclaw-scopes`.

use crate::inbound::Headers;

/// The header that lists scopes, separated by commas.
pub const SCOPES_HEADER: &str = "x-openclaw-scopes";

/// A right of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Choose the agent's model. It includes the other scopes.
    Admin,
    /// Start runs. It includes [`Scope::Read`].
    Write,
    /// List models.
    Read,
}

impl Scope {
    /// Returns the scope's name in the header.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "operator.admin",
            Self::Write => "operator.write",
            Self::Read => "operator.read",
        }
    }

    fn includes(self, other: Self) -> bool {
        match self {
            Self::Admin => true,
            Self::Write => other != Self::Admin,
            Self::Read => other == Self::Read,
        }
    }
}

/// The scopes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scopes {
    /// The request does not narrow its rights.
    All,
    /// The scopes that the request lists.
    Listed(Vec<Scope>),
}

impl Scopes {
    /// Reads the header. A request without it keeps all rights. An unknown scope
    /// grants nothing.
    #[must_use]
    pub fn read(headers: &Headers) -> Self {
        let Some(value) = headers.first(SCOPES_HEADER) else {
            return Self::All;
        };
        let is_listed = |scope: &Scope| {
            let mut names = value.split(|byte| *byte == b',');
            names.any(|name| name.trim_ascii() == scope.name().as_bytes())
        };
        let scopes = [Scope::Admin, Scope::Write, Scope::Read];
        Self::Listed(scopes.into_iter().filter(is_listed).collect())
    }

    /// Returns whether the request keeps a scope.
    #[must_use]
    pub fn include(&self, scope: Scope) -> bool {
        match self {
            Self::All => true,
            Self::Listed(scopes) => scopes.iter().any(|listed| listed.includes(scope)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_includes_the_lesser_ones() {
        for (header, included) in [
            ("", &[][..]),
            ("operator.pairing", &[]),
            ("operator.read", &[Scope::Read]),
            ("operator.write", &[Scope::Write, Scope::Read]),
            (
                " operator.read , operator.admin",
                &[Scope::Admin, Scope::Write, Scope::Read],
            ),
            ("OPERATOR.READ", &[]),
        ] {
            let scopes = Scopes::read(&Headers::from([(SCOPES_HEADER, header)]));
            for scope in [Scope::Admin, Scope::Write, Scope::Read] {
                let expected = included.contains(&scope);
                assert_eq!(scopes.include(scope), expected, "{header}: {scope:?}");
            }
        }
    }

    #[test]
    fn a_request_without_the_header_keeps_all_rights() {
        assert_eq!(Scopes::read(&Headers::default()), Scopes::All);
    }
}
