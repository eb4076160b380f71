//! Two components made one: the gateway, plugged with a runtime.
//!
//! The result is what `wac plug gateway.wasm --plug runtime.wasm` writes, less
//! the names of its parts. It asks its host for WASI alone: anything else would
//! be found out only when a host refuses to start it.

use anyhow::{Context as _, Result, ensure};
use wac_graph::types::{Package, Types};
use wac_graph::{CompositionGraph, EncodeOptions, PackageId, plug};

use crate::slim::slim;

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
    let composed = slim(&graph.encode(EncodeOptions::default())?)?;
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
    let names = imports.map(|(name, _)| name);
    Ok(names
        .filter(|name| !name.starts_with("wasi:"))
        .cloned()
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_component_is_refused() {
        assert!(compose(b"\0asm\x01\0\0\0", b"").is_err());
    }
}
