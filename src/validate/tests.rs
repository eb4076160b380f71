//! The rules of a request as a whole.
