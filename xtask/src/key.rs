//! `cargo xtask key new`: a key for the gateway, and its line of configuration.

use anyhow::{Context as _, Result, ensure};
use clap::{Args, Subcommand};
use sha2::{Digest as _, Sha256};

/// How much chance is in a key, in bytes.
const STRENGTH: usize = 32;

/// What `cargo xtask key` is told.
#[derive(Args)]
pub(crate) struct KeyTask {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a key, and print it once with its line for the configuration.
    New {
        /// The key's name, such as "web app".
        name: String,
        /// An agent that it may use, `*` for all; may be repeated.
        #[arg(long = "agent", value_name = "AGENT")]
        agents: Vec<String>,
    },
}

impl KeyTask {
    /// Does what is asked.
    pub(crate) fn run(&self) -> Result<()> {
        match &self.action {
            Action::New { name, agents } => {
                let mut chance = [0; STRENGTH];
                getrandom::fill(&mut chance).context("the system has no random numbers")?;
                print!("{}", printed(name, agents, &chance)?);
                Ok(())
            }
        }
    }
}

/// Returns what is printed for a new key.
fn printed(name: &str, agents: &[String], chance: &[u8; STRENGTH]) -> Result<String> {
    let plain = |text: &str| !text.contains(|c: char| c.is_control() || "\"\\".contains(c));
    ensure!(
        !name.trim().is_empty() && plain(name) && agents.iter().all(|agent| plain(agent)),
        "a key needs a name, and agents, without quotes, backslashes and line breaks"
    );
    let key = format!("tg_{}", hex(chance));
    let digest = digest(&key);
    let agents: Vec<_> = agents.iter().map(|agent| format!("\"{agent}\"")).collect();
    let (name, agents) = (name.trim(), agents.join(", "));
    Ok(format!(
        "The key, which is shown this once:\n\n  {key}\n\n\
         Its line for `tidegate.keys`, with the agents that it may use:\n\n  \
         {{ name: \"{name}\", sha256: \"{digest}\", agents: [{agents}] }},\n",
    ))
}

/// Returns what the configuration keeps of a key.
pub(crate) fn digest(key: &str) -> String {
    hex(&Sha256::digest(key.as_bytes()).into())
}

fn hex(bytes: &[u8; STRENGTH]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_printed_with_its_own_digest() {
        let text = printed(" web app ", &["main".to_owned()], &[0xab; STRENGTH]).unwrap();
        let key = format!("tg_{}", "ab".repeat(32));
        let digest = digest(&key);
        assert!(text.contains(&format!("\n  {key}\n")), "{text}");
        let line = format!("{{ name: \"web app\", sha256: \"{digest}\", agents: [\"main\"] }},");
        assert!(text.contains(&line), "{text}");
    }

    #[test]
    fn a_name_that_would_break_the_line_is_refused() {
        for name in ["", "  ", "a\"b", "a\\b", "a\nb"] {
            assert!(printed(name, &[], &[0; STRENGTH]).is_err(), "{name:?}");
        }
    }
}
