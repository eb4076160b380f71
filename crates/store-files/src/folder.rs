//! A folder with a file for each key.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// How much of a file is read, in bytes: 64 Ki additions.
const READ_LIMIT: u64 = 1024 * 1024;

/// The length of an addition: whose it is, and how much.
const ADDITION: usize = 16;

/// What ends the names of files that are being written.
const UNFINISHED: &str = "~";

/// A folder that is there.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Opens a folder; none where there is none.
    pub(crate) fn open(path: &str) -> Option<Self> {
        let path = PathBuf::from(path);
        path.is_dir().then_some(Self(path))
    }

    /// Returns what is kept under a key.
    pub(crate) fn read(&self, key: &str) -> io::Result<Option<Vec<u8>>> {
        match File::open(self.file(key)) {
            Ok(file) => contents(file).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps a value under a key. Whoever reads meanwhile finds the old one or
    /// the new one.
    pub(crate) fn write(&self, key: &str, value: &[u8]) -> io::Result<()> {
        let file = self.file(key);
        let unfinished = self.file(&format!("{key}/{:016x}", random()));
        let unfinished = unfinished.with_added_extension(UNFINISHED);
        fs::write(&unfinished, value)?;
        fs::rename(&unfinished, &file)
    }

    /// Adds to the number under a key, and returns the sum up to this addition.
    pub(crate) fn add(&self, key: &str, amount: i64) -> io::Result<i64> {
        let path = self.file(key);
        let mine = random().to_le_bytes();
        let addition = [mine, amount.to_le_bytes()].concat();
        let mut file = OpenOptions::new().append(true).create(true).open(&path)?;
        file.write_all(&addition)?;
        let additions = contents(File::open(&path)?)?;
        // Far beyond any limit each addition counts as one, and none is lost.
        let unread = file.metadata()?.len().saturating_sub(READ_LIMIT) / ADDITION as u64;
        let unread = i64::try_from(unread).unwrap_or(i64::MAX);
        Ok(sum_up_to(&additions, mine)?.saturating_add(unread))
    }

    /// Deletes what is kept under a key, if anything is.
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

    /// Returns the file of a key. A comma stands for `/`, which no name can
    /// hold; the gateway's keys hold no comma.
    fn file(&self, key: &str) -> PathBuf {
        self.0.join(Path::new(&key.replace('/', ",")))
    }
}

fn contents(file: File) -> io::Result<Vec<u8>> {
    let mut contents = Vec::new();
    file.take(READ_LIMIT).read_to_end(&mut contents)?;
    Ok(contents)
}

/// Sums additions up to one's own.
fn sum_up_to(additions: &[u8], mine: [u8; 8]) -> io::Result<i64> {
    let mut sum = 0_i64;
    for addition in additions.as_chunks::<ADDITION>().0 {
        let (whose, amount) = addition.split_at(mine.len());
        let amount = amount.try_into().map_err(io::Error::other)?;
        sum = sum.saturating_add(i64::from_le_bytes(amount));
        if whose == mine {
            break;
        }
    }
    Ok(sum)
}

/// Returns a number that no other instance returns.
fn random() -> u64 {
    RandomState::new().hash_one(0)
}
