//! The built components: their worlds, their sizes, and the resources of a host that an
//! instance takes.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a missing component or an unreadable one fails the test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use wasmparser::{Instance, Parser, Payload};

/// The worlds of the components.
const WORLDS: &str = include_str!("../wit/components/worlds.wit");

/// The size limits in KiB: the size at the last change, and 5 %.
const SIZES: [(&str, u64); 4] = [
    ("tidegate-openclaw", 859),
    ("tidegate-openclaw-files", 976),
    ("tidegate-rehearsal", 778),
    ("gateway", 735),
];

/// What a component imports and exports.
#[derive(Debug, Default, PartialEq, Eq, Clone)]
struct World {
    imports: BTreeSet<String>,
    exports: BTreeSet<String>,
}

/// The resources of an instance that hosts ration.
#[derive(Debug, Default, PartialEq, Eq)]
struct Resources {
    core_instances: usize,
    tables: usize,
    memories: usize,
}

fn component(name: &str) -> Vec<u8> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("dist")
        .join(name)
        .with_extension("wasm");
    fs::read(file).expect("`cargo xtask build` has built the component")
}

/// Removes the patch version of WASI 0.2, which depends on the version of Rust.
fn interface(name: &str) -> String {
    let name = name.trim_end_matches(';');
    match name.split_once("@0.2.") {
        Some((interface, patch)) if !patch.contains('-') => format!("{interface}@0.2"),
        _ => name.to_owned(),
    }
}

/// Parses the worlds. A world is `include`d after its definition.
fn worlds() -> BTreeMap<&'static str, World> {
    let mut worlds: BTreeMap<&str, World> = BTreeMap::new();
    let mut name = "";
    for line in WORLDS.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        match words[..] {
            ["world", world, "{"] => {
                name = world;
                worlds.insert(name, World::default());
            }
            ["include", other] => {
                let other = worlds[other.trim_end_matches(';')].clone();
                let world = worlds.get_mut(name).expect("a world");
                world.imports.extend(other.imports);
                world.exports.extend(other.exports);
            }
            ["import", import] => {
                let world = worlds.get_mut(name).expect("a world");
                world.imports.insert(interface(import));
            }
            ["export", export] => {
                let world = worlds.get_mut(name).expect("a world");
                world.exports.insert(interface(export));
            }
            _ => {}
        }
    }
    worlds
}

/// Reads a component: its world, and the resources of one instance.
fn read(component: &[u8]) -> (World, Resources) {
    let (mut world, mut resources) = (World::default(), Resources::default());
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        match payload.unwrap() {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::InstanceSection(section) => {
                let instances = section.into_iter().map(Result::unwrap);
                let instantiated =
                    |instance: &Instance<'_>| matches!(instance, Instance::Instantiate { .. });
                resources.core_instances += instances.filter(instantiated).count();
            }
            Payload::TableSection(section) => resources.tables += section.count() as usize,
            Payload::MemorySection(section) => resources.memories += section.count() as usize,
            Payload::ComponentImportSection(section) if depth == 0 => {
                let names = section
                    .into_iter()
                    .map(|import| interface(import.unwrap().name.name));
                world.imports.extend(names);
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                let names = section
                    .into_iter()
                    .map(|export| interface(export.unwrap().name.name));
                world.exports.extend(names);
            }
            _ => {}
        }
    }
    (world, resources)
}

#[test]
fn every_component_has_the_world_in_wit() {
    let worlds = worlds();
    let shipped = worlds.keys().filter(|name| {
        let comment = format!("/// `{name}.wasm`");
        WORLDS.contains(&comment)
    });
    let mut checked = 0;
    for name in shipped {
        assert_eq!(read(&component(name)).0, worlds[name], "{name}");
        checked += 1;
    }
    assert_eq!(checked, 12);
}

#[test]
fn a_composed_component_imports_what_one_module_imports() {
    let types = "tidegate:agent/types@0.1.0".to_owned();
    let worlds = worlds();
    for (name, world) in worlds {
        let Some(parts) = name.strip_prefix("tidegate-") else {
            continue;
        };
        let mut composed = read(&component(&format!("composed-{parts}"))).0;
        // An interface of types alone, which no host has to provide.
        composed.imports.remove(&types);
        assert_eq!(composed, world, "{parts}");
    }
}

#[test]
fn a_component_has_its_size() {
    for (name, limit) in SIZES {
        let size = component(name).len() as u64;
        assert!(
            size <= limit * 1024,
            "{name}: {size} bytes, limit {limit} KiB"
        );
    }
}

/// Spin allows 2,000 tables, and wasmCloud 1,000 core instances, for all instances.
#[test]
fn an_instance_takes_few_resources_of_the_host() {
    let one_module = Resources {
        core_instances: 3,
        tables: 2,
        memories: 1,
    };
    for name in [
        "tidegate-openclaw",
        "tidegate-rehearsal",
        "gateway",
        "floor",
    ] {
        assert_eq!(read(&component(name)).1, one_module, "{name}");
    }
    let with_files = Resources {
        core_instances: 6,
        tables: 4,
        memories: 2,
    };
    for name in ["tidegate-openclaw-files", "composed-openclaw"] {
        assert_eq!(read(&component(name)).1, with_files, "{name}");
    }
}
