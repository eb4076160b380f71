//! The bindings that wit-bindgen generates from `wit/`: the types of both sides, and the
//! exported interfaces. A gateway generates the imported interface itself, because a
//! component would import it if it were here.

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
        additional_derives: [PartialEq, serde::Deserialize, serde::Serialize],
        pub_export_macro: true,
        generate_all,
    });
}

#[allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    clippy::use_self,
    clippy::allow_attributes_without_reason,
    reason = "generated code, documented in wit/"
)]
pub mod embedder {
    spin_sdk::wit_bindgen::generate!({
        inline: "
            package tidegate:embedder;
            world embedder {
                export tidegate:agent/embeddings@0.1.0;
            }
        ",
        path: "../../wit",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        with: { "tidegate:agent/types@0.1.0": crate::types::generated },
        pub_export_macro: true,
        generate_all,
    });
}
