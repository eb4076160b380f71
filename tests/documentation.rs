//! The pages of `docs/` match the code: every documented key and fault exists, every
//! key under `tidegate` is documented, and every link has a target.

#![expect(clippy::expect_used, reason = "a missing value fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use runtime_openclaw::settings::AllSettings;
use tidegate::access::{Auth, Credentials, Keys, SecretDigest, UnixMillis};
use tidegate::agents::AgentId;
use tidegate::config::Config;
use tidegate::inbound::{Headers, Origin, Proxies};
use tidegate::run::{SessionKey, SessionSecret};
use tidegate_config::{Document, Faults, Secret};

const CONFIGURATION: &str = include_str!("../docs/configuration.md");
const TROUBLESHOOTING: &str = include_str!("../docs/troubleshooting.md");
const SESSIONS: &str = include_str!("../docs/sessions.md");
const MIGRATING: &str = include_str!("../docs/migrating-from-openclaw.md");

/// The members of every document, unless a test sets them.
const BASE: [(&str, &str); 3] = [
    ("gateway.auth.mode", "'none'"),
    ("gateway.http.endpoints.chatCompletions.enabled", "true"),
    ("agents.entries", "{ main: {} }"),
];

/// Returns the table rows of a page that begin with code, as cells without
/// backticks.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.map(|row| row.trim_matches('|').split(" | "));
    cells
        .map(|cells| {
            let bare = cells.map(|cell| cell.trim().trim_matches('`').trim());
            bare.collect()
        })
        .collect()
}

/// Returns the keys in the tables before the section on faults.
fn documented_keys() -> Vec<&'static str> {
    let (tables, _) = CONFIGURATION.split_once("## Faults").expect("the faults");
    let mut keys: Vec<_> = rows(tables)
        .into_iter()
        .flat_map(|row| row.into_iter().take(1))
        .collect();
    keys.retain(|key| key.contains('.'));
    keys
}

/// Returns the faults of a document in which `key` has this value.
fn faults(key: &str, value: &str) -> Vec<String> {
    let base = BASE.into_iter().filter(|(path, _)| !path.starts_with(key));
    // The gateway reads the keys of `trustedProxy` only in that mode.
    let base = base.map(|(path, value)| match path {
        "gateway.auth.mode" if key.starts_with("gateway.auth.trustedProxy") => {
            (path, "'trusted-proxy'")
        }
        _ => (path, value),
    });
    let entries: Vec<_> = base.chain([(key, value)]).collect();
    let text = object(&entries);
    let document = Document::parse(&text).expect("JSON5");
    let gateway = Config::read(&document).err().unwrap_or_default();
    let runtime = AllSettings::read(&document).err().unwrap_or_default();
    let Faults(all) = Faults([gateway.0, runtime.0].concat());
    all.iter().map(ToString::to_string).collect()
}

/// Writes an object with members at dotted paths.
fn object(entries: &[(&str, &str)]) -> String {
    let mut members = BTreeMap::<&str, Vec<_>>::new();
    for (path, value) in entries {
        let (name, below) = path.split_once('.').unwrap_or((path, ""));
        members.entry(name).or_default().push((below, *value));
    }
    let members = members.iter().map(|(name, below)| match below.as_slice() {
        [("", value)] => format!("{name}: {value}"),
        below => format!("{name}: {}", object(below)),
    });
    format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
}

/// Returns the faults of a document with a value at a documented key, and the path
/// that the faults name. The key may be in the items of a list.
fn faults_at(key: &str, value: &str) -> (String, Vec<String>) {
    match key.split_once("[].") {
        Some((list, name)) => (
            format!("{list}[0].{name}"),
            faults(list, &format!("[{}]", object(&[(name, value)]))),
        ),
        None => (key.to_owned(), faults(key, value)),
    }
}

#[test]
fn every_documented_key_is_read() {
    let keys = documented_keys();
    assert!(keys.len() > 30, "{keys:?}");
    for key in keys {
        // No key accepts both a number and a string.
        let is_reported = ["7", "'seven'"].into_iter().any(|wrong| {
            let (path, faults) = faults_at(key, wrong);
            let expected = format!("{path}: must be");
            faults.iter().any(|fault| fault.starts_with(&expected))
        });
        assert!(is_reported, "{key}");
    }
}

#[test]
fn the_page_on_migrating_names_every_api() {
    let begin = MIGRATING.split("##").next().expect("its begin");
    let paths = ["chat/completions", "responses", "embeddings"];
    for path in paths.map(|path| format!("`POST /v1/{path}`")) {
        assert!(begin.contains(&path), "{path}");
    }
}

