//! The size limit of the composed components, which keeps deployment and start fast.

use std::path::Path;

/// The size limit of a composed component, in bytes.
const LIMIT: u64 = 700 * 1024;

#[test]
fn a_composed_component_is_smaller_than_700_kibibytes() {
    for runtime in ["openclaw", "rehearsal"] {
        let file =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("dist/tidegate-{runtime}.wasm"));
        let size = file.metadata().map(|metadata| metadata.len());
        assert!(
            size.is_ok_and(|size| size < LIMIT),
            "{} is missing or too large: run `cargo xtask test`",
            file.display()
        );
    }
}
