//! Where the configuration comes from: the effects of this crate.

use crate::document::Document;
use crate::fault::Faults;
use crate::file;

/// The variable that may hold the whole document.
const DOCUMENT_VARIABLE: &str = "TIDEGATE_CONFIG";

/// Loads the document from the variable `TIDEGATE_CONFIG`, else from the file
/// `/tidegate.json5`, with the variables that it names and those in
/// `well_known`, and reads it. Without either source the document is empty.
///
/// # Errors
/// A file that cannot be read, is larger than 8 MiB or is not UTF-8, broken
/// syntax, and the faults that `read` finds.
pub async fn load<T>(
    well_known: &[&str],
    read: impl FnOnce(&Document<'_>) -> Result<T, Faults>,
) -> Result<T, Faults> {
    let text = match variable(DOCUMENT_VARIABLE).await {
        Some(text) => text,
        None => file::read()?,
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

/// Looks a variable up among Spin's application variables, where names are in
/// lower case, and then in the environment.
#[cfg(feature = "spin")]
async fn variable(name: &str) -> Option<String> {
    let spin = spin_sdk::variables::get(name.to_ascii_lowercase()).await;
    let spin = spin.ok().filter(|value| !value.is_empty());
    spin.or_else(|| environment(name))
}

/// Looks a variable up in the environment.
#[cfg(not(feature = "spin"))]
async fn variable(name: &str) -> Option<String> {
    environment(name)
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
