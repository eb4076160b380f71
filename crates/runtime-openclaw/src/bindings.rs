//! The generated side of the contract: the types of `tidegate:agent`, and the
//! interface that this component exports.

spin_sdk::wit_bindgen::generate!({
    world: "agent-runtime",
    path: "../../wit",
    runtime_path: "spin_sdk::wit_bindgen::rt",
    additional_derives: [PartialEq],
    generate_all,
});
