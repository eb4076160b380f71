//! Scripts from requests, as a client would write them.

use super::draft::{JSON, UNICODE, WORD_DELAY, halves};
use super::*;
use crate::conversation::tests::{message, request, said};
use crate::directive::ENTRIES;
use crate::types::{InvalidKind, Role, RunEvent, StopReason};

const ECHO_OF_HELLO: &str = "Agent main heard \"Hello\" (1 message, session agent:main:openai:1).";

/// Plays the message of a user without a clock.
fn play(text: &str) -> (Vec<RunEvent>, Ending) {
    let script = Script::new(&said(text));
    let moves = script.moves().filter_map(|next| match next {
        Move::Tell(events) => Some(events),
        Move::Wait(_) => None,
    });
    (moves.flatten().collect(), script.ending.clone())
}

/// The text that is said in answer to a user's message.
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
        Ending::Told(Ok(outcome)) => outcome,
        ending => panic!("{text:?} ended with {ending:?}"),
    }
}

fn error(text: &str) -> RunError {
    match play(text).1 {
        Ending::Told(Err(error)) => error,
        ending => panic!("{text:?} ended with {ending:?}"),
    }
}

fn refusal(text: &str) -> String {
    match error(text) {
        RunError::Invalid(invalid) if invalid.kind == InvalidKind::Malformed => invalid.message,
        error => panic!("{text:?} failed with {error:?}"),
    }
}

#[test]
fn a_plain_message_is_echoed_word_by_word() {
    assert_eq!(answer("Hello"), ECHO_OF_HELLO);
    let script = Script::new(&said("Hello"));
    let first: Vec<_> = script.moves().take(3).collect();
    let tell = |text: &str| Move::Tell(vec![RunEvent::Text(text.to_owned())]);
    let expected = [tell("Agent "), Move::Wait(WORD_DELAY), tell("main ")];
    assert_eq!(first, expected);
}

#[test]
fn endings_and_answers_fit_the_directives() {
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
fn the_json_is_json() {
    let value: serde_json::Value = serde_json::from_str(JSON).expect("JSON");
    assert_eq!(value["quoted"], "say \"hé\"\n");
}

#[test]
fn a_script_without_an_answer_goes_on_with_the_echo() {
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
    let delays: Vec<_> = script.steps.iter().map(Step::answers).collect();
    assert_eq!(delays, [true, false, true]);
    assert_eq!(script.steps[1], Step::Wait(Duration::from_secs(5)));
    assert!(answer("/stall 5s").ends_with("agent:main:openai:1)."));
}

#[test]
fn prose_comes_before_the_calls_and_the_calls_have_their_own_names() {
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
fn results_of_tools_are_echoed_and_the_script_is_not_played_again() {
    let messages = vec![
        message(Role::User, "/tool f"),
        message(Role::Tool, "/fail busy"),
    ];
    let script = Script::new(&request(messages));
    let Ending::Told(Ok(outcome)) = script.ending else {
        panic!("the run failed");
    };
    assert_eq!(outcome.stop_reason, StopReason::EndTurn);
}

#[test]
fn a_failure_comes_before_any_event_and_a_break_after_some() {
    assert_eq!(play("/fail busy 3").0, []);
    assert_eq!(error("/fail busy 3"), RunError::Busy(Some(3)));
    assert_eq!(answer("/break"), "tok0 tok1 tok2");
    assert!(matches!(error("/break 2"), RunError::Failed(_)));
    assert_eq!(answer("/fail busy\n/say so"), "so");
    assert_eq!(play("/vanish"), (Vec::new(), Ending::Untold));
}

#[test]
fn tokens_are_the_words_that_were_read_and_written() {
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
fn an_unknown_directive_is_answered_with_the_list() {
    let answer = answer("/dance now");
    assert!(answer.starts_with("There is no directive \"/dance\"."));
    assert_eq!(answer.lines().count(), ENTRIES.len() + 1);
    assert_eq!(outcome("/say so\n/dance").stop_reason, StopReason::EndTurn);
}

#[test]
fn a_script_that_is_too_large_is_refused_with_its_limit() {
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
            Some(limit) => assert!(refusal(text).contains(limit), "{text:?}"),
            None => assert_eq!(outcome(text).stop_reason, StopReason::EndTurn),
        }
    }
}

#[test]
fn arguments_that_do_not_fit_are_refused_with_the_usage() {
    assert!(refusal("/tokens some").ends_with("/tokens N [delay]"));
    assert_eq!(play("/say so\n/tokens some").0, []);
}

#[test]
fn events_without_time_between_them_are_told_together() {
    let sizes = |text| {
        let script = Script::new(&said(text));
        let moves: Vec<_> = script.moves().collect();
        let sizes = moves.into_iter().map(|next| match next {
            Move::Tell(events) => events.len(),
            Move::Wait(_) => 0,
        });
        sizes.collect::<Vec<_>>()
    };
    assert_eq!(sizes("/tokens 130"), [64, 64, 2]);
    assert_eq!(sizes("/echo a\n/tokens 2\n/tool f"), [6]);
    assert_eq!(sizes("/echo a\n/silence 1s\n/echo b\n/echo c"), [1, 0, 2]);
    assert_eq!(sizes("/tokens 2 1s"), [1, 0, 1]);
}

#[test]
fn whatever_is_written_makes_a_script_that_ends() {
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
        assert_eq!(excess(&script.steps), None, "{text:?}");
        assert!(script.moves().count() < 250_000, "{text:?}");
    }
}
