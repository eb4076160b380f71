//! Scripts of requests.

use super::builder::{JSON, UNICODE, WORD_DELAY, halves};
use super::*;
use crate::conversation::tests::{message, request, said};
use crate::directive::ENTRIES;
use crate::types::{InvalidKind, Role, RunEvent, StopReason};

const ECHO_OF_HELLO: &str = "Agent main heard \"Hello\" (1 message, session agent:main:openai:1).";

/// Plays a message without a clock.
fn play(text: &str) -> (Vec<RunEvent>, Ending) {
    let script = Script::new(&said(text));
    let events = script.events().flat_map(|delayed| delayed.batch);
    (events.collect(), script.ending.clone())
}

/// Returns the text of the reply to a message.
fn answer(text: &str) -> String {
    let events = play(text).0.into_iter();
    let texts = events.filter_map(|event| match event {
        RunEvent::Text(text) => Some(text),
        _ => None,
    });
    texts.collect()
}

fn outcome(text: &str) -> RunOutcome {
    match play(text).1 {
        Ending::Outcome(Ok(outcome)) => outcome,
        ending => panic!("{text:?} ended with {ending:?}"),
    }
}

fn error(text: &str) -> RunError {
    match play(text).1 {
        Ending::Outcome(Err(error)) => error,
        ending => panic!("{text:?} ended with {ending:?}"),
    }
}

fn invalid(text: &str) -> String {
    match error(text) {
        RunError::Invalid(error) if error.kind == InvalidKind::Malformed => error.message,
        error => panic!("{text:?} failed with {error:?}"),
    }
}

#[test]
fn a_plain_message_is_echoed_word_by_word() {
    assert_eq!(answer("Hello"), ECHO_OF_HELLO);
    let script = Script::new(&said("Hello"));
    let first: Vec<_> = script.events().take(2).collect();
    let word = |delay, text: &str| DelayedEvents {
        delay,
        batch: vec![RunEvent::Text(text.to_owned())],
    };
    let expected = [word(Duration::ZERO, "Agent "), word(WORD_DELAY, "main ")];
    assert_eq!(first, expected);
}

#[test]
fn directives_determine_reply_and_ending() {
    let half = "Agent main heard \"Hello\" ";
    let cases = [
        ("Hello", StopReason::EndTurn, ECHO_OF_HELLO),
        ("/echo a  b\n\nc\n", StopReason::EndTurn, "a  b\n\nc\n"),
        ("\n /say one two", StopReason::EndTurn, "one two"),
        ("/say one\r\n/say two", StopReason::EndTurn, "onetwo"),
        ("/tokens 3 20ms", StopReason::EndTurn, "tok0 tok1 tok2"),
        ("/json", StopReason::EndTurn, JSON),
        ("/unicode", StopReason::EndTurn, UNICODE),
        ("/empty", StopReason::EndTurn, ""),
        ("/reasoning why\n/empty", StopReason::EndTurn, ""),
        ("/tool f", StopReason::ToolCalls, ""),
        ("/tool f\n/empty", StopReason::ToolCalls, ""),
        ("/tool f\n/length", StopReason::MaxTokens, ""),
        ("/say so\n/length", StopReason::MaxTokens, "so"),
        ("/filter\n/say so", StopReason::ContentFilter, "so"),
        ("/fail busy\n/say so\n/length", StopReason::MaxTokens, "so"),
    ];
    for (text, stop_reason, expected) in cases {
        assert_eq!(outcome(text).stop_reason, stop_reason, "{text:?}");
        assert_eq!(answer(text), expected, "{text:?}");
    }
    assert_eq!(halves(ECHO_OF_HELLO).0, half);
}

#[test]
fn the_text_of_json_is_valid() {
    let value: serde_json::Value = serde_json::from_str(JSON).expect("JSON");
    assert_eq!(value["quoted"], "say \"hé\"\n");
}

#[test]
fn a_script_without_a_reply_continues_with_the_echo() {
    for text in ["/silence 5s", "/reasoning hm", "/usage 1 2", "/nousage"] {
        assert!(answer(text).ends_with("agent:main:openai:1)."), "{text}");
    }
    for text in ["/length", "/filter"] {
        let answer = answer(text);
        assert!(answer.starts_with("Agent main heard"), "{answer}");
        assert!(!answer.ends_with('.'), "{answer}");
    }
}

#[test]
fn a_stall_is_in_the_middle_of_the_echo() {
    let script = Script::new(&said("/stall 5s"));
    let delays: Vec<_> = script.steps.iter().map(Step::is_reply).collect();
    assert_eq!(delays, [true, false, true]);
    assert_eq!(script.steps[1], Step::Pause(Duration::from_secs(5)));
    assert!(answer("/stall 5s").ends_with("agent:main:openai:1)."));
}

