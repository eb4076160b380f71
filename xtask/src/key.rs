//! `cargo xtask key new`: an API key and its line of configuration.

use anyhow::{Context as _, Result, ensure};
use clap::{Args, Subcommand};
use sha2::{Digest as _, Sha256};

/// The entropy of a key, in bytes.
const ENTROPY: usize = 32;

/// The arguments of `cargo xtask key`.
#[derive(Args)]
pub(crate) struct KeyTask {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Generate an API key and print it with its line for the configuration.
    New {
        /// The key's name, such as "web app".
        name: String,
        /// An agent that the key may use, `*` for all; repeatable.
        #[arg(long = "agent", value_name = "AGENT")]
        agents: Vec<String>,
    },
}

impl KeyTask {
    /// Runs the action.
    pub(crate) fn run(&self) -> Result<()> {
        match &self.action {
            Action::New { name, agents } => {
                let mut entropy = [0; ENTROPY];
                getrandom::fill(&mut entropy).context("cannot read random numbers")?;
                print!("{}", printed(name, agents, &entropy)?);
                Ok(())
            }
        }
    }
}

/// Returns the output for a new key.
fn printed(name: &str, agents: &[String], entropy: &[u8; ENTROPY]) -> Result<String> {
    let plain = |text: &str| !text.contains(|c: char| c.is_control() || "\"\\".contains(c));
    ensure!(
        !name.trim().is_empty() && plain(name) && agents.iter().all(|agent| plain(agent)),
        "the name must not be empty, and the name and agents must not contain quotes, backslashes or control characters"
    );
    let key = format!("tg_{}", hex(entropy));
    let digest = digest(&key);
    let agents: Vec<_> = agents.iter().map(|agent| format!("\"{agent}\"")).collect();
    let (name, agents) = (name.trim(), agents.join(", "));
    Ok(format!(
        "The API key, shown only once:\n\n  {key}\n\n\
         Its entry in `tidegate.keys`:\n\n  \
         {{ name: \"{name}\", sha256: \"{digest}\", agents: [{agents}] }},\n",
    ))
}

/// Returns the digest of a key, for the configuration.
pub(crate) fn digest(key: &str) -> String {
    hex(&Sha256::digest(key.as_bytes()).into())
}

fn hex(bytes: &[u8; ENTROPY]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_printed_with_its_own_digest() {
        let text = printed(" web app ", &["main".to_owned()], &[0xab; ENTROPY]).unwrap();
        let key = format!("tg_{}", "ab".repeat(32));
        let digest = digest(&key);
        assert!(text.contains(&format!("\n  {key}\n")), "{text}");
        let line = format!("{{ name: \"web app\", sha256: \"{digest}\", agents: [\"main\"] }},");
        assert!(text.contains(&line), "{text}");
    }

    #[test]
    fn a_name_with_special_characters_is_refused() {
        for name in ["", "  ", "a\"b", "a\\b", "a\nb"] {
            assert!(printed(name, &[], &[0; ENTROPY]).is_err(), "{name:?}");
        }
    }
}
