//! The doctor: what can be wrong between clients, the gateway and OpenClaw, as a command.
//!
//! ```text
//! command   arguments, environment   -> a report on standard output
//! gateway   Tidegate's document      -> findings
//! upstream  the answers of servers   -> findings
//! openclaw  OpenClaw's document      -> findings
//! finding   a finding, and the report
//! ```
//!
//! Only `command` has effects. What cannot be known is "not checked", and never good.

#[cfg(target_family = "wasm")]
mod command;
pub mod finding;
pub mod gateway;
pub mod openclaw;
pub mod upstream;
