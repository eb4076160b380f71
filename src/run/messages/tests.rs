use tidegate_json::Member;

use super::*;
use crate::run::tests::rules;

const IMAGE: &str = r#"{"type":"image_url","image_url":{"url":"data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"}}"#;

fn read_within(json: &str, continuity: Continuity) -> Result<Vec<Message>, Rejection> {
    let sent: Member<Messages<'_>> = tidegate_json::parse(json).unwrap();
    messages(sent.ok().unwrap(), &rules(), continuity)
}

fn read(json: &str) -> Result<Vec<Message>, String> {
    read_within(json, Continuity::Fresh).map_err(|rejection| rejection.to_string())
}

/// Returns the path and the message of a rejection.
fn rejected(json: &str) -> (String, String) {
    match read_within(json, Continuity::Fresh) {
        Err(Rejection::Invalid {
            param: Some(param),
            message,
        }) => (param.into_owned(), message),
        other => panic!("{json}: {other:?}"),
    }
}

fn part_summary(part: &ContentPart) -> String {
    match part {
        ContentPart::Text(text) => text.clone(),
        ContentPart::Image(image) => format!("<{}>", image.media_type),
        ContentPart::ImageUrl(url) => format!("<{url}>"),
    }
}

fn summary(json: &str) -> Vec<String> {
    summary_of(&read(json).unwrap())
}

fn summary_of(messages: &[Message]) -> Vec<String> {
    let summaries = messages.iter().map(|message| {
        let parts: Vec<_> = message.content.iter().map(part_summary).collect();
        let calls = message.tool_calls.iter();
        let calls: Vec<_> = calls
            .map(|c| format!("{}={}({})", c.id, c.name, c.arguments))
            .collect();
        let ids = [&message.tool_call_id, &message.name];
        let ids: Vec<_> = ids.into_iter().flatten().cloned().collect();
        format!(
            "{:?} {} {} {}",
            message.role,
            parts.join("|"),
            calls.join(","),
            ids.join(",")
        )
    });
    summaries.map(|text| text.trim_end().to_owned()).collect()
}

#[test]
fn every_role_is_read() {
    let json = r#"[{"role":"system","content":"s"},{"role":"developer","content":"d"},
        {"role":" user ","content":"u"},{"role":"assistant","content":"a"},
        {"role":"tool","tool_call_id":"c1","content":"t"},{"role":"function","name":"f","content":null}]"#;
    assert_eq!(
        summary(json),
        [
            "Role::System s",
            "Role::Developer d",
            "Role::User u",
            "Role::Assistant a",
            "Role::Tool t  c1",
            "Role::Tool   f"
        ]
    );
}

#[test]
fn messages_without_content_are_skipped() {
    let json = r#"[{"role":"user"},{"role":"user","content":null},{"role":"user","content":"  "},
        {"role":"user","content":[]},{"role":"user","content":[{"type":"text","text":""}]},
        {"role":"assistant","content":null,"tool_calls":[],"function_call":null,"refusal":null},
        {"role":"assistant","content":"[assistant turn failed before producing content]","stopReason":"error"},
        {"role":"tool","content":""},{"role":"user","content":" kept \n"}]"#;
    assert_eq!(summary(json), ["Role::User  kept"]);
}

