//! The words of the documentation and of the comments: the field's own, used in
//! plain sentences.
//!
//! Text is counted without code spans, code blocks and questions. A rule allows a
//! share of a file's words, rounded up, and the same share of all words together.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails if a file or a word is missing"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Words that describe a thing instead of naming it.
struct Rule {
    /// Word sequences. `|` separates alternatives for one word.
    phrases: &'static [&'static str],
    /// The number of uses that 1,000 words may have.
    share: f64,
    /// What to write instead.
    advice: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        phrases: &["tell|tells|told|telling"],
        share: 0.5,
        advice: "name the action: return, report, send, log, distinguish",
    },
    Rule {
        phrases: &[
            "what|whatever is|are|was|were|has|have|had|comes|came|goes|follows|stands|counts|remains",
            "what it|they|he|she is|are|has|have",
        ],
        share: 0.5,
        advice: "use the noun",
    },
    Rule {
        phrases: &["none"],
        share: 1.5,
        advice: "name the value: `None`, no limit, nothing configured",
    },
    Rule {
        phrases: &["whoever|whom|nobody|somebody|beside"],
        share: 0.3,
        advice: "name the client, caller, operator or attacker",
    },
    Rule {
        phrases: &["stand|stands|stood|standing"],
        share: 0.3,
        advice: "is, lives, sits, appears; `x represents y`",
    },
    Rule {
        phrases: &[
            "the one that",
            "the ones that",
            "those that|who|of",
            "that of",
        ],
        share: 0.4,
        advice: "repeat the noun",
    },
    Rule {
        phrases: &["passed|pass|passes|passing over", "handed|hand|hands on"],
        share: 0.1,
        advice: "skip, ignore, forward",
    },
    Rule {
        phrases: &["let|lets|letting in", "comes|come in", "the word of"],
        share: 0.1,
        advice: "authenticate, admit, accept",
    },
    Rule {
        phrases: &[
            "picture|pictures",
            "for ever",
            "guesses|guessing at",
            "be it",
            "asks for it",
        ],
        share: 0.1,
        advice: "image, forever, brute force, whether",
    },
    Rule {
        phrases: &["the reference"],
        share: 0.05,
        advice: "OpenClaw",
    },
    Rule {
        phrases: &[
            "believe|believes|believed",
            "wish|wishes",
            "forgive|forgives",
            "forgets|forget",
        ],
        share: 0.1,
        advice: "programs trust, request, reset and drop",
    },
];

/// Folders that hold no text of the project's own.
const SKIPPED: [&str; 5] = ["target", "dist", "node_modules", ".git", ".spin"];

#[test]
fn the_text_uses_plain_words() {
    let texts = texts();
    assert!(texts.len() > 100, "{} files", texts.len());
    let words: usize = texts.iter().map(|(_, words)| words.len()).sum();
    let mut faults = Vec::new();
    for rule in RULES {
        let mut total = 0;
        for (path, words) in &texts {
            let uses = rule.uses(words);
            total += uses.len();
            if uses.len() > rule.allowed(words.len()) {
                let path = path.display();
                faults.push(format!("{path}: {}: {}", uses.join(", "), rule.advice));
            }
        }
        println!(
            "{:>5} of {:>3} {}",
            total,
            rule.allowed(words),
            rule.phrases[0]
        );
        if total > rule.allowed(words) {
            faults.push(format!("{total} times in all: {}", rule.phrases.join(", ")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

impl Rule {
    fn allowed(&self, words: usize) -> usize {
        (words as f64 * self.share / 1000.0).ceil() as usize
    }

    /// Returns every use, with the words around it.
    fn uses(&self, words: &[String]) -> Vec<String> {
        let at = |start: usize| {
            let rest = &words[start..];
            self.phrases.iter().any(|phrase| begins_with(rest, phrase))
        };
        let around = |start: usize| {
            let end = words.len().min(start + 4);
            format!("\"{}\"", words[start.saturating_sub(2)..end].join(" "))
        };
        (0..words.len())
            .filter(|start| at(*start))
            .map(around)
            .collect()
    }
}

fn begins_with(words: &[String], phrase: &str) -> bool {
    let phrase: Vec<&str> = phrase.split(' ').collect();
    let is = |(word, alternatives): (&String, &&str)| alternatives.split('|').any(|a| a == word);
    words.len() >= phrase.len() && words.iter().zip(&phrase).all(is)
}

/// Returns the words of every file that has text.
fn texts() -> Vec<(PathBuf, Vec<String>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.to_owned()];
    let mut texts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() {
                if !SKIPPED.iter().any(|skipped| name == *skipped) {
                    folders.push(path);
                }
            } else if let Some(text) = text(&path) {
                let path = path.strip_prefix(root).expect("a path below the root");
                texts.push((path.to_owned(), words(&text)));
            }
        }
    }
    texts.sort();
    texts
}

/// Returns the text of a page, or the comments of a source.
fn text(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    if name == "wording.rs" {
        return None;
    }
    let marker = match path.extension().and_then(|extension| extension.to_str()) {
        Some("md") => "",
        Some("rs" | "wit" | "mjs" | "json5") => "//",
        Some("toml" | "yaml" | "py" | "sh") => "#",
        None if name == "Dockerfile" || name == "run" => "#",
        _ => return None,
    };
    let content = fs::read_to_string(path).ok()?;
    Some(prose(&content, marker))
}

/// Returns the lines that begin with a marker, without code blocks. Text that
/// belongs to another block begins with a full stop.
fn prose(content: &str, marker: &str) -> String {
    let mut text = String::new();
    let mut in_code = false;
    for line in content.lines() {
        let Some(line) = line.trim_start().strip_prefix(marker) else {
            text.push_str(". ");
            continue;
        };
        let line = line.trim_start_matches(['/', '!', '#']).trim();
        if line.starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            text.push_str(if line.is_empty() { "." } else { line });
            text.push('\n');
        }
    }
    text
}

/// Returns the words in lower case, without those of code spans, link targets and
/// questions.
fn words(text: &str) -> Vec<String> {
    let plain = without(&without(text, "`", "`"), "](", ")");
    let mut words = Vec::new();
    let mut sentence = Vec::new();
    for word in plain.split_whitespace() {
        let ends = word.ends_with(['.', '?', '!', ':', ';', '|']);
        let is_question = word.trim_end_matches(['"', ')', '*', '|']).ends_with('?');
        let letters = word.trim_matches(|c: char| !c.is_alphanumeric());
        if !letters.is_empty() {
            sentence.push(letters.to_lowercase());
        }
        if is_question {
            sentence.clear();
        } else if ends {
            words.append(&mut sentence);
        }
    }
    words.append(&mut sentence);
    words
}

/// Replaces everything between two marks by a word that no rule has.
fn without(text: &str, begin: &str, end: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(begin) {
        let Some((_, after)) = after.split_once(end) else {
            break;
        };
        kept.push_str(before);
        kept.push_str("code");
        rest = after;
    }
    kept + rest
}

#[test]
fn code_and_questions_are_not_counted() {
    let page = "Say `none` here.\n```sh\ntell\n```\nWhat is a [run](tell.md)? None of it told.\n";
    let said = words(&prose(page, ""));
    assert_eq!(said.join(" "), "say code here none of it told");
    let source = "// Tells a\n// lie.\nlet told = 1;\n/// What is left\n";
    let said = words(&prose(source, "//"));
    assert_eq!(said.join(" "), "tells a lie what is left");
    assert_eq!(RULES[0].uses(&said), ["\"tells a lie what\""]);
    assert_eq!(RULES[1].uses(&said), ["\"a lie what is left\""]);
}
