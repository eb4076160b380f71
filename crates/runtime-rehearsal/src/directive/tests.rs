//! Directives as they are written.

use super::*;

fn tool(name: &str, arguments: &str) -> Directive {
    Directive::Tool {
        name: name.to_owned(),
        arguments: arguments.to_owned(),
    }
}

fn tokens(count: u64, milliseconds: u64) -> Directive {
    let delay = Duration::from_millis(milliseconds);
    Directive::Tokens { count, delay }
}

#[test]
fn directives_are_read_with_their_arguments() {
    let seconds = Duration::from_secs;
    let cases = [
        ("/help", Directive::Help),
        ("/help me\nplease", Directive::Help),
        ("/request\r", Directive::Request),
        ("/tokens 5", tokens(5, 0)),
        ("/tokens 5  20ms\r", tokens(5, 20)),
        ("/bytes 1024", Directive::Bytes(1_024)),
        (
            "/tool get_weather {\"city\":\n \"Paris\"}",
            tool("get_weather", "{\"city\":\n \"Paris\"}"),
        ),
        ("/tool f", tool("f", "{}")),
        ("/tool f not json", tool("f", "not json")),
        ("/silence 30s", Directive::Silence(seconds(30))),
        ("/stall 5s\nignored", Directive::Stall(seconds(5))),
        ("/break", Directive::Break(3)),
        ("/break 0", Directive::Break(0)),
        ("/fail busy 3", Directive::Fail(RunError::Busy(Some(3)))),
    ];
    for (block, expected) in cases {
        assert_eq!(Directive::parse(block), Ok(expected), "{block:?}");
    }
}

#[test]
fn a_text_is_kept_exactly() {
    let cases = [
        ("/echo", ""),
        ("/echo ", ""),
        ("/echo  two  spaces ", " two  spaces "),
        ("/echo a\n\nb\n", "a\n\nb\n"),
        ("/echo\nbelow", "below"),
        ("/echo é\u{2028}\u{0}", "é\u{2028}\u{0}"),
    ];
    for (block, text) in cases {
        let expected = Directive::Echo(text.to_owned());
        assert_eq!(Directive::parse(block), Ok(expected), "{block:?}");
    }
}

#[test]
fn usage_takes_two_to_four_numbers() {
    let cases = [
        ("/usage 7 5", Some((None, None))),
        ("/usage 7 5 3", Some((Some(3), None))),
        ("/usage 7 5 3 2", Some((Some(3), Some(2)))),
        ("/usage 7", None),
        ("/usage 7 5 3 2 1", None),
        ("/usage 7 five", None),
    ];
    for (block, more) in cases {
        let expected = more.map(|(cached_input_tokens, reasoning_tokens)| {
            Directive::Usage(Usage {
                input_tokens: 7,
                output_tokens: 5,
                total_tokens: 12,
                cached_input_tokens,
                reasoning_tokens,
            })
        });
        assert_eq!(Directive::parse(block).ok(), expected, "{block}");
    }
}

#[test]
fn invalid_arguments_are_answered_with_the_usage() {
    let cases = [
        ("/tokens", "/tokens N [delay]"),
        ("/tokens five", "/tokens N [delay]"),
        ("/tokens 5 5", "/tokens N [delay]"),
        ("/tokens 99999999999999999999", "/tokens N [delay]"),
        ("/bytes -1", "/bytes N"),
        ("/silence", "/silence delay"),
        ("/silence long", "/silence delay"),
        ("/stall 5s 5s", "/stall delay"),
        ("/tool", "/tool name {json}"),
        ("/tool  ", "/tool name {json}"),
        ("/fail", "/fail kind [seconds]"),
        ("/fail sideways", "/fail kind [seconds]"),
        ("/fail busy soon", "/fail kind [seconds]"),
        ("/break some", "/break [N]"),
    ];
    for (block, usage) in cases {
        let expected = Err(DirectiveError::Arguments { usage });
        assert_eq!(Directive::parse(block), expected, "{block:?}");
    }
}

#[test]
fn only_listed_names_are_directives() {
    for (block, name) in [
        ("/", "/"),
        ("/HELP", "/HELP"),
        ("/helping", "/helping"),
        ("/usr/bin is a folder", "/usr/bin"),
    ] {
        let expected = Err(DirectiveError::Unknown(name.to_owned()));
        assert_eq!(Directive::parse(block), expected, "{block:?}");
    }
}

#[test]
fn every_listed_kind_of_failure_is_known() {
    let entry = ENTRIES.iter().find(|entry| entry.name() == "/fail");
    let meaning = entry.expect("there is /fail").meaning;
    let kinds = meaning.trim_start_matches("Fails: ").trim_end_matches('.');
    let kinds: Vec<_> = kinds.split(", ").flat_map(|k| k.split(" or ")).collect();
    assert_eq!(kinds.len(), 13);
    for kind in kinds {
        let read = Directive::parse(&format!("/fail {kind}"));
        assert!(matches!(read, Ok(Directive::Fail(_))), "{kind}");
    }
}

#[test]
fn the_documentation_lists_what_help_lists() {
    let documented: Vec<_> = include_str!("../lib.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//! | `"))
        .filter(|line| line.starts_with('/'))
        .collect();
    let listed: Vec<_> = ENTRIES
        .iter()
        .map(|entry| format!("{}` | {} |", entry.usage, entry.meaning))
        .collect();
    assert_eq!(documented, listed);
}
