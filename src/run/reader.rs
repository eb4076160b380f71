//! The reader of a request's body.

use tidegate_json::{Kind, Member};

use crate::access::Caller;
use crate::inbound::{Headers, JsonText};
use crate::rejection::Rejection;

use super::chat;
use super::context::{Context, RequestIds};
use super::rules::RunRules;
use super::valid_run::ValidRun;

impl ValidRun {
    /// Turns the body and headers of a request into a run.
    ///
    /// # Errors
    /// The first rule that the request violates.
    pub fn read(
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
        match text.parse()? {
            Member::Is(request) => chat::read(request, &context),
            Member::Absent | Member::Null => Err(wrong_root(Kind::Null)),
            Member::Not(kind) => Err(wrong_root(kind)),
        }
    }
}

fn wrong_root(found: Kind) -> Rejection {
    Rejection::Invalid {
        param: None,
        message: format!("The request body must be a JSON object, not {found}."),
    }
}
