//! `tidegate.session`.

use tidegate_config::Section;

use crate::run::{BackgroundTasks, CONVERSATION_HEADERS, History, SessionRules, SessionSecret};

const HISTORIES: [(&str, History); 2] = [("latest", History::Latest), ("full", History::Full)];

const BACKGROUND_TASKS: [(&str, BackgroundTasks); 2] = [
    ("fresh", BackgroundTasks::Fresh),
    ("chat", BackgroundTasks::Chat),
];

/// The minimum length of the secret, in bytes.
const SECRET_LENGTH: usize = 16;

/// Reads `tidegate.session`.
pub(super) fn read_session(session: &mut Section<'_>) -> (SessionRules, History) {
    let headers = session.texts("headers");
    let headers = headers.unwrap_or_else(|| CONVERSATION_HEADERS.map(str::to_owned).into());
    let rules = SessionRules {
        secret: read_secret(session),
        conversation_headers: headers,
        background_tasks: session
            .choice("backgroundTasks", &BACKGROUND_TASKS)
            .unwrap_or_default(),
    };
    let history = session.choice("history", &HISTORIES).unwrap_or_default();
    session.deny_unknown_keys();
    (rules, history)
}

fn read_secret(session: &mut Section<'_>) -> Option<SessionSecret> {
    let secret = session.secret("secret")?;
    if secret.expose().trim().len() < SECRET_LENGTH {
        session.fault(
            "secret",
            "must have at least 16 bytes, such as `openssl rand -hex 32`",
        );
        return None;
    }
    let key = SessionSecret::new(&secret);
    if key.is_none() {
        session.fault("secret", "cannot be used as an HMAC key");
    }
    key
}
