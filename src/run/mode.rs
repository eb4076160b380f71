//! How the client wants its reply.

use serde::{Deserialize, Serialize};
use tidegate_json::Member;

use crate::openai::request::StreamOptions;

/// The mode of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// One JSON document at the end of the run.
    Whole,
    /// Server-sent events during the run.
    Streamed {
        /// Whether the stream ends with a chunk that has the usage.
        include_usage: bool,
    },
}

impl Mode {
    /// Reads `stream` alone.
    pub(super) fn of(stream: &Member<bool>) -> Self {
        match stream.as_ok() {
            Some(true) => Self::Streamed {
                include_usage: false,
            },
            Some(false) | None => Self::Whole,
        }
    }

    /// Reads `stream` and `stream_options`.
    pub(super) fn read(stream: &Member<bool>, options: &Member<StreamOptions>) -> Self {
        if stream.as_ok() != Some(&true) {
            return Self::Whole;
        }
        let include_usage = options
            .as_ok()
            .and_then(|options| options.include_usage.as_ok());
        Self::Streamed {
            include_usage: include_usage == Some(&true),
        }
    }
}
