//! Composes components: a socket, and plugs whose exports fill its imports.
//!
//! The result equals the output of `wac plug gateway.wasm --plug runtime.wasm` without the
//! names of its parts. It may import only WASI: a host would refuse to start a component
//! with other imports.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use wac_graph::types::{ItemKind, Package, Type, Types};
use wac_graph::{CompositionGraph, EncodeOptions, PackageId, plug};

use crate::slim::slim;

/// The arguments of `cargo xtask plug`, the same as of `wac plug`.
#[derive(Args)]
pub(crate) struct Plug {
    /// The component with the imports, such as `dist/gateway.wasm`.
    socket: PathBuf,
    /// A component with matching exports; repeatable.
    #[arg(long = "plug", value_name = "FILE", required = true)]
    plugs: Vec<PathBuf>,
    /// The file of the composed component.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

impl Plug {
    /// Composes the components and writes the result.
    pub(crate) fn run(self) -> Result<()> {
        let socket = read(&self.socket)?;
        let plugs: Vec<_> = self
            .plugs
            .iter()
            .map(|file| read(file))
            .collect::<Result<_>>()?;
        let composed = compose(&socket, &plugs)?;
        let file = self.output.display();
        fs::write(&self.output, composed).with_context(|| format!("cannot write {file}"))
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Fills the socket's imports with the plugs' exports.
///
/// # Errors
/// Components with different interfaces, and a result with imports other than WASI's.
pub(crate) fn compose(socket: &[u8], plugs: &[Vec<u8>]) -> Result<Vec<u8>> {
    let mut graph = CompositionGraph::new();
    let socket = register(&mut graph, "tidegate:socket", socket)?;
    let mut registered = Vec::new();
    for (n, plug) in plugs.iter().enumerate() {
        registered.push(register(&mut graph, &format!("tidegate:plug{n}"), plug)?);
    }
    plug(&mut graph, registered, socket)
        .context("the components use different versions of an interface")?;
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
    ensure!(
        foreign.is_empty(),
        "the result imports {names}, which no host provides"
    );
    Ok(())
}

/// Returns the names of imports other than WASI's. An interface that has only types, such as
/// `tidegate:agent/types`, needs no host.
fn foreign_imports(component: &[u8]) -> Result<Vec<String>> {
    let mut types = Types::default();
    let package = Package::from_bytes("tidegate:composed", None, component, &mut types)?;
    let imports = types[package.ty()].imports.iter();
    let foreign =
        imports.filter(|(name, kind)| !name.starts_with("wasi:") && !is_only_types(&types, **kind));
    Ok(foreign.map(|(name, _)| name.clone()).collect())
}

fn is_only_types(types: &Types, kind: ItemKind) -> bool {
    let is_type = |kind: &ItemKind| matches!(kind, ItemKind::Type(kind) if !matches!(kind, Type::Resource(_)));
    match kind {
        ItemKind::Instance(instance) => types[instance].exports.values().all(is_type),
        ItemKind::Type(_)
        | ItemKind::Func(_)
        | ItemKind::Component(_)
        | ItemKind::Module(_)
        | ItemKind::Value(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_module_is_refused() {
        assert!(compose(b"\0asm\x01\0\0\0", &[Vec::new()]).is_err());
    }
}
