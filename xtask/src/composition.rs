//! Two components made one: the gateway, plugged with a runtime.
//!
//! The result is what `wac plug gateway.wasm --plug runtime.wasm` writes. It
//! asks its host for WASI alone: anything else would be found out only when a
//! host refuses to start it.

use anyhow::{Context as _, Result, ensure};
use wac_graph::types::{ItemKind, Package, Type, Types};
use wac_graph::{CompositionGraph, EncodeOptions, PackageId, plug};

/// Plugs the runtime into the gateway.
///
/// # Errors
/// Parts whose interfaces differ, and a result that needs more than WASI.
pub(crate) fn compose(gateway: &[u8], runtime: &[u8]) -> Result<Vec<u8>> {
    let mut graph = CompositionGraph::new();
    let gateway = register(&mut graph, "tidegate:gateway", gateway)?;
    let runtime = register(&mut graph, "tidegate:runtime", runtime)?;
    plug(&mut graph, vec![runtime], gateway)
        .context("the two do not share one version of tidegate:agent/runtime")?;
    let composed = graph.encode(EncodeOptions::default())?;
    ensure_only_wasi(&composed)?;
    Ok(composed)
}

fn register(graph: &mut CompositionGraph, name: &str, component: &[u8]) -> Result<PackageId> {
    let package = Package::from_bytes(name, None, component, graph.types_mut())?;
    Ok(graph.register_package(package)?)
}

fn ensure_only_wasi(component: &[u8]) -> Result<()> {
    let foreign = foreign_imports(component)?;
    let names = foreign.join(", ");
    ensure!(foreign.is_empty(), "no host provides the imports {names}");
    Ok(())
}

/// Returns the names of what is imported and is not WASI's.
fn foreign_imports(component: &[u8]) -> Result<Vec<String>> {
    let mut types = Types::default();
    let package = Package::from_bytes("tidegate:composed", None, component, &mut types)?;
    let imports = types[package.ty()].imports.iter();
    let foreign = imports.filter(|(name, kind)| !name.starts_with("wasi:") && asks(**kind, &types));
    Ok(foreign.map(|(name, _)| name.clone()).collect())
}

/// Tells whether an import asks its host for anything. An interface of plain
/// types does not: it only gives them a name.
fn asks(import: ItemKind, types: &Types) -> bool {
    match import {
        ItemKind::Type(kind) => matches!(kind, Type::Resource(_)),
        ItemKind::Instance(id) => types[id].exports.values().any(|kind| asks(*kind, types)),
        ItemKind::Func(_) | ItemKind::Component(_) | ItemKind::Module(_) | ItemKind::Value(_) => {
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use wac_graph::types::{FuncType, Interface, PrimitiveType, ValueType};

    use super::*;

    fn instance(types: &mut Types, name: &str, item: ItemKind) -> ItemKind {
        let exports = [(name.to_owned(), item)].into_iter().collect();
        ItemKind::Instance(types.add_interface(Interface {
            id: None,
            uses: Default::default(),
            exports,
        }))
    }

    #[test]
    fn only_types_can_be_imported_from_nowhere() {
        let mut types = Types::default();
        let text = Type::Value(ValueType::Primitive(PrimitiveType::String));
        let named = instance(&mut types, "name", ItemKind::Type(text));
        assert!(!asks(named, &types));

        let call = types.add_func_type(FuncType {
            params: Default::default(),
            result: None,
            is_async: false,
        });
        let called = instance(&mut types, "call", ItemKind::Func(call));
        let nested = instance(&mut types, "inner", called);
        assert!(asks(called, &types));
        assert!(asks(nested, &types));
    }

    #[test]
    fn what_is_no_component_is_refused() {
        assert!(compose(b"\0asm\x01\0\0\0", b"").is_err());
    }
}
