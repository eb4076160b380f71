//! Leaves out of a component what only debuggers and package tools read: the
//! names of its parts and of the tools that made it.
//!
//! Format: WebAssembly core specification, section 5.5.2, and the binary format
//! of the component model, which nests modules and components as sections.

use anyhow::{Context as _, Result};

/// The custom sections that are left out.
const LEFT_OUT: [&[u8]; 3] = [b"component-name", b"name", b"producers"];

/// The length of the magic number and version before the first section.
const PREAMBLE: usize = 8;

const CUSTOM: u8 = 0;
const CORE_MODULE: u8 = 1;
const COMPONENT: u8 = 4;

/// Returns the component without its names, on every level of nesting.
///
/// # Errors
/// Bytes that are no component.
pub(crate) fn slim(component: &[u8]) -> Result<Vec<u8>> {
    let (preamble, mut rest) = split(component, PREAMBLE)?;
    let mut slimmed = preamble.to_vec();
    while let Some((id, after)) = rest.split_first() {
        let (size, after) = number(after)?;
        let (content, after) = split(after, size)?;
        rest = after;
        match *id {
            CUSTOM if is_left_out(content)? => {}
            COMPONENT => section(&mut slimmed, *id, &slim(content)?),
            CORE_MODULE => section(&mut slimmed, *id, &slim_module(content)?),
            _ => section(&mut slimmed, *id, content),
        }
    }
    Ok(slimmed)
}

/// A module nests nothing: its sections 1 and 4 are types and tables.
fn slim_module(module: &[u8]) -> Result<Vec<u8>> {
    let (preamble, mut rest) = split(module, PREAMBLE)?;
    let mut slimmed = preamble.to_vec();
    while let Some((id, after)) = rest.split_first() {
        let (size, after) = number(after)?;
        let (content, after) = split(after, size)?;
        rest = after;
        if *id != CUSTOM || !is_left_out(content)? {
            section(&mut slimmed, *id, content);
        }
    }
    Ok(slimmed)
}

fn is_left_out(custom: &[u8]) -> Result<bool> {
    let (length, rest) = number(custom)?;
    let (name, _) = split(rest, length)?;
    Ok(LEFT_OUT.contains(&name))
}

fn section(out: &mut Vec<u8>, id: u8, content: &[u8]) {
    out.push(id);
    let mut size = content.len();
    while size > 0x7f {
        out.push(0x80 | (size & 0x7f) as u8);
        size >>= 7;
    }
    out.push(size as u8);
    out.extend(content);
}

/// Reads an unsigned LEB128 number of at most 32 bits.
fn number(bytes: &[u8]) -> Result<(usize, &[u8])> {
    let mut value = 0_usize;
    for (at, byte) in bytes.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok((value, split(bytes, at + 1)?.1));
        }
    }
    anyhow::bail!("a number of the component breaks off")
}

fn split(bytes: &[u8], at: usize) -> Result<(&[u8], &[u8])> {
    bytes
        .split_at_checked(at)
        .context("the component breaks off")
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPONENT_HEAD: &[u8] = b"\0asm\x0d\0\x01\0";
    const MODULE_HEAD: &[u8] = b"\0asm\x01\0\0\0";

    fn custom(name: &str, size: usize) -> Vec<u8> {
        let mut content = vec![name.len() as u8];
        content.extend(name.bytes());
        content.extend(vec![7; size]);
        let mut out = Vec::new();
        section(&mut out, CUSTOM, &content);
        out
    }

    #[test]
    fn names_go_on_every_level_and_everything_else_stays() {
        let nested = |names: bool| {
            let name = |of: &str| if names { custom(of, 300) } else { Vec::new() };
            let types = [1, 1, 0, 4, 1, 0];
            let module = [MODULE_HEAD, &types, &name("name"), &custom("keep", 2)].concat();
            let mut inner = COMPONENT_HEAD.to_vec();
            section(&mut inner, CORE_MODULE, &module);
            inner.extend(name("producers"));
            let mut outer = [COMPONENT_HEAD, &name("component-name")].concat();
            section(&mut outer, COMPONENT, &inner);
            outer
        };
        assert_eq!(slim(&nested(true)).unwrap(), nested(false));
        assert_eq!(slim(&nested(false)).unwrap(), nested(false));
    }

    #[test]
    fn what_breaks_off_is_refused() {
        let whole = [COMPONENT_HEAD, &custom("name", 200)].concat();
        for length in 0..whole.len() {
            let cut = &whole[..length];
            assert!(length == PREAMBLE || slim(cut).is_err(), "{length}");
        }
    }
}
