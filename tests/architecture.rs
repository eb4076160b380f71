//! The order of the modules in `src/`: each one uses only modules that come later.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails if a file or a name is missing"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of `src/`, from the host down to plain types.
const ORDER: [&str; 16] = [
    "host",
    "gateway",
    "delivery",
    "config",
    "exchange",
    "access_log",
    "run_log",
    "reply",
    "run",
    "access",
    "agents",
    "inbound",
    "error",
    "openai",
    "rejection",
    "runtime",
];

/// The paths of a module, such as `["access", "key"]`.
type Module = Vec<String>;

#[test]
fn a_module_uses_only_modules_that_come_later() {
    let uses = uses();
    assert!(uses.len() > 60, "{} files", uses.len());
    for (module, used) in &uses {
        let Some(place) = module.first() else {
            continue;
        };
        for other in used.iter().filter_map(|used| used.first()) {
            assert!(
                position(place) <= position(other),
                "{} uses {other}, which comes earlier",
                module.join("::")
            );
        }
    }
}

#[test]
fn no_two_files_use_each_other() {
    let uses = uses();
    let reaches = |from: &Module, to: &Module| {
        let mut reached = BTreeSet::new();
        let mut waiting = vec![from];
        while let Some(module) = waiting.pop() {
            for used in uses.get(module).into_iter().flatten() {
                if reached.insert(used) {
                    waiting.push(used);
                }
            }
        }
        reached.contains(to)
    };
    for module in uses.keys() {
        assert!(!reaches(module, module), "{}", module.join("::"));
    }
}

#[test]
fn lib_rs_lists_the_modules_in_their_order() {
    let lib = include_str!("../src/lib.rs");
    let modules = lib.lines().filter_map(|line| {
        let name = line.strip_prefix("pub mod ").or(line.strip_prefix("mod "));
        name?.strip_suffix(';')
    });
    assert_eq!(modules.collect::<Vec<_>>(), ORDER);
}

fn position(name: &str) -> usize {
    let position = ORDER.iter().position(|module| *module == name);
    position.unwrap_or_else(|| panic!("{name} has no place in the order"))
}

/// Returns the modules that each file uses outside its tests.
fn uses() -> BTreeMap<Module, BTreeSet<Module>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let modules: BTreeMap<Module, PathBuf> = files
        .into_iter()
        .map(|file| (module(&root, &file), file))
        .collect();
    let known: BTreeSet<&Module> = modules.keys().collect();
    let used = |module: &Module, file: &PathBuf| {
        let text = fs::read_to_string(file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let paths = paths(code, module).into_iter();
        let used = paths.filter_map(|path| file_of(&path, &known));
        used.filter(|used| used != module).collect()
    };
    modules
        .iter()
        .map(|(module, file)| (module.clone(), used(module, file)))
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() {
            collect(&path, files);
        } else if name != "lib.rs" && name != "tests.rs" && name != "properties.rs" {
            files.push(path);
        }
    }
}

fn module(root: &Path, file: &Path) -> Module {
    let path = file.strip_prefix(root).unwrap().with_extension("");
    let names = path.iter().map(|name| name.to_str().unwrap().to_owned());
    names.filter(|name| name != "mod").collect()
}

/// Returns the paths in `use` declarations and in expressions, from the root of the
/// crate. Re-exports of a folder's own files do not count.
fn paths(code: &str, module: &Module) -> Vec<Module> {
    let flat: String = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join(" ");
    let mut paths = Vec::new();
    for (root, base) in [("crate::", Vec::new()), ("super::", parent(module))] {
        for (at, _) in flat.match_indices(root) {
            let rest = &flat[at + root.len()..];
            for path in expand(rest) {
                paths.push(base.iter().cloned().chain(path).collect());
            }
        }
    }
    paths
}

fn parent(module: &Module) -> Module {
    module[..module.len() - 1].to_vec()
}

/// Expands `a::{b, c::d}` to its paths.
fn expand(text: &str) -> Vec<Module> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    if let Some(group) = text.strip_prefix('{') {
        let end = group.find('}').unwrap_or(group.len());
        let items = group[..end].split(',');
        return items.flat_map(|item| expand(item.trim())).collect();
    }
    match rest.strip_prefix("::") {
        Some(rest) => {
            let tails = expand(rest).into_iter();
            let name = name.to_owned();
            tails
                .map(|tail| [name.clone()].into_iter().chain(tail).collect())
                .collect()
        }
        None => vec![vec![name.to_owned()]],
    }
}

/// Returns the file that a path leads to: its longest known prefix.
fn file_of(path: &Module, known: &BTreeSet<&Module>) -> Option<Module> {
    let prefixes = (1..=path.len()).rev().map(|length| path[..length].to_vec());
    prefixes.into_iter().find(|prefix| known.contains(prefix))
}
