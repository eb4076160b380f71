//! A key-value store in a folder, for hosts with a file system and without a store: the
//! part of `wasi:keyvalue` that the gateway uses, on files in `/store`.
//!
//! All instances and processes with access to the folder share the store. The file of a
//! number is a list of additions. Each addition is appended in one write and returns the
//! sum up to itself, so no two additions return the same sum.

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

/// The path at which the host mounts the folder.
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
        self.read(&key).map_err(store_error)
    }

    fn set(&self, key: String, value: Vec<u8>) -> Result<(), store::Error> {
        self.write(&key, &value).map_err(store_error)
    }

    fn exists(&self, key: String) -> Result<bool, store::Error> {
        self.has(&key).map_err(store_error)
    }
}

impl atomics::Guest for Files {
    fn increment(
        bucket: store::BucketBorrow<'_>,
        key: String,
        delta: i64,
    ) -> Result<i64, store::Error> {
        bucket.get::<Folder>().add(&key, delta).map_err(store_error)
    }
}

impl batch::Guest for Files {
    fn get_many(
        bucket: store::BucketBorrow<'_>,
        keys: Vec<String>,
    ) -> Result<Vec<(String, Option<Vec<u8>>)>, store::Error> {
        let folder = bucket.get::<Folder>();
        let values = keys.into_iter().map(|key| Ok((folder.read(&key)?, key)));
        let values = values.map(|read| read.map(|(value, key)| (key, value)));
        values.collect::<Result<_, _>>().map_err(store_error)
    }

    fn delete_many(bucket: store::BucketBorrow<'_>, keys: Vec<String>) -> Result<(), store::Error> {
        let folder = bucket.get::<Folder>();
        keys.iter()
            .try_for_each(|key| folder.remove(key))
            .map_err(store_error)
    }
}

fn store_error(error: io::Error) -> store::Error {
    store::Error::Other(error.kind().to_string())
}
