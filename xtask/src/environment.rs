//! The environment variables of the component: the configuration document and the
//! variables in it.
//!
//! The component sees no other variable of the caller.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tidegate_config::Document;
use tidegate_config::variables::{DOCUMENT, GATEWAY_PASSWORD, GATEWAY_TOKEN, RUNTIME_TOKEN};

/// The file in the component's root folder that may contain the document instead.
const DOCUMENT_FILE: &str = "tidegate.json5";

/// The maximum size of a document in a variable, in bytes. Linux limits a variable and
/// its name to 128 KiB.
const DOCUMENT_LIMIT: usize = 100 * 1024;

/// The prefix of folders for long documents.
const FOLDER_PREFIX: &str = "tidegate-document-";

/// The minimum age of an abandoned folder.
const FOLDER_AGE: Duration = Duration::from_secs(60);

/// The variables that apply without appearing in the document.
const WELL_KNOWN: [&str; 3] = [GATEWAY_TOKEN, GATEWAY_PASSWORD, RUNTIME_TOKEN];

/// The component's environment variables.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Reads the document from a file, if there is one, and the variables in it from the
    /// environment of this process.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self> {
        let document = file.map(read).transpose()?;
        Ok(Self::select(document, |name| std::env::var(name).ok()))
    }

    /// Creates an environment with a document, and no variable of this process.
    pub(crate) fn with_document(document: &str) -> Self {
        Self::default().with(DOCUMENT, document)
    }

    /// Adds a variable.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Passes the variables to `wasmtime serve`: values in its environment, and only names
    /// as arguments, because every user of the machine can list arguments. A document that
    /// exceeds the size of a variable is mounted as `/tidegate.json5` from a folder that
    /// only this user can open.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub(crate) fn apply(&self, command: &mut Command) -> Result<()> {
        for (name, value) in &self.0 {
            if name == DOCUMENT && value.len() > DOCUMENT_LIMIT {
                command.env_remove(name);
                mount(value, &std::env::temp_dir(), command)?;
            } else {
                command.env(name, value).arg(format!("--env={name}"));
            }
        }
        Ok(())
    }

    fn select(document: Option<String>, outside: impl Fn(&str) -> Option<String>) -> Self {
        let names = WELL_KNOWN.map(str::to_owned).into_iter();
        let names = names.chain(variable_names(document.as_deref().unwrap_or_default()));
        let selected = names.filter_map(|name| outside(&name).map(|value| (name, value)));
        let environment = Self(selected.collect());
        match document {
            Some(document) => environment.with(DOCUMENT, document),
            None => environment,
        }
    }
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Writes a document into a private folder in `parent` and mounts the folder.
///
/// The file is the standard input of the host and locked while the host runs. A folder
/// whose file is not locked is abandoned.
fn mount(document: &str, parent: &Path, command: &mut Command) -> Result<()> {
    delete_abandoned(parent);
    let folder = parent.join(format!("{FOLDER_PREFIX}{:016x}", getrandom::u64()?));
    let written = write_private(&folder, document);
    let file = written.with_context(|| format!("cannot write into {}", folder.display()))?;
    // `::` in the argument separates the two folders.
    let shown = folder.to_str().filter(|folder| !folder.contains("::"));
    let shown = shown.with_context(|| format!("{} cannot be mounted", folder.display()))?;
    command.arg(format!("--dir={shown}::/")).stdin(file);
    Ok(())
}

fn write_private(folder: &Path, document: &str) -> io::Result<File> {
    let mut builder = DirBuilder::new();
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    builder.create(folder)?;
    let file = folder.join(DOCUMENT_FILE);
    let mut file = options.create_new(true).read(true).write(true).open(file)?;
    file.lock_shared()?;
    file.write_all(document.as_bytes())?;
    Ok(file)
}

/// Deletes the folders of servers that have ended. Failures are ignored: the folder
/// belongs to another user, or another process has deleted it.
fn delete_abandoned(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(FOLDER_PREFIX) && is_abandoned(&entry.path()) {
            fs::remove_dir_all(entry.path()).ok();
        }
    }
}

