//! The table of directives.

use tidegate_config::parse_duration;

use super::{Directive, parse};

/// A directive in the table.
pub(crate) struct Entry {
    /// The directive with its arguments.
    pub(crate) usage: &'static str,
    /// The effect on the run.
    pub(crate) meaning: &'static str,
    /// Parses the arguments.
    pub(super) parse: fn(&str) -> Option<Directive>,
}

impl Entry {
    /// Returns the name, with the slash.
    pub(super) fn name(&self) -> &'static str {
        parse::split_word(self.usage).0
    }
}

/// All directives, in the order of `/help`.
pub(crate) const ENTRIES: &[Entry] = &[
    Entry {
        usage: "/help",
        meaning: "Lists the directives.",
        parse: |_| Some(Directive::Help),
    },
    Entry {
        usage: "/echo text",
        meaning: "Says exactly this text, in one event.",
        parse: |text| Some(Directive::Echo(text.to_owned())),
    },
    Entry {
        usage: "/say text",
        meaning: "Says the text word by word, as agents do before a tool call.",
        parse: |text| Some(Directive::Say(text.to_owned())),
    },
    Entry {
        usage: "/request",
        meaning: "Says the request of the run, as JSON.",
        parse: |_| Some(Directive::Request),
    },
    Entry {
        usage: "/json",
        meaning: "Says a JSON object.",
        parse: |_| Some(Directive::Json),
    },
    Entry {
        usage: "/unicode",
        meaning: "Says text that encoders often corrupt: many scripts, emoji, quotes, control characters, markup.",
        parse: |_| Some(Directive::Unicode),
    },
    Entry {
        usage: "/tokens N [delay]",
        meaning: "Says N words, tok0 tok1 and so on, with the delay between them.",
        parse: parse::tokens,
    },
    Entry {
        usage: "/bytes N",
        meaning: "Says N bytes of filler, in events of 1 KiB.",
        parse: |text| parse::sole(text)?.parse().ok().map(Directive::Bytes),
    },
    Entry {
        usage: "/reasoning text",
        meaning: "Reasons the text, then continues.",
        parse: |text| Some(Directive::Reasoning(text.to_owned())),
    },
    Entry {
        usage: "/tool name {json}",
        meaning: "Calls the tool, with its arguments in four parts; several lines are parallel calls.",
        parse: parse::tool,
    },
    Entry {
        usage: "/silence delay",
        meaning: "Waits, then continues.",
        parse: |text| parse_duration(parse::sole(text)?).map(Directive::Silence),
    },
    Entry {
        usage: "/stall delay",
        meaning: "Says half of the echo, waits, and says the rest.",
        parse: |text| parse_duration(parse::sole(text)?).map(Directive::Stall),
    },
    Entry {
        usage: "/length",
        meaning: "Ends at a token limit.",
        parse: |_| Some(Directive::Length),
    },
    Entry {
        usage: "/filter",
        meaning: "Ends at a content filter.",
        parse: |_| Some(Directive::Filter),
    },
    Entry {
        usage: "/empty",
        meaning: "Ends without a reply.",
        parse: |_| Some(Directive::Empty),
    },
    Entry {
        usage: "/usage in out [cached [reasoning]]",
        meaning: "Reports these tokens instead of counting words.",
        parse: |text| parse::usage(text).map(Directive::Usage),
    },
    Entry {
        usage: "/nousage",
        meaning: "Reports no tokens.",
        parse: |_| Some(Directive::NoUsage),
    },
    Entry {
        usage: "/fail kind [seconds]",
        meaning: "Fails: invalid, not-found, too-large, unprocessable, unknown-agent, busy, \
                  unavailable, unreachable, denied, misconfigured, timed-out, tool-choice-unmet \
                  or failed.",
        parse: |text| parse::fail(text).map(Directive::Fail),
    },
    Entry {
        usage: "/break [N]",
        meaning: "Says N words (3 by default) and fails.",
        parse: parse::break_after,
    },
    Entry {
        usage: "/vanish",
        meaning: "Ends the stream without an outcome.",
        parse: |_| Some(Directive::Vanish),
    },
];
