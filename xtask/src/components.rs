//! Builds and composes the components into `dist/`.

use std::collections::HashMap;
use std::fs;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use crate::composition::compose;
use crate::slim::slim;
use crate::workspace::{WASM_TARGET, Workspace};

/// The packages that are components.
pub(crate) const PACKAGES: [&str; 6] = [
    "tidegate",
    "runtime-openclaw",
    "runtime-rehearsal",
    "store-files",
    "floor",
    "store-forward",
];

/// The packages that are components only for tests.
pub(crate) const FIXTURES: [&str; 1] = ["impatient"];

const DOCTOR: &str = "doctor";

/// The components by their names in `dist/`. A component follows its parts.
///
/// A runtime with a store and the gateway each have an instance of the store, for the same
/// folder.
const COMPONENTS: [(&str, Recipe); 22] = [
    ("gateway", package("tidegate", "")),
    ("gateway-store", package("tidegate", "store")),
    ("gateway-embeddings", package("tidegate", "embeddings")),
    (
        "gateway-embeddings-store",
        package("tidegate", "embeddings,store"),
    ),
    ("tidegate-openclaw", package("tidegate", "openclaw")),
    (
        "tidegate-openclaw-store",
        package("tidegate", "openclaw,store"),
    ),
    ("tidegate-rehearsal", package("tidegate", "rehearsal")),
    (
        "tidegate-rehearsal-store",
        package("tidegate", "rehearsal,store"),
    ),
    ("tidegate-doctor", package(DOCTOR, "")),
    ("runtime-openclaw", package("runtime-openclaw", "")),
    (
        "runtime-openclaw-store",
        package("runtime-openclaw", "store"),
    ),
    ("runtime-rehearsal", package("runtime-rehearsal", "")),
    ("store-files", package("store-files", "")),
    ("floor", package("floor", "")),
    ("store-forward", package("store-forward", "")),
    (
        "runtime-openclaw-files",
        composed("runtime-openclaw-store", &["store-files"]),
    ),
    (
        "tidegate-openclaw-files",
        composed("tidegate-openclaw-store", &["store-files"]),
    ),
    (
        "tidegate-rehearsal-files",
        composed("tidegate-rehearsal-store", &["store-files"]),
    ),
    (
        "composed-openclaw",
        composed("gateway-embeddings", &["runtime-openclaw"]),
    ),
    (
        "composed-openclaw-files",
        composed(
            "gateway-embeddings-store",
            &["runtime-openclaw-files", "store-files"],
        ),
    ),
    (
        "composed-rehearsal",
        composed("gateway-embeddings", &["runtime-rehearsal"]),
    ),
    (
        "composed-rehearsal-files",
        composed(
            "gateway-embeddings-store",
            &["runtime-rehearsal", "store-files"],
        ),
    ),
];

/// How to make a component.
#[derive(Debug, Clone, Copy)]
enum Recipe {
    /// Compile a package with these features.
    Package {
        package: &'static str,
        features: &'static str,
    },
    /// Fill a component's imports with the exports of others.
    Composed {
        socket: &'static str,
        plugs: &'static [&'static str],
    },
}

const fn package(package: &'static str, features: &'static str) -> Recipe {
    Recipe::Package { package, features }
}

const fn composed(socket: &'static str, plugs: &'static [&'static str]) -> Recipe {
    Recipe::Composed { socket, plugs }
}

impl Recipe {
    /// Returns whether a component with this recipe contains another.
    fn contains(self, name: &str) -> bool {
        match self {
            Self::Package { .. } => false,
            Self::Composed { socket, plugs } => socket == name || plugs.contains(&name),
        }
    }
}

/// The arguments of `cargo xtask build`.
#[derive(Args)]
pub(crate) struct Build {
    /// Build only these components and their parts.
    #[arg(value_parser = PossibleValuesParser::new(COMPONENTS.map(|(name, _)| name)))]
    components: Vec<String>,
}

impl Build {
    /// Builds the components into `dist/` and prints their sizes.
    ///
    /// # Errors
    /// A failed compilation or composition.
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<()> {
        let names: Vec<_> = self.components.iter().map(String::as_str).collect();
        match names.as_slice() {
            [] => build(workspace),
            names => build_only(workspace, names),
        }
    }
}

/// A runtime that the gateway can be composed with.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Runtime {
    /// Replies by script, without network or key.
    Rehearsal,
    /// Calls OpenClaw, or another server with its protocol.
    Openclaw,
}

