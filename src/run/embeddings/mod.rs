//! Validation of embeddings: a caller's request becomes a request to the runtime.
//!
//! The checks have OpenClaw's order: the caller's headers, the types of all members, the
//! model, the texts, the agent.

mod members;

use crate::access::Caller;
use crate::access::permissions;
use crate::inbound::{Headers, JsonText};
use crate::openai::embeddings::EmbeddingsRequest as Request;
use crate::rejection::Rejection;
use crate::runtime::EmbeddingsRequest;

use super::context::{Context, RequestIds};
use super::reader::root;
use super::rules::RunRules;
use super::target::model_override;
use super::traceparent::{trace_id, traceparent};

/// The format of the vectors in a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VectorFormat {
    /// JSON numbers.
    Float,
    /// Little-endian IEEE 754 values of 32 bits, in base64.
    Base64,
}

/// A request for embeddings that passed every check. Only [`Self::read`] makes one.
#[derive(Debug)]
pub struct ValidEmbeddings {
    request: EmbeddingsRequest,
    model: String,
    format: VectorFormat,
}

impl ValidEmbeddings {
    /// Turns the body and headers of a request into a request to the runtime.
    ///
    /// # Errors
    /// The first rule that the request violates.
    pub fn read(
        body: Vec<u8>,
        headers: &Headers,
        caller: &Caller,
        rules: &RunRules,
    ) -> Result<Self, Rejection> {
        let context = Context {
            headers,
            caller,
            rules,
            ids: RequestIds::default(),
        };
        let text = JsonText::decode(body)?;
        read(root(text.parse()?)?, &context)
    }

    /// Returns the `model` that the reply repeats.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Returns the format of the vectors in the reply.
    #[must_use]
    pub fn format(&self) -> VectorFormat {
        self.format
    }

    /// Returns the number of texts.
    #[must_use]
    pub fn texts(&self) -> usize {
        self.request.inputs.len()
    }

    /// Returns the length of the vectors, if the client requests one.
    #[must_use]
    pub fn dimensions(&self) -> Option<usize> {
        self.request
            .dimensions
            .and_then(|n| usize::try_from(n).ok())
    }

    /// Returns the id of the agent.
    #[must_use]
    pub fn agent(&self) -> &str {
        &self.request.agent
    }

    /// Returns the name of the runtime, unless it is the default one.
    #[must_use]
    pub fn upstream(&self) -> Option<&str> {
        self.request.upstream.as_deref()
    }

    /// Returns the id of the request's trace.
    #[must_use]
    pub fn trace(&self) -> Option<&str> {
        trace_id(self.request.traceparent.as_deref())
    }

    /// Returns the request to the runtime.
    #[must_use]
    pub fn into_request(self) -> EmbeddingsRequest {
        self.request
    }
}

fn read(request: Request<'_>, context: &Context<'_>) -> Result<ValidEmbeddings, Rejection> {
    let Context {
        caller,
        rules,
        headers,
        ..
    } = *context;
    context.check_headers()?;
    members::check_types(&request)?;
    let format = members::format(&request.encoding_format)?;
    let dimensions = members::dimensions(&request.dimensions)?;
    let model = members::model(&request.model)?;
    permissions::check_model(caller, &rules.agents, model)?;
    let inputs = members::texts(request.input)?;
    let agent = permissions::select_agent(caller, &rules.agents, &request.model, headers)?;
    let upstream = context.upstream(&agent);
    Ok(ValidEmbeddings {
        model: model.to_owned(),
        format,
        request: EmbeddingsRequest {
            upstream: upstream.map(|upstream| upstream.as_str().to_owned()),
            agent: agent.into_string(),
            authority: caller.authority(),
            model: model_override(headers)?,
            inputs,
            dimensions,
            traceparent: traceparent(headers),
        },
    })
}

#[cfg(test)]
mod tests;
