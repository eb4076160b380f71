//! A scripted runtime, for trying things out without OpenClaw and for tests. It needs no
//! network and no API key.
//!
//! It echoes a plain message word by word, with the agent and the session of the run. A
//! message that begins with `/` is a script, with one directive per line:
//!
//! | directive | what the run does |
//! |---|---|
//! | `/help` | Lists the directives. |
//! | `/echo text` | Says exactly this text, in one event. |
//! | `/say text` | Says the text word by word, as agents do before a tool call. |
//! | `/request` | Says the request of the run, as JSON. |
//! | `/json` | Says a JSON object. |
//! | `/unicode` | Says text that encoders often corrupt: many scripts, emoji, quotes, control characters, markup. |
//! | `/tokens N [delay]` | Says N words, tok0 tok1 and so on, with the delay between them. |
//! | `/bytes N` | Says N bytes of filler, in events of 1 KiB. |
//! | `/reasoning text` | Reasons the text, then continues. |
//! | `/tool name {json}` | Calls the tool, with its arguments in four parts; several lines are parallel calls. |
//! | `/silence delay` | Waits, then continues. |
//! | `/stall delay` | Says half of the echo, waits, and says the rest. |
//! | `/length` | Ends at a token limit. |
//! | `/filter` | Ends at a content filter. |
//! | `/empty` | Ends without a reply. |
//! | `/usage in out [cached [reasoning]]` | Reports these tokens instead of counting words. |
//! | `/nousage` | Reports no tokens. |
//! | `/fail kind [seconds]` | Fails: invalid, not-found, too-large, unprocessable, unknown-agent, busy, unavailable, unreachable, denied, misconfigured, timed-out, tool-choice-unmet or failed. |
//! | `/break [N]` | Says N words (3 by default) and fails. |
//! | `/vanish` | Ends the stream without an outcome. |
//!
//! Directives run in order, so `/say Let me look.` and `/tool get_weather
//! {"city":"Paris"}` produce text and then a call. A directive for the ending takes effect
//! at the end wherever it is in the script, and the last one wins. A script without a
//! reply of its own continues with the echo (`/silence 5s`), or with half of it before
//! `/length` and `/filter`.
//!
//! A line that does not begin with `/` continues the text or the arguments of the
//! directive above it. Other directives ignore such lines. A delay is an integer with the
//! unit `ms`, `s`, `m` or `h`. A script has at most 100 directives, 100,000 counted words
//! and 100 MB of filler, and lasts at most 1 h. A larger script and a directive with invalid
//! arguments fail as `invalid`.
//!
//! Only the last message of the user is a script. If results of tools follow it, the echo
//! repeats them, so a client that executes the call of `/tool` gets a final reply. Sampling,
//! tools and the response format have no effect: the gateway enforces the tool choice.
//!
//! Embeddings depend on the text alone. A text `/fail kind [seconds]` fails.
//!
//! ```text
//! conversation  messages    -> Prompt       the message or tool results to reply to
//! directive     a block     -> Directive
//! script        RunRequest  -> Script       steps and an ending
//! step          Step        -> events, each with the delay before it
//! embeddings    texts       -> vectors
//! runtime       Script      -> events over time, and an outcome   (the only effects)
//! ```

mod conversation;
mod directive;
mod echo;
mod embeddings;
mod failure;
mod request_dump;
#[cfg(target_family = "wasm")]
mod runtime;
mod script;
mod step;

pub use directive::{Directive, DirectiveError};
pub use embeddings::embed;
pub use script::{DelayedEvents, Ending, Script};
pub use step::Step;

#[cfg(target_family = "wasm")]
pub use runtime::Rehearsal;
use tidegate_agent::types;

#[cfg(all(target_family = "wasm", feature = "component"))]
tidegate_agent::export!(Rehearsal, with embeddings);