#[test]
fn calls_follow_the_text_and_have_unique_ids() {
    let text = "/say Look.\n/tool get_weather {\"city\":\"Paris\"}\n/tool get_time {}";
    let script = Script::new(&said(text));
    let call = |index, name: &str, arguments: &str| Step::Call {
        index,
        id: format!("call_a1b2c3d4e5f6_{index}"),
        name: name.to_owned(),
        arguments: arguments.to_owned(),
    };
    assert_eq!(
        script.steps,
        [
            Step::Words {
                text: "Look.".to_owned(),
                delay: WORD_DELAY
            },
            call(0, "get_weather", r#"{"city":"Paris"}"#),
            call(1, "get_time", "{}"),
        ]
    );
}

#[test]
fn results_of_tools_are_echoed_instead_of_the_script() {
    let messages = vec![
        message(Role::User, "/tool f"),
        message(Role::Tool, "/fail busy"),
    ];
    let script = Script::new(&request(messages));
    let Ending::Outcome(Ok(outcome)) = script.ending else {
        panic!("the run failed");
    };
    assert_eq!(outcome.stop_reason, StopReason::EndTurn);
}

#[test]
fn fail_has_no_events_and_break_has_some() {
    assert_eq!(play("/fail busy 3").0, []);
    assert_eq!(error("/fail busy 3"), RunError::Busy(Some(3)));
    assert_eq!(answer("/break"), "tok0 tok1 tok2");
    assert!(matches!(error("/break 2"), RunError::Failed(_)));
    assert_eq!(answer("/fail busy\n/say so"), "so");
    assert_eq!(play("/vanish"), (Vec::new(), Ending::NoOutcome));
}

#[test]
fn tokens_are_the_words_of_request_and_reply() {
    let usage = |text| outcome(text).usage.expect("tokens");
    let counted = usage("/tokens 5");
    assert_eq!((counted.input_tokens, counted.output_tokens), (2, 5));
    assert_eq!((counted.total_tokens, counted.reasoning_tokens), (7, None));
    let thought = usage("/reasoning one two\n/echo three");
    assert_eq!(thought.output_tokens, 3);
    assert_eq!(thought.reasoning_tokens, Some(2));
    assert_eq!(usage("/usage 7 5\n/say so").total_tokens, 12);
    assert_eq!(outcome("/nousage").usage, None);
}

#[test]
fn the_reply_to_an_unknown_directive_lists_all() {
    let answer = answer("/dance now");
    assert!(answer.starts_with("Unknown directive \"/dance\"."));
    assert_eq!(answer.lines().count(), ENTRIES.len() + 1);
    assert_eq!(outcome("/say so\n/dance").stop_reason, StopReason::EndTurn);
}

#[test]
fn a_script_beyond_a_limit_is_invalid() {
    let many = "/say a\n".repeat(101);
    let cases = [
        ("/tokens 100000", None),
        ("/tokens 100001", Some("100000 counted words")),
        ("/break 100001", Some("100000 counted words")),
        ("/tokens 60000\n/tokens 60000", Some("100000 counted words")),
        ("/bytes 100000000", None),
        ("/bytes 100000001", Some("100000000 bytes")),
        (
            "/bytes 18446744073709551615\n/bytes 1",
            Some("100000000 bytes"),
        ),
        ("/silence 1h", Some("3600 seconds")),
        ("/silence 1h\n/echo so", None),
        ("/silence 61m", Some("3600 seconds")),
        ("/tokens 100000 1h", Some("3600 seconds")),
        (&many, Some("100 directives")),
    ];
    for (text, limit) in cases {
        match limit {
            Some(limit) => assert!(invalid(text).contains(limit), "{text:?}"),
            None => assert_eq!(outcome(text).stop_reason, StopReason::EndTurn),
        }
    }
}

#[test]
fn invalid_arguments_are_answered_with_the_usage() {
    assert!(invalid("/tokens some").ends_with("/tokens N [delay]"));
    assert_eq!(play("/say so\n/tokens some").0, []);
}

#[test]
fn events_without_a_delay_share_a_batch() {
    let batches = |text| {
        let script = Script::new(&said(text));
        let batches = script.events();
        batches
            .map(|delayed| (delayed.delay.as_secs(), delayed.batch.len()))
            .collect::<Vec<_>>()
    };
    assert_eq!(batches("/tokens 130"), [(0, 64), (0, 64), (0, 2)]);
    assert_eq!(batches("/echo a\n/tokens 2\n/tool f"), [(0, 6)]);
    let pause = "/echo a\n/silence 1s\n/tokens 0\n/silence 1s\n/echo b\n/echo c";
    assert_eq!(batches(pause), [(0, 1), (2, 2)]);
    assert_eq!(batches("/tokens 2 1s"), [(0, 1), (1, 1)]);
}

#[test]
fn a_delay_after_the_last_event_comes_before_the_ending() {
    for (text, seconds) in [
        ("/echo a\n/silence 2s", 2),
        ("/silence 1s\n/silence 2s\n/empty", 3),
        ("/echo a\n/silence 2s\n/echo b", 0),
    ] {
        let delay = Script::new(&said(text)).final_delay();
        assert_eq!(delay.as_secs(), seconds, "{text}");
    }
}

#[test]
fn any_text_is_a_script_that_ends() {
    let fragments = [
        "/",
        "\n",
        "\r\n",
        " ",
        "/echo",
        "/say",
        "/tool",
        "/tokens",
        "/bytes",
        "/stall",
        "/fail",
        "/usage",
        "/break",
        "/silence",
        "/length",
        "/help",
        "/request",
        "busy",
        "0",
        "3",
        "70000",
        "18446744073709551615",
        "20ms",
        "1h",
        "99h",
        "é",
        "\u{2028}",
        "\u{0}",
        "{",
        "🙂",
        "",
    ];
    let mut state = 1_u64;
    let mut pick = |many: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).expect("31 bits") % many
    };
    for _ in 0..5_000 {
        let length = pick(12);
        let text: String = (0..length)
            .map(|_| fragments[pick(fragments.len())])
            .collect();
        let script = Script::new(&said(&text));
        assert!(script.steps.len() <= DIRECTIVE_LIMIT * 3, "{text:?}");
        assert_eq!(exceeded_limit(&script.steps), None, "{text:?}");
        assert!(script.events().count() < 250_000, "{text:?}");
    }
}
