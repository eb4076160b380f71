//! A folder with one file per key.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The maximum size of a read, in bytes: 64 Ki additions.
const READ_LIMIT: u64 = 1024 * 1024;

/// The length of an addition, in bytes: its random id and its amount.
const ADDITION: usize = 16;

/// The suffix of the names of unfinished files.
const UNFINISHED: &str = "~";

/// An existing folder.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Opens a folder. Returns `None` if it does not exist.
    pub(crate) fn open(path: &str) -> Option<Self> {
        let path = PathBuf::from(path);
        path.is_dir().then_some(Self(path))
    }

    /// Returns the value of a key.
    pub(crate) fn read(&self, key: &str) -> io::Result<Option<Vec<u8>>> {
        match File::open(self.file(key)) {
            Ok(file) => contents(file).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sets the value of a key. Concurrent readers get the old or the new value.
    pub(crate) fn write(&self, key: &str, value: &[u8]) -> io::Result<()> {
        let file = self.file(key);
        let unfinished = self.file(&format!("{key}/{:016x}", random()));
        let unfinished = unfinished.with_added_extension(UNFINISHED);
        fs::write(&unfinished, value)?;
        fs::rename(&unfinished, &file)
    }

    /// Adds to the number of a key and returns the sum including this addition.
    pub(crate) fn add(&self, key: &str, amount: i64) -> io::Result<i64> {
        let path = self.file(key);
        let mine = random().to_le_bytes();
        let addition = [mine, amount.to_le_bytes()].concat();
        let mut file = OpenOptions::new().append(true).create(true).open(&path)?;
        file.write_all(&addition)?;
        let additions = contents(File::open(&path)?)?;
        // Beyond the read limit, which exceeds every rate limit, each addition counts as one.
        let unread = file.metadata()?.len().saturating_sub(READ_LIMIT) / ADDITION as u64;
        let unread = i64::try_from(unread).unwrap_or(i64::MAX);
        Ok(sum_up_to(&additions, mine)?.saturating_add(unread))
    }

    /// Deletes a key, if it exists.
    pub(crate) fn remove(&self, key: &str) -> io::Result<()> {
        match fs::remove_file(self.file(key)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Returns all keys.
    pub(crate) fn keys(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.0)?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let finished = names.filter(|name| !name.ends_with(UNFINISHED));
        Ok(finished.map(|name| name.replace(',', "/")).collect())
    }

    /// Returns the file of a key. A file name cannot contain `/`, so it becomes a comma,
    /// which the gateway's keys do not contain.
    fn file(&self, key: &str) -> PathBuf {
        self.0.join(Path::new(&key.replace('/', ",")))
    }
}

fn contents(file: File) -> io::Result<Vec<u8>> {
    let mut contents = Vec::new();
    file.take(READ_LIMIT).read_to_end(&mut contents)?;
    Ok(contents)
}

/// Sums additions up to and including the one with the id `mine`.
fn sum_up_to(additions: &[u8], mine: [u8; 8]) -> io::Result<i64> {
    let mut sum = 0_i64;
    for addition in additions.as_chunks::<ADDITION>().0 {
        let (id, amount) = addition.split_at(mine.len());
        let amount = amount.try_into().map_err(io::Error::other)?;
        sum = sum.saturating_add(i64::from_le_bytes(amount));
        if id == mine {
            break;
        }
    }
    Ok(sum)
}

/// Returns a random number, which identifies an addition or an unfinished file.
fn random() -> u64 {
    RandomState::new().hash_one(0)
}
