//! The configuration file in the folder that the host mounts.
//!
//! The code calls WASI directly. The standard library's file functions would add the C
//! library's tables of paths and open files, 9 KiB per component.

use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

use crate::fault::Faults;

/// The path of the file.
const FILE: &str = "/tidegate.json5";

/// The maximum size of the file, in bytes.
const LIMIT: usize = 8 * 1024 * 1024;

/// The size of one read, in bytes.
const PIECE: u64 = 64 * 1024;

/// Reads `/tidegate.json5`. Without a mounted folder or without the file, the text is
/// empty.
///
/// # Errors
/// A file that cannot be read, is larger than 8 MiB or is not UTF-8.
pub(crate) fn read() -> Result<String, Faults> {
    match root().map(|root| open(&root)) {
        Some(Ok(file)) => text(&file),
        None | Some(Err(ErrorCode::NoEntry)) => Ok(String::new()),
        Some(Err(error)) => Err(unreadable(error)),
    }
}

/// Returns whether there is a `/tidegate.json5`, readable or not.
pub(crate) fn exists() -> bool {
    let opened = root().map(|root| open(&root));
    !matches!(opened, None | Some(Err(ErrorCode::NoEntry)))
}

/// Returns the folder that the host mounts as the root. A host may name it `/`, or `.` if
/// it mounts its own working directory.
fn root() -> Option<Descriptor> {
    let mut folders = get_directories().into_iter();
    let root = folders.find(|(_, path)| path.trim_matches(['.', '/']).is_empty());
    root.map(|(folder, _)| folder)
}

fn open(root: &Descriptor) -> Result<Descriptor, ErrorCode> {
    root.open_at(
        PathFlags::SYMLINK_FOLLOW,
        FILE.trim_start_matches('/'),
        OpenFlags::empty(),
        DescriptorFlags::READ,
    )
}

fn text(file: &Descriptor) -> Result<String, Faults> {
    let mut bytes = Vec::new();
    loop {
        let read = file.read(PIECE, bytes.len() as u64);
        let (piece, at_end) = read.map_err(unreadable)?;
        bytes.extend(piece);
        if bytes.len() > LIMIT {
            return Err(Faults::document(format!("{FILE} is larger than 8 MiB")));
        }
        if at_end {
            break;
        }
    }
    String::from_utf8(bytes).map_err(|_| Faults::document(format!("{FILE} is not UTF-8")))
}

fn unreadable(error: ErrorCode) -> Faults {
    Faults::document(format!("{FILE} cannot be read: {}", error.name()))
}
