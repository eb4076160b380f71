//! A runtime that calls an OpenClaw gateway.