impl Runtime {
    /// Returns the runtime's name in commands and file names.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Openclaw => "openclaw",
            Self::Rehearsal => "rehearsal",
        }
    }

    /// Returns the path of the gateway with this runtime, without a store.
    pub(crate) fn component(self, workspace: &Workspace) -> PathBuf {
        file(workspace, &format!("tidegate-{}", self.name()))
    }
}

/// Builds every component into `dist/` and prints their sizes.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    build_only(workspace, &COMPONENTS.map(|(name, _)| name))
}

/// Builds only the gateway with a runtime into `dist/`.
pub(crate) fn build_linked(workspace: &Workspace, runtime: Runtime) -> Result<()> {
    build_only(workspace, &[&format!("tidegate-{}", runtime.name())])
}

/// Builds only the doctor into `dist/`, and returns its path.
pub(crate) fn build_doctor(workspace: &Workspace) -> Result<PathBuf> {
    const NAME: &str = "tidegate-doctor";
    build_only(workspace, &[NAME])?;
    Ok(file(workspace, NAME))
}

/// Builds these components and their parts into `dist/`.
fn build_only(workspace: &Workspace, names: &[&str]) -> Result<()> {
    workspace.ensure_wasm_target()?;
    fs::create_dir_all(workspace.dist())?;
    let wanted = with_parts(names);
    let mut components = compile_all(workspace, &wanted)?;
    for (name, recipe) in &wanted {
        if let Recipe::Composed { socket, plugs } = recipe {
            let plugs = plugs.iter().map(|plug| part(&components, plug).cloned());
            let component = compose(
                part(&components, socket)?,
                &plugs.collect::<Result<Vec<_>>>()?,
            );
            let component = component.with_context(|| format!("cannot compose {name}"))?;
            components.insert(name, component);
        }
    }
    for (name, _) in &wanted {
        write(workspace, name, part(&components, name)?)?;
    }
    Ok(())
}

/// The bytes of components by their names.
type Components = HashMap<&'static str, Vec<u8>>;

fn part<'c>(components: &'c Components, name: &str) -> Result<&'c Vec<u8>> {
    let component = components.get(name);
    component.with_context(|| format!("{name} was not built"))
}

/// Returns these components and all that they contain, in the order of [`COMPONENTS`].
fn with_parts(names: &[&str]) -> Vec<(&'static str, Recipe)> {
    let mut wanted = Vec::<(&str, Recipe)>::new();
    // From the end, so that all that contain a component come before it.
    for (name, recipe) in COMPONENTS.into_iter().rev() {
        let is_part = wanted.iter().any(|(_, whole)| whole.contains(name));
        if is_part || names.contains(&name) {
            wanted.push((name, recipe));
        }
    }
    wanted.reverse();
    wanted
}

/// Packages that cargo builds at the same time, with the same features.
#[derive(Debug, Default)]
struct Job {
    features: &'static str,
    /// The packages, and the names of their components.
    packages: Vec<(&'static str, &'static str)>,
}

