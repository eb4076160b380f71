//! The session of a request.

use uuid::Uuid;

use crate::access::Caller;
use crate::access::permissions::SESSION_HEADER;
use crate::agents::AgentId;
use crate::inbound::Headers;
use crate::rejection::Rejection;

use super::background_task::BackgroundTasks;
use super::session_key::{SessionKey, SessionSecret};

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

/// Selects the session of a request: the session header, else a conversation
/// header, else `user`, else a fresh session.
///
/// # Errors
/// An invalid session header.
pub(super) fn select(
    headers: &Headers,
    user: Option<&str>,
    caller: &Caller,
    agent: &AgentId,
    rules: &SessionRules,
    fresh: Uuid,
) -> Result<SessionKey, Rejection> {
    let secret = rules.secret.as_ref();
    if let Some(key) = headers.text(SESSION_HEADER) {
        let named = SessionKey::named(agent, key)?;
        return Ok(match caller.is_tenant() {
            true => named.of_tenant(caller, agent, secret),
            false => named,
        });
    }
    let user = user.map(str::trim).filter(|user| !user.is_empty());
    let mut names = rules.conversation_headers.iter();
    let conversation = names.find_map(|name| headers.text(name));
    Ok(match (conversation, user) {
        (Some(conversation), user) => {
            let user = user.unwrap_or_default();
            SessionKey::of_conversation(caller, agent, user, conversation, secret)
        }
        (None, Some(user)) => SessionKey::of_user(caller, agent, user, secret),
        (None, None) => SessionKey::fresh(agent, fresh),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Continuity;

    fn agent(id: &str) -> AgentId {
        AgentId::parse(id).unwrap()
    }

    fn of_user(caller: &str, id: &str, user: &str) -> String {
        SessionKey::of_user(&Caller::for_test(caller), &agent(id), user, None).to_string()
    }

    #[test]
    fn the_session_header_overrides_the_user_unless_it_is_blank() {
        let (caller, main) = (Caller::for_test("owner"), agent("main"));
        let rules = SessionRules {
            secret: None,
            conversation_headers: vec!["x-chat".to_owned()],
            background_tasks: BackgroundTasks::Fresh,
        };
        let choose = |header: &'static str, user| {
            let headers = Headers::from([(SESSION_HEADER, header)]);
            let key = select(&headers, user, &caller, &main, &rules, Uuid::nil());
            key.unwrap().to_string()
        };
        assert_eq!(choose("named", Some("alice")), "agent:main:named");
        assert_eq!(
            choose("  ", Some("alice")),
            of_user("owner", "main", "alice")
        );
        assert_eq!(
            choose("", Some(" alice ")),
            of_user("owner", "main", "alice")
        );
        let fresh = "agent:main:openai:00000000-0000-0000-0000-000000000000";
        assert_eq!(choose("", Some("  ")), fresh);
        assert_eq!(choose("", None), fresh);
    }

    #[test]
    fn each_user_has_conversations_of_its_own() {
        let (caller, main) = (Caller::for_test("owner"), agent("main"));
        let rules = SessionRules {
            secret: None,
            conversation_headers: vec!["x-a".to_owned(), "x-b".to_owned()],
            background_tasks: BackgroundTasks::Fresh,
        };
        let choose = |header, value: &'static str, user| {
            let headers = Headers::from([(header, value)]);
            select(&headers, user, &caller, &main, &rules, Uuid::nil()).unwrap()
        };
        let first = choose("X-A", "1", None);
        assert!(first.to_string().starts_with("agent:main:openai-chat:"));
        assert_eq!(first.continuity(), Continuity::Continued);
        assert_eq!(choose("x-b", " 1 ", None), first);
        assert_ne!(choose("x-a", "2", None), first);
        assert_ne!(choose("x-a", "1", Some("alice")), first);
        assert_eq!(choose("x-c", "1", None).continuity(), Continuity::Fresh);
        assert_eq!(
            choose("x-a", " ", Some("alice")),
            choose("x-c", "", Some("alice"))
        );
    }
}
