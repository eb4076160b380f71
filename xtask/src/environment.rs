//! What the guest sees of the outside: its configuration and the variables
//! that it names.
//!
//! Nothing else of the caller's environment reaches the guest.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use anyhow::{Context as _, Result};

use crate::workspace::Workspace;

/// The variable that holds the whole configuration document.
const DOCUMENT: &str = "TIDEGATE_CONFIG";

/// The file of the component's root that holds it instead.
const DOCUMENT_FILE: &str = "tidegate.json5";

/// The longest document that is handed over as a variable, in bytes. Linux takes
/// variables of up to 128 KiB, with their names.
const DOCUMENT_LIMIT: usize = 100 * 1024;

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
    pub(crate) fn hand_over(&self, command: &mut Command, workspace: &Workspace) -> Result<()> {
        for (name, value) in &self.0 {
            if name == DOCUMENT && value.len() > DOCUMENT_LIMIT {
                let folder = write_document(&workspace.target().join("serve"), value)?;
                command.env_remove(name);
                command.arg(format!("--dir={}::/", folder.display()));
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

/// Writes a document into a private folder, and returns the folder. It bears the
/// number of this process, which the host takes over; those of processes that
/// have ended are deleted.
fn write_document(folders: &Path, document: &str) -> Result<PathBuf> {
    for entry in fs::read_dir(folders).into_iter().flatten().flatten() {
        if !is_running(&entry.file_name()) {
            // Another process may be faster.
            fs::remove_dir_all(entry.path()).ok();
        }
    }
    let folder = folders.join(process::id().to_string());
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let written = builder.recursive(true).create(&folder);
    let written = written.and_then(|()| fs::write(folder.join(DOCUMENT_FILE), document));
    written.with_context(|| format!("cannot write into {}", folder.display()))?;
    Ok(folder)
}

/// Returns whether the process of a number runs, as far as the system says.
fn is_running(process: &OsStr) -> bool {
    let processes = Path::new("/proc");
    !processes.is_dir() || processes.join(process).exists()
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
        let workspace = Workspace::locate().unwrap();
        environment.hand_over(&mut command, &workspace).unwrap();
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
    #[cfg(target_os = "linux")]
    fn folders_of_ended_processes_are_deleted() {
        let folders = std::env::temp_dir().join(format!("tidegate-serve-{}", process::id()));
        let ended = folders.join("4194999");
        fs::create_dir_all(&ended).unwrap();
        let folder = write_document(&folders, "{}").unwrap();
        assert!(folder.exists() && !ended.exists());
        fs::remove_dir_all(folders).unwrap();
    }
}
