//! Open WebUI's background tasks.
//!
//! Open WebUI asks the model of a chat for titles, tags, follow-up questions, search queries
//! and more, and sends the id of the chat with these requests. In the session of the chat,
//! an agent would remember them as what the user said. Nothing in the request names the
//! task, unless the operator of Open WebUI sends its name in a custom header, so its
//! prompts are recognized by how they begin.
//!
//! Source: Open WebUI, `routers/tasks.py`, `utils/headers.py` and the prompts of `config.py`.

use tidegate_json::Member;

use crate::inbound::Headers;
use crate::openai::request::{ChatCompletionRequest, Content, Message};

/// A header with the name of the task: Open WebUI's custom header
/// `X-OpenWebUI-Task: {{TASK}}`, which is empty for the chat itself.
pub(super) const TASK_HEADER: &str = "x-openwebui-task";

/// The header that comes with the requests of a chat, and of its tasks.
const CHAT_HEADER: &str = "x-openwebui-chat-id";

/// How the prompts of tasks begin.
const PROMPTS: [&str; 3] = [
    "### Task:\n",
    "Your task is to reflect the speaker's likely facial expression through a fitting emoji",
    "You have been provided with a set of responses from various models to the latest user query",
];

/// Which session a background task has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BackgroundTasks {
    /// A session of its own.
    #[default]
    Fresh,
    /// The session of the chat.
    Chat,
}

/// Returns whether a request is a background task of Open WebUI: the only message of the
/// user is one of its prompts.
pub(super) fn is_background_task(request: &ChatCompletionRequest<'_>, headers: &Headers) -> bool {
    if headers.text(TASK_HEADER).is_some() {
        return true;
    }
    headers.text(CHAT_HEADER).is_some() && only_question(request).is_some_and(is_prompt)
}

/// Returns the message of a conversation that has one message besides instructions.
fn only_question<'r, 'de>(request: &'r ChatCompletionRequest<'de>) -> Option<&'r Message<'de>> {
    let role = |message: &Message<'_>| message.role.as_ok().map(|role| role.trim().to_owned());
    let messages = &request.messages.as_ok()?.list;
    let mut turns = messages
        .iter()
        .filter(|message| !matches!(role(message).as_deref(), Some("system" | "developer")));
    let question = turns.next()?;
    let is_only = turns.next().is_none() && role(question).as_deref() == Some("user");
    is_only.then_some(question)
}

fn is_prompt(message: &Message<'_>) -> bool {
    let Some(json) = message.content else {
        return false;
    };
    match tidegate_json::parse::<Content<'_>>(json.get()) {
        Ok(Member::Is(Content::Text(text))) => {
            let text = text.trim_start();
            PROMPTS.iter().any(|prompt| text.starts_with(prompt))
        }
        Ok(_) | Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const TITLE: &str = "### Task:\nGenerate a concise title.\n### Chat History:\n";

    fn is_task(header: (&'static str, &'static str), messages: &Value) -> bool {
        let body = json!({ "messages": messages }).to_string();
        let request: Member<ChatCompletionRequest<'_>> = tidegate_json::parse(&body).unwrap();
        is_background_task(&request.ok().unwrap(), &Headers::from([header]))
    }

    fn user(text: &str) -> Value {
        json!({ "role": "user", "content": text })
    }

    #[test]
    fn a_prompt_of_open_webui_is_a_task() {
        let system = json!({ "role": "system", "content": "be nice" });
        for prompt in PROMPTS.into_iter().chain([TITLE, " \n### Task:\nx"]) {
            assert!(
                is_task((CHAT_HEADER, "1"), &json!([user(prompt)])),
                "{prompt}"
            );
            let asked = json!([system, user(prompt)]);
            assert!(is_task((CHAT_HEADER, "1"), &asked), "{prompt}");
        }
        assert!(is_task(
            (TASK_HEADER, "title_generation"),
            &json!([user("hi")])
        ));
    }

    #[test]
    fn the_chat_itself_is_not_a_task() {
        let replied = json!({ "role": "assistant", "content": "hello" });
        for messages in [
            json!([user("hi")]),
            json!([user("Task: clean up")]),
            json!([user(TITLE), replied, user("more")]),
            json!([user("hi"), replied, user(TITLE)]),
            json!([replied]),
            json!([]),
            json!([{ "role": "user", "content": [{ "type": "text", "text": TITLE }] }]),
        ] {
            assert!(!is_task((CHAT_HEADER, "1"), &messages), "{messages}");
            assert!(!is_task((TASK_HEADER, " "), &messages), "{messages}");
        }
        assert!(!is_task(("x-conversation-id", "1"), &json!([user(TITLE)])));
    }
}
