//! A [`ModelFolder`] is the three files a model is kept in: `config.json`, `tokenizer.json` and
//! `model.safetensors`, read from a directory or compiled into the program.

use std::fs::File;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use crate::error::{Error, ErrorKind, Result};

/// The files of one model, not yet understood.
#[derive(Debug)]
pub struct ModelFolder {
    /// The folder's own name, such as "stance"; part of the model's id.
    pub name: String,
    /// Where it is, for messages; `None` for a model inside the program.
    pub path: Option<PathBuf>,
    /// `config.json`.
    pub config: FileBytes,
    /// `tokenizer.json`.
    pub tokenizer: FileBytes,
    /// `model.safetensors`.
    pub weights: FileBytes,
}

impl ModelFolder {
    /// Opens the three files of a directory; the weights are mapped, not read.
    ///
    /// # Errors
    /// A missing or unreadable file, by name.
    pub fn open(dir: impl AsRef<Path>) -> Result<ModelFolder> {
        let dir = dir.as_ref();
        if !dir.is_dir() {
            let problem = if dir.exists() {
                "is not a folder"
            } else {
                "does not exist"
            };
            return Err(
                Error::new(ErrorKind::Model, format!("model folder {problem}"))
                    .at(dir)
                    .hint(FOLDER_HINT),
            );
        }
        let name = dir.canonicalize().ok();
        let name = name.as_deref().unwrap_or(dir).file_name();
        Ok(ModelFolder {
            name: name.map_or_else(|| "model".into(), |name| name.to_string_lossy().into()),
            path: Some(dir.to_owned()),
            config: FileBytes::map(&dir.join("config.json"))?,
            tokenizer: FileBytes::map(&dir.join("tokenizer.json"))?,
            weights: FileBytes::map(&dir.join("model.safetensors"))?,
        })
    }

    /// A model compiled into the program with `include_bytes!`.
    pub fn from_static(
        name: &str,
        config: &'static [u8],
        tokenizer: &'static [u8],
        weights: &'static [u8],
    ) -> ModelFolder {
        ModelFolder {
            name: name.to_owned(),
            path: None,
            config: FileBytes::Static(config),
            tokenizer: FileBytes::Static(tokenizer),
            weights: FileBytes::Static(weights),
        }
    }

    /// The stance model this crate ships.
    ///
    /// # Errors
    /// Built without the feature `embedded-model`.
    #[cfg(feature = "embedded-model")]
    pub fn embedded() -> Result<ModelFolder> {
        Ok(ModelFolder::from_static(
            "stance",
            include_bytes!("../../models/stance/config.json"),
            include_bytes!("../../models/stance/tokenizer.json"),
            include_bytes!("../../models/stance/model.safetensors"),
        ))
    }

    /// The stance model this crate ships.
    ///
    /// # Errors
    /// Built without the feature `embedded-model`.
    #[cfg(not(feature = "embedded-model"))]
    pub fn embedded() -> Result<ModelFolder> {
        Err(Error::new(
            ErrorKind::Model,
            "this program was built without a model inside (feature embedded-model is off)",
        )
        .hint("name a model folder, such as models/stance of the source tree"))
    }

    /// The quote tagger this crate ships.
    ///
    /// # Errors
    /// Built without the feature `embedded-model`.
    #[cfg(feature = "embedded-model")]
    pub fn embedded_tagger() -> Result<ModelFolder> {
        Ok(ModelFolder::from_static(
            "tagger",
            include_bytes!("../../models/tagger/config.json"),
            include_bytes!("../../models/tagger/tokenizer.json"),
            include_bytes!("../../models/tagger/model.safetensors"),
        ))
    }

    /// The quote tagger this crate ships.
    ///
    /// # Errors
    /// Built without the feature `embedded-model`.
    #[cfg(not(feature = "embedded-model"))]
    pub fn embedded_tagger() -> Result<ModelFolder> {
        Err(Error::new(
            ErrorKind::Model,
            "this program was built without a quote tagger inside (feature embedded-model is off)",
        )
        .hint("name a model folder, such as models/tagger of the source tree, or find quotes by rules only"))
    }

    /// The place of one of the files, for messages.
    pub(crate) fn place(&self, file: &str) -> PathBuf {
        match &self.path {
            Some(path) => path.join(file),
            None => PathBuf::from(format!("<embedded {}>", self.name)).join(file),
        }
    }
}

const FOLDER_HINT: &str =
    "a model folder holds config.json, tokenizer.json and model.safetensors (see models/README.md)";

/// The bytes of a file, however they are held.
#[derive(Debug)]
pub enum FileBytes {
    /// A file mapped into memory, read as it is touched.
    Mapped(Mmap),
    /// Part of the program.
    Static(&'static [u8]),
    /// In memory.
    Owned(Vec<u8>),
}

impl FileBytes {
    fn map(path: &Path) -> Result<FileBytes> {
        let failed = |problem: &str, source: std::io::Error| {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            Error::new(ErrorKind::Model, format!("{problem} {file}"))
                .at(path)
                .hint(FOLDER_HINT)
                .because(source)
        };
        let file = File::open(path).map_err(|error| failed("could not open", error))?;
        let length = file
            .metadata()
            .map_err(|error| failed("could not read", error))?
            .len();
        if length == 0 {
            // An empty file cannot be mapped on every system.
            return Ok(FileBytes::Owned(Vec::new()));
        }
        // SAFETY: the map is read-only and private to this value. Another process that shortens
        // the file while it is mapped would end this one (SIGBUS), and one that rewrites it would
        // change the weights: a model folder is not edited while it is in use, as with every
        // program that maps its data.
        let map = unsafe { Mmap::map(&file) };
        map.map(FileBytes::Mapped)
            .map_err(|error| failed("could not read", error))
    }
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            FileBytes::Mapped(map) => map,
            FileBytes::Static(bytes) => bytes,
            FileBytes::Owned(bytes) => bytes,
        }
    }
}
