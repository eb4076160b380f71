//! A runtime that answers by script.
