//! The session of a request.

use crate::access::permissions::SESSION_HEADER;
use crate::agents::AgentId;
use crate::rejection::Rejection;

use super::context::Context;
use super::session_key::SessionKey;

/// Selects the session of a request: the session header, else the conversation in the body
/// or a header, else `user`, else a fresh session.
///
/// # Errors
/// An invalid session header, and a header that names another conversation than the body.
pub(super) fn select(
    agent: &AgentId,
    conversation: Option<&str>,
    user: Option<&str>,
    context: &Context<'_>,
) -> Result<SessionKey, Rejection> {
    let Context {
        headers, caller, ..
    } = *context;
    let rules = &context.rules.sessions;
    let secret = rules.secret.as_ref();
    let mut names = rules.conversation_headers.iter();
    let header = names.find_map(|name| headers.text(name));
    if let (Some(conversation), Some(header)) = (conversation, header)
        && conversation != header
    {
        return Err(Rejection::invalid(
            "conversation",
            "`conversation` and the header that names a conversation have different values.",
        ));
    }
    if let Some(key) = headers.text(SESSION_HEADER) {
        let named = SessionKey::named(agent, key)?;
        return Ok(match caller.is_tenant() {
            true => named.of_tenant(caller, agent, secret),
            false => named,
        });
    }
    let user = user.map(str::trim).filter(|user| !user.is_empty());
    Ok(match (conversation.or(header), user) {
        (Some(conversation), user) => {
            let user = user.unwrap_or_default();
            SessionKey::of_conversation(caller, agent, user, conversation, secret)
        }
        (None, Some(user)) => SessionKey::of_user(caller, agent, user, secret),
        (None, None) => SessionKey::fresh(agent, context.ids.session),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Caller;
    use crate::inbound::Headers;
    use crate::run::context::RequestIds;
    use crate::run::rules::RunRules;
    use crate::run::tests::rules;
    use crate::runtime::Continuity;

    fn agent(id: &str) -> AgentId {
        AgentId::parse(id).unwrap()
    }

    fn rules_with(headers: &[&str]) -> RunRules {
        let mut rules = rules();
        rules.sessions.conversation_headers = headers.iter().copied().map(str::to_owned).collect();
        rules
    }

    fn context<'c>(headers: &'c Headers, caller: &'c Caller, rules: &'c RunRules) -> Context<'c> {
        Context {
            headers,
            caller,
            rules,
            ids: RequestIds::default(),
        }
    }

    fn of_user(caller: &str, id: &str, user: &str) -> String {
        SessionKey::of_user(&Caller::for_test(caller), &agent(id), user, None).to_string()
    }

    #[test]
    fn the_session_header_overrides_the_user_unless_it_is_blank() {
        let (caller, main) = (Caller::for_test("owner"), agent("main"));
        let rules = rules_with(&["x-chat"]);
        let choose = |header: &'static str, user| {
            let headers = Headers::from([(SESSION_HEADER, header)]);
            let context = context(&headers, &caller, &rules);
            select(&main, None, user, &context).unwrap().to_string()
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
        let rules = rules_with(&["x-a", "x-b"]);
        let choose = |header, value: &'static str, user| {
            let headers = Headers::from([(header, value)]);
            select(&main, None, user, &context(&headers, &caller, &rules)).unwrap()
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