fn is_abandoned(folder: &Path) -> bool {
    let age = folder.metadata().and_then(|metadata| metadata.modified());
    let is_old = age.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > FOLDER_AGE));
    let file = File::open(folder.join(DOCUMENT_FILE));
    is_old && file.is_ok_and(|file| file.try_lock().is_ok())
}

/// Returns the names of the variables in a document. A document with a syntax error has
/// no variables; the component reports the error.
fn variable_names(document: &str) -> Vec<String> {
    Document::parse(document).map_or_else(|_| Vec::new(), |document| document.variable_names())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    fn outside(name: &str) -> Option<String> {
        (name != "UNSET").then(|| format!("the {name}"))
    }

    #[test]
    fn only_variables_in_the_document_are_selected() {
        let document =
            "{ a: '${A_1}', b: '${UNSET} ${lower} ${1} $B', c: { source: 'env', id: '_C' } }";
        let environment = Environment::select(Some(document.to_owned()), outside);
        let expected = Environment::select(None, outside)
            .with(DOCUMENT, document)
            .with("A_1", "the A_1")
            .with("_C", "the _C");
        assert_eq!(environment, expected);
    }

    #[test]
    fn well_known_variables_need_no_document() {
        let environment = Environment::select(None, outside);
        let names: Vec<_> = environment.0.keys().map(String::as_str).collect();
        let expected = [
            "OPENCLAW_GATEWAY_PASSWORD",
            "OPENCLAW_GATEWAY_TOKEN",
            "TIDEGATE_RUNTIME_TOKEN",
        ];
        assert_eq!(names, expected);
    }

    fn applied(environment: &Environment) -> Command {
        let mut command = Command::new("wasmtime");
        environment.apply(&mut command).unwrap();
        command
    }

    fn arguments(command: &Command) -> Vec<String> {
        let arguments = command.get_args();
        arguments
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn no_argument_contains_a_value() {
        let environment = Environment::default().with("A", "b=c\n--d");
        let command = applied(&environment);
        assert_eq!(arguments(&command), ["--env=A"]);
        let variables: Vec<_> = command.get_envs().collect();
        assert_eq!(variables, [(OsStr::new("A"), Some(OsStr::new("b=c\n--d")))]);
    }

    #[test]
    #[cfg(unix)]
    fn a_long_document_is_mounted_from_a_private_folder() {
        use std::os::unix::fs::PermissionsExt as _;
        let long = "x".repeat(DOCUMENT_LIMIT + 1);
        let command = applied(&Environment::with_document(&long));
        let [argument] = &arguments(&command)[..] else {
            panic!("{command:?}");
        };
        let folder = argument
            .strip_prefix("--dir=")
            .and_then(|rest| rest.strip_suffix("::/"));
        let folder = Path::new(folder.unwrap());
        let mode = folder.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert_eq!(
            fs::read_to_string(folder.join(DOCUMENT_FILE)).unwrap(),
            long
        );
        assert!(command.get_envs().all(|(_, value)| value.is_none()));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_without_a_running_host_is_deleted() {
        let parent = std::env::temp_dir().join(format!("tidegate-mounts-{}", std::process::id()));
        let other = parent.join("of-someone-else");
        fs::create_dir_all(&other).unwrap();
        let mut command = Command::new("wasmtime");
        mount("{}", &parent, &mut command).unwrap();
        let entries = || {
            fs::read_dir(&parent)
                .unwrap()
                .flatten()
                .map(|entry| entry.path())
        };
        let folder = entries().find(|path| *path != other).unwrap();
        let long_ago = std::time::SystemTime::now() - 2 * FOLDER_AGE;
        File::open(&folder).unwrap().set_modified(long_ago).unwrap();
        delete_abandoned(&parent);
        assert_eq!(entries().count(), 2);
        drop(command);
        delete_abandoned(&parent);
        assert_eq!(entries().collect::<Vec<_>>(), [other]);
        fs::remove_dir_all(parent).unwrap();
    }
}