/// Groups the packages of these components into as few jobs as possible.
fn jobs(wanted: &[(&'static str, Recipe)]) -> Vec<Job> {
    let mut jobs = Vec::<Job>::new();
    for (name, recipe) in wanted {
        let Recipe::Package { package, features } = *recipe else {
            continue;
        };
        // The doctor uses the code of the gateway and the runtime, and cargo would give it
        // their exports if it built them at the same time.
        let is_alone = |package| package == DOCTOR;
        let same = jobs.iter_mut().find(|job| {
            let others = job.packages.iter().all(|(other, _)| !is_alone(*other));
            job.features == features && others && !is_alone(package)
        });
        match same {
            Some(job) => job.packages.push((package, *name)),
            None => jobs.push(Job {
                features,
                packages: vec![(package, *name)],
            }),
        }
    }
    jobs
}

/// Compiles the packages of these components.
///
/// The last step of a build, which optimizes a whole component, uses one core. So there are
/// two jobs at a time, each with its own target folder, because cargo locks the folder.
fn compile_all(workspace: &Workspace, wanted: &[(&'static str, Recipe)]) -> Result<Components> {
    let jobs = jobs(wanted);
    let begun = AtomicUsize::new(0);
    let compile_next = |workspace: &Workspace| {
        let mut components = Vec::new();
        while let Some(job) = jobs.get(begun.fetch_add(1, Ordering::Relaxed)) {
            let packages: Vec<_> = job.packages.iter().map(|(package, _)| *package).collect();
            compile(workspace, &packages, job.features)?;
            for (package, name) in &job.packages {
                components.push((*name, built(workspace, package)?));
            }
        }
        anyhow::Ok(components)
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let is_second_useful = cores > 1 && jobs.len() > 1;
    let second = workspace.with_target("second");
    thread::scope(|scope| {
        let other = is_second_useful.then(|| scope.spawn(|| compile_next(&second)));
        let mut components = compile_next(workspace)?;
        if let Some(other) = other {
            let other = other.join().map_err(|_| anyhow!("a build panicked"))?;
            components.extend(other?);
        }
        Ok(components.into_iter().collect())
    })
}

/// Builds the components of the tests.
pub(crate) fn build_fixtures(workspace: &Workspace) -> Result<()> {
    compile(workspace, &FIXTURES, "")
}

/// Compiles packages to components.
fn compile(workspace: &Workspace, packages: &[&str], features: &str) -> Result<()> {
    // Cargo adds these to the flags in `.cargo/config.toml`.
    let flags = path_flags(&sources());
    let flags = format!("target.{WASM_TARGET}.rustflags={flags:?}");
    let build = [
        "build",
        "--release",
        "--target",
        WASM_TARGET,
        "--config",
        &flags,
        "--features",
        features,
    ];
    let packages: Vec<_> = packages
        .iter()
        .flat_map(|package| ["--package", *package])
        .collect();
    workspace.cargo(&[&build[..], &packages].concat())
}

/// Returns the flags that remove the folders of this machine's dependencies from panic
/// messages in a component.
fn path_flags(folders: &[PathBuf]) -> Vec<String> {
    let folders = folders.iter().map(|folder| folder.display());
    folders
        .map(|folder| format!("--remap-path-prefix={folder}="))
        .collect()
}

/// Returns cargo's folders of registry sources.
fn sources() -> Vec<PathBuf> {
    let home = std::env::home_dir().map(|home| home.join(".cargo"));
    let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from).or(home);
    let sources = cargo.and_then(|cargo| fs::read_dir(cargo.join("registry/src")).ok());
    let entries = sources.into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// Reads the component of a package.
fn built(workspace: &Workspace, package: &str) -> Result<Vec<u8>> {
    let file = workspace.release().join(package.replace('-', "_"));
    let file = file.with_extension("wasm");
    let component = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    slim(&component)
}

/// Writes a component into `dist/` and prints its size.
fn write(workspace: &Workspace, name: &str, component: &[u8]) -> Result<()> {
    let file = file(workspace, name);
    fs::write(&file, component).with_context(|| format!("cannot write {}", file.display()))?;
    let size = component.len().div_ceil(1024);
    println!("  dist/{:<35} {size:>6} KiB", format!("{name}.wasm"));
    Ok(())
}

fn file(workspace: &Workspace, name: &str) -> PathBuf {
    workspace.dist().join(name).with_extension("wasm")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_built_after_the_ones_that_it_contains() {
        for (n, (name, recipe)) in COMPONENTS.iter().enumerate() {
            let later = COMPONENTS[n..].iter();
            for (later, _) in later {
                assert!(!recipe.contains(later), "{name} contains {later}");
            }
        }
    }

    #[test]
    fn the_doctor_is_built_alone() {
        for job in jobs(&COMPONENTS) {
            let has_doctor = job.packages.iter().any(|(package, _)| *package == DOCTOR);
            assert!(!has_doctor || job.packages.len() == 1, "{job:?}");
        }
    }

    #[test]
    fn only_the_parts_of_a_component_are_built_with_it() {
        let names = |wanted: &[&str]| -> Vec<_> {
            let wanted = with_parts(wanted);
            wanted.into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names(&["gateway"]), ["gateway"]);
        assert_eq!(
            names(&["composed-openclaw-files"]),
            [
                "gateway-embeddings-store",
                "runtime-openclaw-store",
                "store-files",
                "runtime-openclaw-files",
                "composed-openclaw-files",
            ]
        );
    }
}
