//! Scopes: rights that a request gives up by naming those that it needs.
//!
//! Only callers without a credential of their own are narrowed so. Rules: as
//! OpenClaw's endpoint reads `x-openclaw-scopes`.

use crate::headers::Headers;

use super::Rights;

/// The header that names the scopes.
pub const SCOPES_HEADER: &str = "x-openclaw-scopes";

/// A right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// To choose the agent's model; it holds the others.
    Admin,
    /// To have agents run; it holds [`Scope::Read`].
    Write,
    /// To see what agents there are.
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

    fn is_held_by(self, other: Self) -> bool {
        match other {
            Self::Admin => true,
            Self::Write => self != Self::Admin,
            Self::Read => self == Self::Read,
        }
    }
}

/// The scopes that a request names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Reads the rights of a request: all of them, if it names no scopes.
    #[must_use]
    pub fn read(headers: &Headers) -> Rights {
        let Some(value) = headers.first(SCOPES_HEADER) else {
            return Rights::All;
        };
        let named = |scope: &Scope| {
            let mut names = value.split(|byte| *byte == b',');
            names.any(|name| name.trim_ascii() == scope.name().as_bytes())
        };
        let all = [Scope::Admin, Scope::Write, Scope::Read];
        Rights::Narrowed(Self(all.into_iter().filter(named).collect()))
    }

    /// Tells whether a scope is among them, or held by one of them.
    #[must_use]
    pub fn hold(&self, scope: Scope) -> bool {
        self.0.iter().any(|held| scope.is_held_by(*held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_holds_the_lesser_ones() {
        for (header, held) in [
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
            let Rights::Narrowed(scopes) = Scopes::read(&Headers::from([(SCOPES_HEADER, header)]))
            else {
                panic!("{header} narrows nothing");
            };
            for scope in [Scope::Admin, Scope::Write, Scope::Read] {
                assert_eq!(
                    scopes.hold(scope),
                    held.contains(&scope),
                    "{header}: {scope:?}"
                );
            }
        }
    }

    #[test]
    fn without_the_header_nothing_is_given_up() {
        assert_eq!(Scopes::read(&Headers::default()), Rights::All);
    }
}
