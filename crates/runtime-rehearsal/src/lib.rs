//! A runtime that answers by script, with no network and no key.
//!
//! A plain message is echoed word by word, with the agent and the session that
//! it reached. A message that begins with `/` is a script, a directive a line:
//!
//! | directive | what the run does |
//! |---|---|
//! | `/help` | Lists the directives. |
//! | `/echo text` | Says exactly that text, in one event. |
//! | `/say text` | Says the text word by word, as an agent does before it calls a tool. |
//! | `/request` | Says the whole request that arrived, as JSON. |
//! | `/json` | Says a JSON object. |
//! | `/unicode` | Says what is hard to carry: many scripts, emoji, quotes, control characters, markup. |
//! | `/tokens N [delay]` | Says N words, tok0 tok1 and so on, with the delay between them. |
//! | `/bytes N` | Says N bytes, in pieces of 1 KiB. |
//! | `/reasoning text` | Thinks the text, then goes on. |
//! | `/tool name {json}` | Calls the tool, its arguments in four pieces; several lines are parallel calls. |
//! | `/silence delay` | Says nothing for that long, then goes on. |
//! | `/stall delay` | Says half of the echo, nothing for that long, then the rest. |
//! | `/length` | Ends as an answer that was cut at a limit of tokens. |
//! | `/filter` | Ends as an answer of which a filter kept the rest back. |
//! | `/empty` | Ends well and says nothing. |
//! | `/usage in out [cached [reasoning]]` | Reports these tokens instead of counting words. |
//! | `/nousage` | Reports no tokens. |
//! | `/fail kind [seconds]` | Fails: invalid, not-found, too-large, unprocessable, unknown-agent, busy, unavailable, unreachable, denied, misconfigured, timed-out, tool-choice-unmet or failed. |
//! | `/break [N]` | Says N words, three if there is no N, and breaks. |
//! | `/vanish` | Ends the stream and never tells an outcome. |
//!
//! Directives are played in their order, so that `/say Let me look.` and
//! `/tool get_weather {"city":"Paris"}` make prose and then a call. What the run
//! ends with comes last wherever it stands, and of two endings the later one
//! counts. A script that ends well and says nothing by itself goes on with the
//! echo (`/silence 5s`); before `/length` and `/filter` that is half of it.
//!
//! A line that does not begin with `/` continues the text or the arguments of
//! the directive above it, and is passed over where there are none. A delay is a
//! number with `ms`, `s`, `m` or `h`. A script has at most 100 directives, says
//! at most 100,000 counted words and 100 MB of filling, and takes at most 1 h; a
//! larger one, or a directive whose arguments are wrong, is an `invalid` request.
//!
//! Only the last message of the user is a script. When results of tools came
//! after it, the echo says what they returned, so a client that carries out the
//! call of `/tool` comes to an end. Sampling, tools and the response format
//! change nothing here: holding an answer to them is the gateway's part.
//!
//! ```text
//! conversation  messages    -> Prompt      what is to be answered
//! directive     a block     -> Directive
//! script        RunRequest  -> Script      steps and the ending
//! step          Step        -> Beat*       events and pauses
//! component     Script      -> stream and future    (the only effects)
//! ```

mod bindings;
#[cfg(target_family = "wasm")]
mod component;
mod conversation;
mod directive;
mod echo;
mod failure;
mod script;
mod step;
mod transcript;

pub use directive::{Directive, Misread};
pub use script::{Ending, Move, Script};
pub use step::{Beat, Step};

/// The types of the contract.
pub mod types {
    pub use crate::bindings::exports::tidegate::agent::runtime::{
        Agent, ContentPart, Continuity, Image, InvalidKind, InvalidRequest, Message,
        ResponseFormat, Role, RunError, RunEvent, RunOutcome, RunRequest, Sampling, StopReason,
        Tool, ToolArgumentsDelta, ToolCall, ToolCallStart, ToolChoice, Usage,
    };
}
