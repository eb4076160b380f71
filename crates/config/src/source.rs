//! The source of the configuration: a variable or a file.

use crate::document::Document;
use crate::fault::Faults;
use crate::file;
use crate::variables::DOCUMENT;

/// Loads the document from the variable `TIDEGATE_CONFIG`, or else from the file
/// `/tidegate.json5`, and reads it. Without either source, the document is empty. The
/// variables in `well_known` count even if the document does not name them.
///
/// # Errors
/// A file that cannot be read, is larger than 8 MiB or is not UTF-8, a syntax error, and
/// the faults that `read` finds.
pub async fn load<T>(
    well_known: &[&str],
    read: impl FnOnce(&Document<'_>) -> Result<T, Faults>,
) -> Result<T, Faults> {
    let text = match variable(DOCUMENT).await {
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

/// Returns whether `TIDEGATE_CONFIG` is set although there is a file, which is then ignored.
pub async fn ignores_file() -> bool {
    variable(DOCUMENT).await.is_some() && file::exists()
}

/// Returns the value of one of Spin's application variables, whose names are in lower
/// case, or else of an environment variable.
#[cfg(feature = "spin")]
async fn variable(name: &str) -> Option<String> {
    let variable = spin_sdk::variables::get(name.to_ascii_lowercase()).await;
    let value = variable.ok().filter(|value| !value.is_empty());
    value.or_else(|| environment(name))
}

/// Returns the value of an environment variable.
#[cfg(not(feature = "spin"))]
async fn variable(name: &str) -> Option<String> {
    environment(name)
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
