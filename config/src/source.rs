//! Where the configuration comes from: the effects of this crate.

use std::io::{ErrorKind, Read as _};

use crate::document::Document;
use crate::fault::Faults;

/// The variable that may hold the whole document.
const DOCUMENT_VARIABLE: &str = "TIDEGATE_CONFIG";

/// The file that holds the document where the variable does not.
const DOCUMENT_FILE: &str = "/tidegate.json5";

/// The largest document that is read, in bytes.
const DOCUMENT_LIMIT: u64 = 8 * 1024 * 1024;

/// Loads the document from the variable `TIDEGATE_CONFIG`, else from the file
/// `/tidegate.json5`, with the variables that it names and those in
/// `well_known`, and reads it. Without either source the document is empty.
///
/// # Errors
/// A file that cannot be read or is larger than 8 MiB, broken syntax, and the
/// faults that `read` finds.
pub async fn load<T>(
    well_known: &[&str],
    read: impl FnOnce(&Document<'_>) -> Result<T, Faults>,
) -> Result<T, Faults> {
    let text = match variable(DOCUMENT_VARIABLE).await {
        Some(text) => text,
        None => document_file()?,
    };
    let document = Document::parse(&text)?;
    let mut names = document.variable_names();
    names.extend(well_known.iter().map(|name| (*name).to_owned()));
    let mut variables = Vec::new();
    for name in names {
        if let Some(value) = variable(&name).await {
            variables.push((name, value));
        }
    }
    read(&document.with(variables.into_iter().collect()))
}

fn document_file() -> Result<String, Faults> {
    let file = match std::fs::File::open(DOCUMENT_FILE) {
        Ok(file) => file,
        Err(error) if is_absent(&error) => return Ok(String::new()),
        Err(error) => return Err(unreadable(&error)),
    };
    let mut text = String::new();
    let mut limited = file.take(DOCUMENT_LIMIT + 1);
    limited
        .read_to_string(&mut text)
        .map_err(|error| unreadable(&error))?;
    if text.len() as u64 > DOCUMENT_LIMIT {
        return Err(Faults::document(format!(
            "{DOCUMENT_FILE} is larger than 8 MiB"
        )));
    }
    Ok(text)
}

/// A host that mounts no folder has no such file either: the standard library
/// then says so by itself, without an error number of the system's.
fn is_absent(error: &std::io::Error) -> bool {
    error.kind() == ErrorKind::NotFound || error.raw_os_error().is_none()
}

fn unreadable(error: &std::io::Error) -> Faults {
    Faults::document(format!("{DOCUMENT_FILE} cannot be read: {error}"))
}

/// Looks a variable up among Spin's application variables, where names are in
/// lower case, and then in the environment.
#[cfg(all(feature = "spin", target_family = "wasm"))]
async fn variable(name: &str) -> Option<String> {
    let spin = spin_sdk::variables::get(name.to_ascii_lowercase()).await;
    let spin = spin.ok().filter(|value| !value.is_empty());
    spin.or_else(|| environment(name))
}

/// Looks a variable up in the environment.
#[cfg(not(all(feature = "spin", target_family = "wasm")))]
async fn variable(name: &str) -> Option<String> {
    environment(name)
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
