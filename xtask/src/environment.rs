//! What the guest sees of the outside: its configuration and the variables
//! that it names.
//!
//! Nothing else of the caller's environment reaches the guest.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// The variable that holds the whole configuration document.
const DOCUMENT: &str = "TIDEGATE_CONFIG";

/// The file of the component's root that holds it instead.
const DOCUMENT_FILE: &str = "tidegate.json5";

/// The longest document that is handed over as a variable, in bytes. Linux takes
/// variables of up to 128 KiB, with their names.
const DOCUMENT_LIMIT: usize = 100 * 1024;

/// What the names of folders for long documents begin with.
const FOLDER_PREFIX: &str = "tidegate-document-";

/// How old a folder must be before it counts as left behind.
const FOLDER_AGE: Duration = Duration::from_secs(60);

/// OpenClaw's own name for the token of its front door.
pub(crate) const FRONT_TOKEN: &str = "OPENCLAW_GATEWAY_TOKEN";

/// The token by which a runtime component calls the runtime behind it.
pub(crate) const RUNTIME_TOKEN: &str = "TIDEGATE_RUNTIME_TOKEN";

/// The variables that count without being named in the document.
const WELL_KNOWN: [&str; 3] = [FRONT_TOKEN, "OPENCLAW_GATEWAY_PASSWORD", RUNTIME_TOKEN];

/// The guest's environment variables.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Takes the document from a file, if there is one, and the variables
    /// that count from this program's own environment.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self> {
        let document = file.map(read).transpose()?;
        Ok(Self::select(document, |name| std::env::var(name).ok()))
    }

    /// Starts from a document that names no variable of the outside.
    pub(crate) fn with_document(document: &str) -> Self {
        Self::default().with(DOCUMENT, document)
    }

    /// Adds a variable.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Hands the variables to a `wasmtime serve`: their values through its
    /// environment, and their names alone as arguments, which every user of the
    /// machine can list. A document that is too long for a variable is mounted as
    /// `/tidegate.json5` from a folder that this user alone can open.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub(crate) fn hand_over(&self, command: &mut Command) -> Result<()> {
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
        let named = variable_names(document.as_deref().unwrap_or_default());
        let selected = WELL_KNOWN.into_iter().chain(named);
        let selected = selected.filter_map(|name| Some((name.to_owned(), outside(name)?)));
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

/// Writes a document into a private folder below `parent` and mounts the folder.
///
/// The process keeps the file locked as its standard input, which the host takes
/// over. So a folder whose file is not locked is left behind, and is deleted.
fn mount(document: &str, parent: &Path, command: &mut Command) -> Result<()> {
    delete_abandoned(parent);
    let folder = parent.join(format!("{FOLDER_PREFIX}{:016x}", getrandom::u64()?));
    let written = write_private(&folder, document);
    let file = written.with_context(|| format!("cannot write into {}", folder.display()))?;
    // In the argument `::` ends the folder.
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

/// Deletes the folders of servers that have ended. One that cannot be deleted is
/// another user's, or another process is faster.
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

/// Returns the names that a document refers to, as `${NAME}` or as the `id` of
/// a reference: every name that stands between braces or quotes.
fn variable_names(document: &str) -> impl Iterator<Item = &str> {
    let pieces = document.split(['{', '}', '"', '\'']);
    pieces.filter(|piece| is_variable_name(piece))
}

fn is_variable_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
    name.bytes().next().is_some_and(is_letter)
        && name.bytes().all(|b| is_letter(b) || b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    fn outside(name: &str) -> Option<String> {
        (name != "UNSET").then(|| format!("the {name}"))
    }

    #[test]
    fn a_document_brings_the_variables_that_it_names_and_no_others() {
        let document =
            "{ a: '${A_1}', b: '${UNSET} ${lower} ${1} $B', c: { source: \"env\", id: \"_C\" } }";
        let environment = Environment::select(Some(document.to_owned()), outside);
        let expected = Environment::select(None, outside)
            .with(DOCUMENT, document)
            .with("A_1", "the A_1")
            .with("_C", "the _C");
        assert_eq!(environment, expected);
    }

    #[test]
    fn the_well_known_variables_need_no_document() {
        let environment = Environment::select(None, outside);
        let names: Vec<_> = environment.0.keys().map(String::as_str).collect();
        let expected = [
            "OPENCLAW_GATEWAY_PASSWORD",
            "OPENCLAW_GATEWAY_TOKEN",
            "TIDEGATE_RUNTIME_TOKEN",
        ];
        assert_eq!(names, expected);
    }

    fn handed_over(environment: &Environment) -> Command {
        let mut command = Command::new("wasmtime");
        environment.hand_over(&mut command).unwrap();
        command
    }

    fn arguments(command: &Command) -> Vec<String> {
        let arguments = command.get_args();
        arguments
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn no_value_stands_among_the_arguments() {
        let environment = Environment::default().with("A", "b=c\n--d");
        let command = handed_over(&environment);
        assert_eq!(arguments(&command), ["--env=A"]);
        let variables: Vec<_> = command.get_envs().collect();
        assert_eq!(variables, [(OsStr::new("A"), Some(OsStr::new("b=c\n--d")))]);
    }

    #[test]
    #[cfg(unix)]
    fn a_long_document_is_mounted_from_a_folder_that_nobody_else_can_open() {
        use std::os::unix::fs::PermissionsExt as _;
        let long = "x".repeat(DOCUMENT_LIMIT + 1);
        let command = handed_over(&Environment::with_document(&long));
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
    fn a_folder_is_deleted_once_nobody_holds_its_document() {
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
