//! Files that get their name when they are whole and on the disk, and their digests.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{cannot_read, cannot_write};
use crate::error::{Error, ErrorKind, Result};

/// A file in the making.
pub(super) type Out = BufWriter<File>;

/// Writes a file aside and gives it its name when it is on the disk.
pub(super) fn write_whole(path: &Path, write: impl FnOnce(&mut Out) -> Result<()>) -> Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    let partial = PathBuf::from(name);
    aside(&partial, write)?;
    rename(&partial, path)
}

pub(super) fn aside(path: &Path, write: impl FnOnce(&mut Out) -> Result<()>) -> Result<()> {
    let file = File::create(path).map_err(|error| cannot_write(path, error))?;
    let mut out = BufWriter::with_capacity(1 << 16, file);
    write(&mut out)?;
    out.flush()
        .and_then(|()| out.get_ref().sync_all())
        .map_err(|error| cannot_write(path, error))
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).map_err(|error| {
        Error::new(
            ErrorKind::Io,
            format!("cannot be renamed to {}", to.display()),
        )
        .at(from)
        .because(error)
    })
}

pub(super) fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::new(ErrorKind::Io, "cannot be removed")
                .at(path)
                .because(error))
        }
        _ => Ok(()),
    }
}

/// Makes renames last. Only Unix lets a folder be opened for it; elsewhere they last as they are.
pub(super) fn sync_folder(folder: &Path) -> Result<()> {
    let folder = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    if cfg!(unix) {
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| cannot_write(folder, error))?;
    }
    Ok(())
}

/// Length and SHA-256 of a file, as `sha256sum` tells it.
pub(super) fn digest_of(path: &Path) -> Result<(u64, String)> {
    let mut hash = Sha256::new();
    let mut file = File::open(path).map_err(|error| cannot_read(path, error))?;
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((bytes, hexadecimal(&hash.finalize()))),
            Ok(length) => {
                hash.update(&buffer[..length]);
                bytes += length as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(cannot_read(path, error)),
        }
    }
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
