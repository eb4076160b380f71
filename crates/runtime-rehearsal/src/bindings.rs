//! The types and the export of `tidegate:agent`, generated from `wit/`.

spin_sdk::wit_bindgen::generate!({
    world: "agent-runtime",
    path: "../../wit",
    runtime_path: "spin_sdk::wit_bindgen::rt",
    additional_derives: [PartialEq],
    generate_all,
});
