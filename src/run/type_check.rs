//! Checks of the type of one member.

use tidegate_json::{Kind, Member};

use crate::rejection::Rejection;

/// Checks a member that may be `null`.
pub(super) fn nullable<T>(
    param: &'static str,
    expected: &str,
    member: &Member<T>,
) -> Result<(), Rejection> {
    match member {
        Member::Not(kind) => Err(Rejection::wrong_type(param, expected, *kind)),
        Member::Absent | Member::Null | Member::Is(_) => Ok(()),
    }
}

/// Checks a member that must not be `null`.
pub(super) fn not_null<T>(
    param: &'static str,
    expected: &str,
    member: &Member<T>,
) -> Result<(), Rejection> {
    match member {
        Member::Null => Err(Rejection::wrong_type(param, expected, Kind::Null)),
        Member::Absent | Member::Is(_) | Member::Not(_) => nullable(param, expected, member),
    }
}