#[test]
fn an_item_that_is_no_message_is_rejected_at_its_place() {
    for (item, param, problem) in [
        ("null", "messages[1]", "not null"),
        ("1", "messages[1]", "not a number"),
        (r#""x""#, "messages[1]", "not a string"),
        ("[]", "messages[1]", "not an array"),
        ("{}", "messages[1].role", "is missing"),
        (r#"{"content":"x"}"#, "messages[1].role", "is missing"),
        (
            r#"{"role":1,"content":"x"}"#,
            "messages[1].role",
            "is missing",
        ),
        (r#"{"role":"User"}"#, "messages[1].role", "`User`"),
        (
            r#"{"role":"narrator","content":"x"}"#,
            "messages[1].role",
            "`narrator`",
        ),
    ] {
        let json = format!(r#"[{{"role":"user","content":"hi"}},{item},{{"role":"x"}}]"#);
        let (path, message) = rejected(&json);
        assert_eq!(path, param, "{item}");
        assert!(message.contains(problem), "{item}: {message}");
    }
    let (_, message) = rejected(r#"[{"role":"narrator"}]"#);
    assert!(message.contains("`system`, `developer`, `user`, `assistant`, `tool` or `function`"));
}

#[test]
fn parts_of_text_are_kept_in_order() {
    let json = r#"[{"role":"user","content":[{"type":"text","text":"a"},{"type":"input_text","text":"b"},
        {"type":"input_text","input_text":"c"},{"type":"weird","input_text":"d"},{"type":"text","text":""},
        {"type":"output_text","text":"e"},{"type":"refusal","refusal":"f"}]}]"#;
    assert_eq!(summary(json), ["Role::User a|b|c|d|e|f"]);
}

#[test]
fn a_part_that_cannot_be_used_is_rejected_by_its_place_and_type() {
    for (part, problem) in [
        (
            r#"{"type":"input_audio","input_audio":{}}"#,
            "`input_audio`",
        ),
        (r#"{"type":"video_url","video_url":{}}"#, "`video_url`"),
        (r#"{"type":"image","source":{}}"#, "`image`"),
        (r#"{"type":"tool_result"}"#, "`tool_result`"),
        (r#"{"type":"text"}"#, "has no `text`"),
        (r#"{"type":"text","text":5}"#, "has no `text`"),
        (r#"{"type":"refusal"}"#, "has no `refusal`"),
        (r#"{"type":"file"}"#, "has no `file`"),
        (r#"{"type":"file","file":{"file_id":"f"}}"#, "`file_data`"),
        (r#"{"type":"input_file","file_id":"f"}"#, "`file_data`"),
        (r#"{"text":"x"}"#, "must be an object with a `type`"),
        (
            r#"{"type":null,"text":"x"}"#,
            "must be an object with a `type`",
        ),
        ("5", "must be an object with a `type`"),
        ("null", "must be an object with a `type`"),
        (r#""x""#, "must be an object with a `type`"),
    ] {
        for role in ["user", "system", "assistant"] {
            let text = r#"{"type":"text","text":"see"}"#;
            let json = format!(
                r#"[{{"role":"user","content":"q"}},{{"role":"{role}","content":[{text},{part}]}}]"#
            );
            let (path, message) = rejected(&json);
            assert_eq!(path, "messages[1].content[1]", "{role} {part}");
            assert!(message.contains(problem), "{part}: {message}");
        }
    }
}

#[test]
fn content_of_another_type_is_rejected() {
    for (content, kind) in [
        ("7", "a number"),
        ("true", "a boolean"),
        ("{}", "an object"),
    ] {
        for role in ["user", "system", "developer", "assistant"] {
            let (path, message) =
                rejected(&format!(r#"[{{"role":"{role}","content":{content}}}]"#));
            assert_eq!(path, "messages[0].content");
            assert!(message.contains(kind), "{message}");
        }
    }
}

#[test]
fn a_text_file_is_a_message() {
    let file = r#"{"file_data":"data:text/csv;base64,YSxiCg==","filename":"t.csv"}"#;
    for part in [
        format!(r#"{{"type":"file","file":{file}}}"#),
        file.replacen('{', r#"{"type":"input_file","#, 1),
    ] {
        let json = format!(r#"[{{"role":"user","content":[{part}]}}]"#);
        assert_eq!(summary(&json), ["Role::User [file: t.csv]\na,b"], "{part}");
    }
}

#[test]
fn white_space_of_a_text_is_kept() {
    let text = "  def f():\n    return 1\n";
    for role in ["user", "system", "assistant", "tool"] {
        let message = serde_json::json!({ "role": role, "content": text, "tool_call_id": "c" });
        let asked = serde_json::json!([message, { "role": "user", "content": "q" }]);
        let read = read(&asked.to_string()).unwrap();
        assert_eq!(
            read[0].content,
            [ContentPart::Text(text.to_owned())],
            "{role}"
        );
    }
}

#[test]
fn the_result_of_a_tool_may_be_any_json() {
    for (content, text) in [
        (r#""t""#, "t"),
        (
            r#"[{"type":"text","text":"a"},{"type":"text","text":"b"}]"#,
            "a|b",
        ),
        (r#"{ "a": 1 }"#, r#"{"a":1}"#),
        ("[1, 2]", "[1,2]"),
        (
            r#"[{"type":"text","text":"a"}, 5]"#,
            r#"[{"type":"text","text":"a"},5]"#,
        ),
        (r#"[{"name":"x"}]"#, r#"[{"name":"x"}]"#),
        (r#"[{"type":5}]"#, r#"[{"type":5}]"#),
        ("7", "7"),
        ("true", "true"),
        ("null", ""),
        (r#""""#, ""),
        ("[]", ""),
    ] {
        for message in [
            r#"{"role":"tool","tool_call_id":"c1","content":"#,
            r#"{"role":"function","name":"c1","content":"#,
        ] {
            let json = format!("[{message}{content}}}]");
            assert_eq!(summary(&json), [format!("Role::Tool {text}  c1")], "{json}");
        }
    }
    let unknown = r#"[{"role":"tool","tool_call_id":"c","content":[{"type":"input_audio"}]}]"#;
    assert_eq!(rejected(unknown).0, "messages[0].content[0]");
}

#[test]
fn calls_of_the_older_api_are_tool_calls() {
    let json = r#"[{"role":"user","content":"q"},
        {"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},
        {"role":"function","name":"f","content":"1"},
        {"role":"assistant","content":null,"function_call":{"name":"f","arguments":"[]"}},
        {"role":"function","name":"f","content":"2"},
        {"role":"function","name":"f","content":"3"}]"#;
    assert_eq!(
        summary(json),
        [
            "Role::User q",
            "Role::Assistant  call_1=f({})",
            "Role::Tool 1  call_1,f",
            "Role::Assistant  call_3=f([])",
            "Role::Tool 2  call_3,f",
            "Role::Tool 3  f",
        ]
    );
    for call in [r#"{"arguments":"{}"}"#, r#"{"name":" "}"#, "5"] {
        let json = format!(r#"[{{"role":"assistant","function_call":{call}}}]"#);
        assert_eq!(rejected(&json).0, "messages[0].function_call", "{call}");
    }
}

#[test]
fn an_assistants_refusal_is_text_and_its_speech_is_rejected() {
    let refused =
        r#"[{"role":"user","content":"q"},{"role":"assistant","content":null,"refusal":"no"}]"#;
    assert_eq!(summary(refused), ["Role::User q", "Role::Assistant no"]);
    let spoken = r#"[{"role":"assistant","content":null,"audio":{"id":"a"}}]"#;
    assert_eq!(rejected(spoken).0, "messages[0].audio");
}

#[test]
fn an_assistants_calls_keep_their_arguments() {
    let json = r#"[{"role":"user","content":"q"},{"role":"assistant","content":null,"tool_calls":[
        {"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},
        {"id":"c2","function":{"name":"g","arguments":{"b": 2}}},
        {"id":"c3","function":{"name":"h"}},
        {"id":"c4","function":{"name":"i","arguments":[1, "a \" b"]}},
        {"id":"c5","function":{"name":"j","arguments":1.5}},
        {"id":"c6","function":{"name":"k","arguments":null}}]}]"#;
    assert_eq!(
        summary(json).last().unwrap(),
        r#"Role::Assistant  c1=f({"a":1}),c2=g({"b":2}),c3=h(),c4=i([1,"a \" b"]),c5=j(1.5),c6=k()"#
    );
}

#[test]
fn a_call_that_cannot_be_carried_is_rejected_at_its_place() {
    for call in [
        r#"{"id":"","function":{"name":"x"}}"#,
        r#"{"function":{"name":"x"}}"#,
        r#"{"id":"c"}"#,
        r#"{"id":"c","function":{"name":" "}}"#,
        r#"{"id":"c","type":"custom","custom":{"name":"x","input":""}}"#,
        "null",
        "5",
    ] {
        let good = r#"{"id":"c0","type":"function","function":{"name":"f"}}"#;
        let json = format!(r#"[{{"role":"assistant","tool_calls":[{good},{call}]}}]"#);
        assert_eq!(rejected(&json).0, "messages[0].tool_calls[1]", "{call}");
    }
    let (path, _) = rejected(r#"[{"role":"assistant","tool_calls":{}}]"#);
    assert_eq!(path, "messages[0].tool_calls");
}

#[test]
fn images_are_forwarded_unless_the_session_has_them() {
    let image = IMAGE;
    let said = |role: &str, text: &str| {
        format!(r#"{{"role":"{role}","content":[{{"type":"text","text":"{text}"}},{image}]}}"#)
    };
    let replied = r#"{"role":"assistant","content":"r"}"#;
    let json = format!(
        "[{},{replied},{},{},{}]",
        said("user", "a"),
        said("user", "b"),
        said("tool", "c"),
        said("user", "d")
    );
    let all = summary(&json);
    let image = "<image/gif>";
    let new = [
        format!("Role::User b|{image}"),
        format!("Role::Tool c|{image}"),
        format!("Role::User d|{image}"),
    ];
    assert_eq!(all[0], format!("Role::User a|{image}"));
    assert_eq!(all[2..], new);
    let continued = summary_of(&read_within(&json, Continuity::Continued).unwrap());
    assert_eq!(continued[0], "Role::User a");
    assert_eq!(continued[2..], new);
}

#[test]
fn only_users_and_tools_send_images() {
    for role in ["system", "developer", "assistant"] {
        let json = format!(r#"[{{"role":"{role}","content":[{IMAGE}]}}]"#);
        let (path, message) = rejected(&json);
        assert_eq!(path, "messages[0].content[0]");
        assert!(message.contains(role), "{message}");
    }
}

#[test]
fn the_images_of_all_messages_count() {
    let message = format!(r#"{{"role":"user","content":[{IMAGE}]}}"#);
    let of = |count: usize| format!("[{}]", vec![message.as_str(); count].join(","));
    assert_eq!(summary(&of(8)).len(), 8);
    assert_eq!(rejected(&of(9)).0, "messages[8].content[0]");
}

#[test]
fn an_image_without_a_url_is_rejected() {
    for member in [
        "",
        r#","image_url":null"#,
        r#","image_url":5"#,
        r#","image_url":[]"#,
        r#","image_url":{}"#,
        r#","image_url":{"url":5}"#,
    ] {
        let part = format!(r#"{{"type":"image_url"{member}}}"#);
        let text = r#"{"type":"text","text":"see"}"#;
        let asked = format!(r#"{{"role":"user","content":[{text},{part}]}}"#);
        let refused = read(&format!("[{asked}]")).unwrap_err();
        let start = "Invalid image_url content";
        assert!(refused.starts_with(start), "{part}: {refused}");
    }
}

#[test]
fn a_conversation_of_instructions_alone_is_rejected() {
    for json in [
        "[]",
        r#"[{"role":"system","content":"be nice"}]"#,
        r#"[{"role":"user","content":""}]"#,
    ] {
        assert_eq!(
            read(json).unwrap_err(),
            "Missing user message in `messages`.",
            "{json}"
        );
    }
    assert!(read(r#"[{"role":"assistant","content":"only me"}]"#).is_ok());
}
