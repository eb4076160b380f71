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

/// A module that offers a function.
fn giver() -> Module {
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

/// A module that needs that function under a name of its own.
fn taker() -> Module {
    let mut imports = ImportSection::new();
    imports.import("the-giver", "what-is-taken", EntityType::Function(0));
    let mut module = Module::new();
    module.section(&action()).section(&imports);
    module
}

/// A component whose two modules find each other by names.
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
        .section(&ModuleSection(&giver()))
        .section(&ModuleSection(&taker()));
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
fn modules_find_each_other_by_short_names() {
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
fn names_for_debuggers_go_and_other_sections_stay() {
    let slimmed = slim(&nested()).unwrap();
    for name in LEFT_OUT {
        assert!(holds(&nested(), name) && !holds(&slimmed, name), "{name}");
    }
    assert!(holds(&slimmed, "kept"));
}

#[test]
fn what_is_slim_stays_as_it_is() {
    let slimmed = slim(&nested()).unwrap();
    assert_eq!(slim(&slimmed).unwrap(), slimmed);
}

#[test]
fn what_breaks_off_or_is_no_component_is_refused() {
    let component = joined().finish();
    let last = custom("producers").data.len();
    for length in component.len() - last..component.len() {
        assert!(slim(&component[..length]).is_err(), "{length}");
    }
    assert!(slim(&giver().finish()).is_err());
    assert!(slim(b"no component").is_err());
}
