//! The interface to the host's key-value store.
//!
//! A method that returns `None` has failed, and the store has logged the failure. The limit
//! that needs it then does not apply.

/// A key-value store (`wasi:keyvalue`).
///
/// The encoding of a counter differs between hosts, so only [`Store::increment`] touches
/// one, and other values never do. No method lists the keys: that takes as long as the
/// store is large.
pub trait Store {
    /// Adds to a counter in one atomic step and returns the sum. A missing counter is 0.
    fn increment(&self, key: &str, amount: i64) -> Option<i64>;

    /// Returns whether a key exists.
    fn exists(&self, key: &str) -> Option<bool>;

    /// Returns a value, if the key exists.
    fn get(&self, key: &str) -> Option<Option<Vec<u8>>>;

    /// Returns the values of the keys that exist.
    fn get_many(&self, keys: &[String]) -> Option<Vec<Vec<u8>>>;

    /// Sets a value.
    fn set(&self, key: &str, value: &[u8]) -> Option<()>;

    /// Deletes keys. A key may be missing.
    fn delete_many(&self, keys: &[String]) -> Option<()>;
}

#[cfg(test)]
pub(crate) mod fake {
    //! Stores for tests.

    use std::cell::{Cell, RefCell};
    use std::collections::HashMap;

    use super::*;

    #[derive(Debug, Clone, PartialEq, Eq)]
    enum Value {
        Counter(i64),
        Bytes(Vec<u8>),
    }

    /// A store in memory. It fails the test if a counter and another value have one key.
    #[derive(Default)]
    pub(crate) struct Memory {
        values: RefCell<HashMap<String, Value>>,
        /// The sizes of all deletions.
        pub(crate) deletions: RefCell<Vec<usize>>,
        /// The number of additions to counters.
        additions: Cell<usize>,
    }

    impl Memory {
        pub(crate) fn additions(&self) -> usize {
            self.additions.get()
        }

        pub(crate) fn len(&self) -> usize {
            self.values.borrow().len()
        }

        pub(crate) fn keys(&self) -> Vec<String> {
            self.values.borrow().keys().cloned().collect()
        }
    }

    impl Store for Memory {
        fn increment(&self, key: &str, amount: i64) -> Option<i64> {
            let mut values = self.values.borrow_mut();
            let value = values.entry(key.to_owned()).or_insert(Value::Counter(0));
            let Value::Counter(count) = value else {
                panic!("{key} is not a counter");
            };
            *count += amount;
            let additions = self.additions.get() + usize::from(amount != 0);
            self.additions.set(additions);
            Some(*count)
        }

        fn exists(&self, key: &str) -> Option<bool> {
            Some(self.values.borrow().contains_key(key))
        }

        fn get(&self, key: &str) -> Option<Option<Vec<u8>>> {
            Some(self.values.borrow().get(key).map(|value| match value {
                Value::Bytes(bytes) => bytes.clone(),
                Value::Counter(_) => panic!("{key} is a counter"),
            }))
        }

        fn get_many(&self, keys: &[String]) -> Option<Vec<Vec<u8>>> {
            keys.iter()
                .filter_map(|key| self.get(key)?)
                .map(Some)
                .collect()
        }

        fn set(&self, key: &str, value: &[u8]) -> Option<()> {
            let value = Value::Bytes(value.to_vec());
            let before = self.values.borrow_mut().insert(key.to_owned(), value);
            assert!(
                !matches!(before, Some(Value::Counter(_))),
                "{key} is a counter"
            );
            Some(())
        }

        fn delete_many(&self, keys: &[String]) -> Option<()> {
            self.deletions.borrow_mut().push(keys.len());
            let mut values = self.values.borrow_mut();
            for key in keys {
                values.remove(key);
            }
            Some(())
        }
    }

    /// A store that always fails.
    pub(crate) struct Failing;

    impl Store for Failing {
        fn increment(&self, _: &str, _: i64) -> Option<i64> {
            None
        }

        fn exists(&self, _: &str) -> Option<bool> {
            None
        }

        fn get(&self, _: &str) -> Option<Option<Vec<u8>>> {
            None
        }

        fn get_many(&self, _: &[String]) -> Option<Vec<Vec<u8>>> {
            None
        }

        fn set(&self, _: &str, _: &[u8]) -> Option<()> {
            None
        }

        fn delete_many(&self, _: &[String]) -> Option<()> {
            None
        }
    }
}
