//! A folder with one file per key.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The maximum size of a value, in bytes.
const VALUE_LIMIT: u64 = 1024 * 1024;

/// The length of an addition, in bytes: its random id and its amount.
const ADDITION: usize = 16;

/// The size of one read of a counter, in bytes.
const PIECE: usize = 4096 * ADDITION;

/// The maximum number of unfinished files. A crash or a full disk leaves one.
const UNFINISHED: u64 = 64;

/// The age of an unfinished file whose writer has stopped.
const ABANDONED: Duration = Duration::from_mins(1);

/// An existing folder.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Opens a folder. Returns `None` if it does not exist.
    pub(crate) fn open(path: &str) -> Option<Self> {
        let path = PathBuf::from(path);
        path.is_dir().then_some(Self(path))
    }

    /// Returns whether a key exists.
    pub(crate) fn has(&self, key: &str) -> io::Result<bool> {
        self.file(key).try_exists()
    }

    /// Returns the value of a key.
    pub(crate) fn read(&self, key: &str) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = existing(File::open(self.file(key)))? else {
            return Ok(None);
        };
        let mut contents = Vec::new();
        file.take(VALUE_LIMIT).read_to_end(&mut contents)?;
        Ok(Some(contents))
    }

    /// Sets the value of a key. Concurrent readers get the old or the new value.
    pub(crate) fn write(&self, key: &str, value: &[u8]) -> io::Result<()> {
        let (unfinished, mut file) = self.begin()?;
        let written = file.write_all(value);
        let written = written.and_then(|()| fs::rename(&unfinished, self.file(key)));
        if written.is_err() {
            fs::remove_file(&unfinished).ok();
        }
        written
    }

    /// Adds to the number of a key and returns the sum including this addition. Adding
    /// nothing only reads.
    pub(crate) fn add(&self, key: &str, amount: i64) -> io::Result<i64> {
        let path = self.file(key);
        if amount == 0 {
            let file = existing(File::open(&path))?;
            return file.map_or(Ok(0), |file| sum_up_to(file, None));
        }
        let mine = random().to_le_bytes();
        let addition = [mine, amount.to_le_bytes()].concat();
        let mut file = OpenOptions::new().append(true).create(true).open(&path)?;
        file.write_all(&addition)?;
        sum_up_to(File::open(&path)?, Some(mine))
    }

    /// Deletes a key, if it exists.
    pub(crate) fn remove(&self, key: &str) -> io::Result<()> {
        existing(fs::remove_file(self.file(key))).map(|_| ())
    }

    /// Creates an unfinished file, which no other writer has.
    fn begin(&self) -> io::Result<(PathBuf, File)> {
        let first = random();
        for at in 0..UNFINISHED {
            let number = first.wrapping_add(at) % UNFINISHED;
            let path = self.0.join(format!("unfinished{number}~"));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((path, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    // The next writer uses its place.
                    if is_abandoned(&path) {
                        existing(fs::remove_file(&path))?;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    /// Returns the file of a key. A file name cannot contain `/`, so it becomes a comma,
    /// which the gateway's keys do not contain.
    fn file(&self, key: &str) -> PathBuf {
        self.0.join(Path::new(&key.replace('/', ",")))
    }
}

fn existing<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_abandoned(unfinished: &Path) -> bool {
    let changed = fs::metadata(unfinished).and_then(|metadata| metadata.modified());
    let age = changed.ok().and_then(|changed| changed.elapsed().ok());
    age.is_some_and(|age| age > ABANDONED)
}

/// Sums additions up to and including the one with the id `last`, or all of them.
fn sum_up_to(file: File, last: Option<[u8; 8]>) -> io::Result<i64> {
    let mut sum = 0_i64;
    let mut piece = Vec::with_capacity(PIECE);
    loop {
        piece.clear();
        (&file).take(PIECE as u64).read_to_end(&mut piece)?;
        for addition in piece.as_chunks::<ADDITION>().0 {
            let (id, amount) = addition.split_at(ADDITION / 2);
            let amount = amount.try_into().map_err(io::Error::other)?;
            sum = sum.saturating_add(i64::from_le_bytes(amount));
            if last.is_some_and(|last| id == last) {
                return Ok(sum);
            }
        }
        if piece.len() < PIECE {
            return Ok(sum);
        }
    }
}

/// Returns a random number, which identifies an addition or chooses an unfinished file.
fn random() -> u64 {
    RandomState::new().hash_one(0)
}
