//! The OpenAI-compatible front door of an agent runtime.
