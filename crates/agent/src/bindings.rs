//! The bindings that wit-bindgen generates from `wit/`.

/// The imported interface, and the types of both sides.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::use_self,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::allow_attributes_without_reason,
    reason = "generated code, documented in wit/"
)]
pub(crate) mod gateway {
    spin_sdk::wit_bindgen::generate!({
        world: "gateway",
        path: "../../wit",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        additional_derives: [PartialEq],
        generate_all,
    });
}

/// The exported interface.
#[allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    clippy::use_self,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::allow_attributes_without_reason,
    reason = "generated code, documented in wit/"
)]
pub mod agent_runtime {
    spin_sdk::wit_bindgen::generate!({
        world: "agent-runtime",
        path: "../../wit",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        with: {
            "tidegate:agent/types@0.1.0": super::gateway::tidegate::agent::types,
        },
        pub_export_macro: true,
    });
}
