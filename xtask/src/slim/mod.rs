//! Makes a component smaller: removes names that only debuggers show, and shortens the
//! names with which its core modules refer to each other.
//!
//! Format: WebAssembly core specification, section 5.5, and the binary format
//! of the component model, which nests modules and components as sections.

use std::collections::HashMap;
use std::convert::Infallible;

use anyhow::{Context as _, Result};
use wasm_encoder::reencode::{
    Error, Reencode, ReencodeComponent, component_utils, utils as module_utils,
};
use wasm_encoder::{Alias, Component, ComponentAliasSection, ExportSection, ImportSection};
use wasm_encoder::{InstanceSection, ModuleArg};
use wasmparser::{ComponentAlias, CustomSectionReader, Export, Import, Imports, Instance, Parser};

/// The custom sections to remove.
const REMOVED: [&str; 3] = ["component-name", "name", "producers"];

/// Removes the names of parts and tools from a component, and shortens the names between
/// its core modules, at all levels of nesting. The names of its imports and exports do not
/// change.
///
/// # Errors
/// Bytes that are not a component.
pub(crate) fn slim(component: &[u8]) -> Result<Vec<u8>> {
    let mut slimmed = Component::new();
    Slimmer::default()
        .parse_component(&mut slimmed, Parser::new(0), component)
        .context("the component cannot be read")?;
    Ok(slimmed.finish())
}

/// Encodes a component again without the names.
#[derive(Default)]
struct Slimmer {
    /// The short name for each name between core modules. One table serves the whole
    /// component, so equal names stay equal.
    names: HashMap<String, String>,
}

impl Slimmer {
    fn short(&mut self, name: &str) -> String {
        let next = self.names.len();
        let short = self.names.entry(name.to_owned());
        short.or_insert_with(|| format!("{next:x}")).clone()
    }
}

impl Reencode for Slimmer {
    type Error = Infallible;

    fn parse_custom_section(
        &mut self,
        module: &mut wasm_encoder::Module,
        section: CustomSectionReader<'_>,
    ) -> Result<(), Error> {
        if REMOVED.contains(&section.name()) {
            return Ok(());
        }
        module_utils::parse_custom_section(self, module, section)
    }

    fn parse_imports(
        &mut self,
        section: &mut ImportSection,
        imports: Imports<'_>,
    ) -> Result<(), Error> {
        for import in imports {
            let (_, Import { module, name, ty }) = import?;
            let ty = self.entity_type(ty)?;
            section.import(&self.short(module), &self.short(name), ty);
        }
        Ok(())
    }

    fn parse_export(
        &mut self,
        exports: &mut ExportSection,
        export: Export<'_>,
    ) -> Result<(), Error> {
        let name = self.short(export.name);
        module_utils::parse_export(
            self,
            exports,
            Export {
                name: &name,
                ..export
            },
        )
    }
}

impl ReencodeComponent for Slimmer {
    fn parse_component_custom_section(
        &mut self,
        component: &mut Component,
        section: CustomSectionReader<'_>,
    ) -> Result<(), Error> {
        if REMOVED.contains(&section.name()) {
            return Ok(());
        }
        component_utils::parse_component_custom_section(self, component, section)
    }

    fn parse_component_alias_section(
        &mut self,
        aliases: &mut ComponentAliasSection,
        section: wasmparser::ComponentAliasSectionReader<'_>,
    ) -> Result<(), Error> {
        for alias in section {
            match alias? {
                ComponentAlias::CoreInstanceExport {
                    kind,
                    instance_index: instance,
                    name,
                } => aliases.alias(Alias::CoreInstanceExport {
                    instance,
                    kind: kind.into(),
                    name: &self.short(name),
                }),
                other => aliases.alias(self.component_alias(other)?),
            };
        }
        Ok(())
    }

    fn parse_instance(
        &mut self,
        instances: &mut InstanceSection,
        instance: Instance<'_>,
    ) -> Result<(), Error> {
        match instance {
            Instance::Instantiate { module_index, args } => {
                let args = args.iter();
                let args = args.map(|arg| (self.short(arg.name), ModuleArg::Instance(arg.index)));
                instances.instantiate(module_index, args);
            }
            Instance::FromExports(exports) => {
                let exports = exports.iter();
                let exports = exports
                    .map(|export| (self.short(export.name), export.kind.into(), export.index));
                instances.export_items(exports);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
