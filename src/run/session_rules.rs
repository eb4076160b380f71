//! The operator's rules for sessions.

use super::background_task::BackgroundTasks;
use super::session_key::SessionSecret;

/// The headers that name a conversation by default: Open WebUI's, and the one in
/// LibreChat's documentation.
pub const CONVERSATION_HEADERS: [&str; 2] = ["x-openwebui-chat-id", "x-conversation-id"];

/// How the gateway derives session keys.
#[derive(Clone)]
pub struct SessionRules {
    /// The key of the hash. `None` means plain SHA-256.
    pub secret: Option<SessionSecret>,
    /// The headers that name a conversation. The first one in a request counts.
    pub conversation_headers: Vec<String>,
    /// Which session a background task of a chat has.
    pub background_tasks: BackgroundTasks,
}
