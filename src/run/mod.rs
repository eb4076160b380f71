//! Validation: a caller's request becomes a run.
//!
//! A [`ValidRun`] proves that every check passed. The checks have OpenClaw's order:
//! the caller's headers, the types of all members, their values, agent and session,
//! tools, images and messages.
//!
//! ```text
//! reader       the body                   -> a valid run, by the reader of its API
//! chat         the reader of chat completions
//! members      types and values of the request's members
//! sampling     token limits, sampling, response format
//! target       model, `user` and headers  -> agent, session, model, channel
//! tools        `tools`, `tool_choice`     -> tools of the runtime interface
//! messages     `messages`, images, files  -> messages of the runtime interface
//! history      the messages that the session does not have yet
//! embeddings   a request for embeddings   -> a valid one
//! ```

mod background_task;
mod call;
mod call_id;
mod chat;
mod content;
mod context;
mod data_uri;
mod echo;
mod embeddings;
mod history;
mod images;
mod members;
mod messages;
mod mode;
mod place;
mod reader;
mod reply_form;
mod response_id;
mod responses;
mod rules;
mod sampling;
mod schema;
mod session;
mod session_key;
mod session_rules;
mod target;
mod text_file;
mod tool_names;
mod tools;
mod traceparent;
mod type_check;
mod valid_run;

pub use background_task::BackgroundTasks;
pub use call_id::client_call_id;
pub use context::RequestIds;
pub use embeddings::{ValidEmbeddings, VectorFormat};
pub use history::History;
pub use images::{ApiUrls, UrlPolicy};
pub use mode::Mode;
pub use reply_form::{Client, ReplyForm, ResponseForm};
pub use response_id::run_of_response;
pub use rules::RunRules;
pub use session_key::{SessionKey, SessionSecret};
pub use session_rules::{CONVERSATION_HEADERS, SessionRules};
pub use tool_names::{CUSTOM_INPUT, ClientTool, ToolKind, ToolNames};
pub use valid_run::ValidRun;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
