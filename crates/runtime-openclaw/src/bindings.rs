//! The generated types of `tidegate:agent`, and the exported interface.

spin_sdk::wit_bindgen::generate!({
    world: "agent-runtime",
    path: "../../wit",
    runtime_path: "spin_sdk::wit_bindgen::rt",
    additional_derives: [PartialEq],
    generate_all,
});
