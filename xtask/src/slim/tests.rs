use std::borrow::Cow;

use wasm_encoder::{
    CodeSection, CustomSection, EntityType, ExportKind, Function, FunctionSection, Module,
    ModuleSection, NestedComponentSection, TypeSection,
};
use wasmparser::{Validator, WasmFeatures};

use super::*;

fn custom(name: &str) -> CustomSection<'_> {
    let data = Cow::Borrowed(&b"0123456789"[..]);
    CustomSection {
        name: Cow::Borrowed(name),
        data,
    }
}

fn action() -> TypeSection {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    types
}

/// A module that exports a function.
fn exporter() -> Module {
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut exports = ExportSection::new();
    exports.export("what-is-given", ExportKind::Func, 0);
    let mut code = CodeSection::new();
    let mut body = Function::new([]);
    body.instructions().end();
    code.function(&body);
    let mut module = Module::new();
    module
        .section(&action())
        .section(&functions)
        .section(&exports);
    module
        .section(&code)
        .section(&custom("name"))
        .section(&custom("kept"));
    module
}

/// A module that imports that function with a different name.
fn importer() -> Module {
    let mut imports = ImportSection::new();
    imports.import("the-giver", "what-is-taken", EntityType::Function(0));
    let mut module = Module::new();
    module.section(&action()).section(&imports);
    module
}

/// A component with two connected modules.
fn joined() -> Component {
    let mut giving = InstanceSection::new();
    giving.instantiate(0, [("", ModuleArg::Instance(0)); 0]);
    let mut given = ComponentAliasSection::new();
    given.alias(Alias::CoreInstanceExport {
        instance: 0,
        kind: ExportKind::Func,
        name: "what-is-given",
    });
    let mut taking = InstanceSection::new();
    taking.export_items([("what-is-taken", ExportKind::Func, 0)]);
    taking.instantiate(1, [("the-giver", ModuleArg::Instance(1))]);
    let mut component = Component::new();
    component
        .section(&ModuleSection(&exporter()))
        .section(&ModuleSection(&importer()));
    component.section(&giving).section(&given).section(&taking);
    component
        .section(&custom("component-name"))
        .section(&custom("producers"));
    component
}

fn nested() -> Vec<u8> {
    let mut outer = Component::new();
    outer.section(&NestedComponentSection(&joined()));
    outer.finish()
}

fn holds(component: &[u8], text: &str) -> bool {
    let mut windows = component.windows(text.len());
    windows.any(|window| window == text.as_bytes())
}

#[test]
fn names_between_modules_are_shortened() {
    for component in [joined().finish(), nested()] {
        let slimmed = slim(&component).unwrap();
        for long in ["what-is-given", "what-is-taken", "the-giver"] {
            assert!(holds(&component, long) && !holds(&slimmed, long), "{long}");
        }
        let mut validator = Validator::new_with_features(WasmFeatures::all());
        validator.validate_all(&slimmed).unwrap();
    }
}

#[test]
fn only_debug_names_are_removed() {
    let slimmed = slim(&nested()).unwrap();
    for name in REMOVED {
        assert!(holds(&nested(), name) && !holds(&slimmed, name), "{name}");
    }
    assert!(holds(&slimmed, "kept"));
}

#[test]
fn a_slim_component_does_not_change() {
    let slimmed = slim(&nested()).unwrap();
    assert_eq!(slim(&slimmed).unwrap(), slimmed);
}

#[test]
fn incomplete_components_are_refused() {
    let component = joined().finish();
    let last = custom("producers").data.len();
    for length in component.len() - last..component.len() {
        assert!(slim(&component[..length]).is_err(), "{length}");
    }
    assert!(slim(&exporter().finish()).is_err());
    assert!(slim(b"no component").is_err());
}
