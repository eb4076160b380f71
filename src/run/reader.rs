//! The reader of a request's body.

use tidegate_json::{Kind, Member};

use crate::access::Caller;
use crate::inbound::{Api, Headers, JsonText};
use crate::rejection::Rejection;

use super::context::{Context, RequestIds};
use super::rules::RunRules;
use super::valid_run::ValidRun;
use super::{chat, responses};

impl ValidRun {
    /// Turns the body and headers of a request to an API into a run.
    ///
    /// # Errors
    /// The first rule that the request violates.
    pub fn read(
        api: Api,
        body: Vec<u8>,
        headers: &Headers,
        caller: &Caller,
        rules: &RunRules,
        ids: RequestIds,
    ) -> Result<Self, Rejection> {
        let context = Context {
            headers,
            caller,
            rules,
            ids,
        };
        let text = JsonText::decode(body)?;
        match api {
            Api::Completions => chat::read(root(text.parse()?)?, &context),
            Api::Responses => responses::read(root(text.parse()?)?, &context),
        }
    }
}

/// Returns the object of a body.
///
/// # Errors
/// A body that is not an object.
pub(super) fn root<T>(root: Member<T>) -> Result<T, Rejection> {
    match root {
        Member::Is(request) => Ok(request),
        Member::Absent | Member::Null => Err(wrong_root(Kind::Null)),
        Member::Not(kind) => Err(wrong_root(kind)),
    }
}

fn wrong_root(found: Kind) -> Rejection {
    Rejection::Invalid {
        param: None,
        message: format!("The request body must be a JSON object, not {found}."),
    }
}
