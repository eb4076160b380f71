use super::*;

const IMAGE: &str = r#"{"type":"image_url","image_url":{"url":"data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"}}"#;

fn read(json: &str) -> Result<Vec<Message>, String> {
    let sent: Member<Messages<'_>> = tidegate_json::parse(json).unwrap();
    messages(sent.ok().unwrap(), &UrlPolicy::Refuse).map_err(|rejection| rejection.to_string())
}

fn part_summary(part: &ContentPart) -> String {
    match part {
        ContentPart::Text(text) => text.clone(),
        ContentPart::Image(image) => format!("<{}>", image.media_type),
        ContentPart::ImageUrl(url) => format!("<{url}>"),
    }
}

fn summary(json: &str) -> Vec<String> {
    let messages = read(json).unwrap();
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
    let json = r#"[null,1,"x",{},{"content":"x"},{"role":"User","content":"x"},{"role":"narrator","content":"x"},
        {"role":"user","content":null},{"role":"user","content":7},{"role":"user","content":"  "},
        {"role":"user","content":[]},{"role":"user","content":[{"type":"input_audio"}]},
        {"role":"assistant","content":"[assistant turn failed before producing content]","stopReason":"error"},
        {"role":"tool","content":""},{"role":"tool","tool_call_id":"c","content":null},
        {"role":"tool","tool_call_id":"c","content":[{"type":"input_audio"}]},
        {"role":"user","content":" kept \n"}]"#;
    assert_eq!(summary(json), ["Role::User kept"]);
}

#[test]
fn parts_of_text_are_kept_in_order() {
    let json = r#"[{"role":"user","content":[{"type":"text","text":"a"},{"type":"input_text","text":"b"},
        {"type":"input_text","input_text":"c"},{"type":"weird","input_text":"d"},{"type":"text","text":""},
        {"type":"file","file":{}},5]}]"#;
    assert_eq!(summary(json), ["Role::User a|b|c|d"]);
}

#[test]
fn white_space_is_kept_between_texts_only() {
    let parts = |texts: &[&str]| {
        let parts = texts.iter().map(|text| match *text {
            "<image>" => IMAGE.to_owned(),
            text => serde_json::json!({ "type": "text", "text": text }).to_string(),
        });
        parts.collect::<Vec<_>>().join(",")
    };
    let cases: [(&[&str], &str); 7] = [
        (&["def f():\n", "    return 1 "], "def f():\n|    return 1"),
        (&["a", "  ", "", "b"], "a|  |b"),
        (&[" \n", "", " a ", " b\t", "\n"], "a | b"),
        (&["  a  "], "a"),
        (&["\u{a0}", "a"], "a"),
        (
            &[" ", "<image>", " a ", "<image>", " "],
            "<image/gif>|a|<image/gif>",
        ),
        (&[" ", "<image>"], "<image/gif>"),
    ];
    for (texts, expected) in cases {
        let said = |role: &str| {
            let content = parts(texts);
            format!(r#"{{"role":"{role}","content":[{content}],"tool_call_id":"c"}}"#)
        };
        let expected = format!("Role::User {expected}");
        assert_eq!(
            summary(&format!("[{}]", said("user"))),
            [expected],
            "{texts:?}"
        );
        if texts.contains(&"<image>") {
            continue;
        }
        for role in ["system", "assistant", "tool"] {
            let messages = read(&format!("[{},{}]", said(role), said("user"))).unwrap();
            assert_eq!(
                messages[0].content, messages[1].content,
                "{role}: {texts:?}"
            );
        }
    }
}

#[test]
fn an_assistants_calls_keep_their_arguments() {
    let json = r#"[{"role":"user","content":"q"},{"role":"assistant","content":null,"tool_calls":[
        {"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},
        {"id":"c2","function":{"name":"g","arguments":{"b": 2}}},
        {"id":"c3","function":{"name":"h"}},
        {"id":"c4","function":{"name":"i","arguments":[1, "a \" b"]}},
        {"id":"c5","function":{"name":"j","arguments":1.5}},
        {"id":"c6","function":{"name":"k","arguments":null}},
        {"id":"","function":{"name":"x"}},{"function":{"name":"x"}},{"id":"c7"},null]}]"#;
    assert_eq!(
        summary(json).last().unwrap(),
        r#"Role::Assistant  c1=f({"a":1}),c2=g({"b":2}),c3=h(),c4=i([1,"a \" b"]),c5=j(1.5),c6=k()"#
    );
}

#[test]
fn an_empty_result_counts_if_it_names_its_call() {
    for content in [r#""""#, "[]"] {
        let json = format!(r#"[{{"role":"tool","tool_call_id":"c1","content":{content}}}]"#);
        assert_eq!(summary(&json), ["Role::Tool   c1"], "{content}");
    }
}

#[test]
fn only_the_message_that_asks_may_have_images() {
    let image = IMAGE;
    let ask = |text: &str| {
        format!(r#"{{"role":"user","content":[{{"type":"text","text":"{text}"}},{image}]}}"#)
    };
    let two = format!("[{},{}]", ask("old"), ask("new"));
    assert_eq!(
        summary(&two),
        ["Role::User old", "Role::User new|<image/gif>"]
    );
    let then_tool = format!(r#"[{},{{"role":"tool","content":"t"}}]"#, ask("old"));
    assert_eq!(summary(&then_tool), ["Role::User old", "Role::Tool t"]);
    let alone =
        format!(r#"[{{"role":"user","content":[{image}]}},{{"role":"assistant","content":"a"}}]"#);
    assert_eq!(
        summary(&alone),
        ["Role::User <image/gif>", "Role::Assistant a"]
    );
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
        let earlier = format!(r#"[{asked},{{"role":"user","content":"x"}}]"#);
        assert_eq!(
            summary(&earlier),
            ["Role::User see", "Role::User x"],
            "{part}"
        );
    }
}

#[test]
fn a_conversation_of_instructions_alone_is_rejected() {
    for json in [
        "[]",
        "[{}]",
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
