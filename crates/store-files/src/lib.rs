//! A key-value store in a folder, for hosts that have a file system and no store
//! of their own: `wasi:keyvalue`, as far as the gateway uses it, over files in
//! `/store`.
//!
//! All instances and processes that share the folder share the store. A number
//! is a file of additions, and each of them is appended in one write: whoever
//! adds finds the sum up to its own addition, and no two find the same.

#![cfg(target_family = "wasm")]

mod folder;

mod bindings {
    wit_bindgen::generate!({
        world: "provider",
        path: "wit",
        generate_all,
    });
}

mod export {
    #![expect(unsafe_code, reason = "the generated exports take raw pointers")]

    use super::Files;

    crate::bindings::export!(Files with_types_in crate::bindings);
}

use std::io;

use bindings::exports::wasi::keyvalue::{atomics, batch, store};
use folder::Folder;

/// Where the host mounts the folder.
const ROOT: &str = "/store";

struct Files;

impl store::Guest for Files {
    type Bucket = Folder;

    fn open(_identifier: String) -> Result<store::Bucket, store::Error> {
        let folder = Folder::open(ROOT).ok_or(store::Error::NoSuchStore)?;
        Ok(store::Bucket::new(folder))
    }
}

impl store::GuestBucket for Folder {
    fn get(&self, key: String) -> Result<Option<Vec<u8>>, store::Error> {
        self.read(&key).map_err(told)
    }

    fn set(&self, key: String, value: Vec<u8>) -> Result<(), store::Error> {
        self.write(&key, &value).map_err(told)
    }

    fn list_keys(&self, _cursor: Option<String>) -> Result<store::KeyResponse, store::Error> {
        let keys = self.keys().map_err(told)?;
        Ok(store::KeyResponse { keys, cursor: None })
    }
}

impl atomics::Guest for Files {
    fn increment(
        bucket: store::BucketBorrow<'_>,
        key: String,
        delta: i64,
    ) -> Result<i64, store::Error> {
        bucket.get::<Folder>().add(&key, delta).map_err(told)
    }
}

impl batch::Guest for Files {
    fn delete_many(bucket: store::BucketBorrow<'_>, keys: Vec<String>) -> Result<(), store::Error> {
        let folder = bucket.get::<Folder>();
        keys.iter()
            .try_for_each(|key| folder.remove(key))
            .map_err(told)
    }
}

fn told(error: io::Error) -> store::Error {
    store::Error::Other(error.kind().to_string())
}