#[test]
fn every_key_that_is_read_is_documented() {
    let documented = documented_keys();
    let own = documented.iter().filter(|key| key.starts_with("tidegate."));
    let sections = own.filter_map(|key| key.rsplit_once('.').map(|(section, _)| section));
    // Its keys are names.
    let sections = sections.filter(|section| *section != "tidegate.runtimes");
    for section in sections.collect::<BTreeSet<_>>() {
        let (path, faults) = faults_at(&format!("{section}.nonsense"), "7");
        let prefix = format!("{path}: is not a known key; the known keys are ");
        let known = faults.iter().find_map(|fault| fault.strip_prefix(&prefix));
        let known = known.unwrap_or_else(|| panic!("{section} accepts any key: {faults:?}"));
        for key in known.split(", ") {
            let path = format!("{section}.{key}");
            // A named runtime has the keys of the default one.
            let same = path.replace("runtimes.name", "runtime");
            let is_documented = [&path, &same].into_iter().any(|path| {
                let mut documented = documented.iter();
                documented.any(|known| known.strip_prefix(path).is_some_and(is_end_of_key))
            });
            assert!(is_documented, "{path} is not documented");
        }
    }
}

fn is_end_of_key(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('.') || rest.starts_with("[]")
}

#[test]
fn every_documented_fault_is_reported() {
    let (_, tables) = CONFIGURATION.split_once("## Faults").expect("the faults");
    let rows = rows(tables);
    assert!(rows.len() > 30, "{rows:?}");
    for row in rows {
        let [key, value, expected] = row.as_slice() else {
            panic!("{row:?}");
        };
        let faults = faults(key, value);
        assert!(
            faults.iter().any(|fault| fault == expected),
            "{row:?}: {faults:?}"
        );
    }
}

#[test]
fn the_published_session_keys_are_right() {
    let auth = Auth::Credentials {
        shared: Some(SecretDigest::of(&Secret::new("token"))),
        keys: Keys::default(),
    };
    let headers = Headers::from([("authorization", "Bearer token")]);
    let address = Proxies::default().client_address(&headers);
    let credentials = Credentials {
        headers: &headers,
        address: address.expect("an address"),
        origin: Origin::Absent,
    };
    let now = UnixMillis::default();
    let owner = auth.authenticate(&credentials, now).expect("the owner");
    let main = AgentId::parse("main").expect("an agent");
    for secret in [None, Some("0123456789abcdef")] {
        let hmac = secret.and_then(|secret| SessionSecret::new(&Secret::new(secret)));
        let key = SessionKey::of_user(&owner, &main, "alice", hmac.as_ref()).to_string();
        let (_, digits) = key.rsplit_once(':').expect("digits");
        let row = match secret {
            None => format!("| not set | `{digits}` |"),
            Some(secret) => format!("| `{secret}` | `{digits}` |"),
        };
        assert!(SESSIONS.contains(&row), "{row}");
    }
}

/// Returns every page of the repository.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![root.join("README.md")];
    let mut folders = ["docs", "deploy", "examples"]
        .map(|name| root.join(name))
        .to_vec();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages
}

/// Returns the targets of the links of a page, without links to other hosts.
fn links(page: &str) -> impl Iterator<Item = &str> {
    let targets = page.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://"))
}

/// Returns the anchor of a heading.
fn anchor(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = words
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_has_a_target() {
    let pages = pages();
    assert!(pages.len() > 3, "{pages:?}");
    for page in pages {
        let text = fs::read_to_string(&page).expect("a page");
        for link in links(&text) {
            let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().expect("a folder").join(file),
            };
            assert!(target.exists(), "{}: {link}", page.display());
            if fragment.is_empty() {
                continue;
            }
            let text = fs::read_to_string(&target).expect("a page");
            let mut headings = text.lines().filter(|line| line.starts_with('#'));
            assert!(
                headings.any(|heading| anchor(heading) == fragment),
                "{}: {link}",
                page.display()
            );
        }
    }
}

/// Returns the source of all components as one text, with continued string literals
/// joined.
fn sources() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = ["src", "crates"].map(|name| root.join(name)).to_vec();
    let mut sources = String::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(path).expect("a source");
                let mut lines = text.split("\\\n");
                sources.push_str(lines.next().unwrap_or_default());
                lines.for_each(|line| sources.push_str(line.trim_start()));
            }
        }
    }
    sources
}

#[test]
fn every_explained_message_is_in_the_code() {
    let sources = sources();
    let rows = rows(TROUBLESHOOTING);
    assert!(rows.len() > 20, "{rows:?}");
    let messages = rows.iter().filter_map(|row| row.first());
    for message in messages {
        let literal = message.trim_end_matches(" …").trim_end_matches('`');
        // Digits and `…` replace values, so only the text between them is in the code.
        let pieces = literal.split(|c: char| c == '…' || c.is_ascii_digit());
        let pieces: Vec<_> = pieces.filter(|piece| piece.trim().len() > 3).collect();
        assert!(!pieces.is_empty(), "{message} has no text");
        for piece in pieces {
            assert!(sources.contains(piece), "{message}: {piece:?}");
        }
    }
}
