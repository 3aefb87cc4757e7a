//! An [`Identity`] is what a run's bytes follow from: version, settings, model and inputs. A run
//! goes on only with what a run of the same identity has begun.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::article::source::{Given, Sources};
use crate::corpus::OutputFiles;
use crate::corpus::whole::hexadecimal;
use crate::error::{Error, ErrorKind, Result};
use crate::shard::Shard;

/// What a run's bytes follow from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// The program's version.
    pub version: String,
    /// Everything asked for, by the option's name; and what stands for it, such as the model's id.
    pub settings: Map<String, Value>,
    /// What is read, in order.
    pub inputs: Vec<InputFacts>,
    /// Which part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
}

/// One input as it stood when the run began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputFacts {
    /// As given.
    pub input: String,
    /// Files that it holds: 1, or those of a folder, a pattern or a list.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// SHA-256 of their ids (names below the folder) and their sizes, cut to 16 digits.
    pub names: String,
    /// The same with the times they were last modified.
    pub times: String,
}

impl Identity {
    /// Nothing, if an output begun as `then` may go on as this.
    ///
    /// # Errors
    /// With every difference named.
    pub fn same_as(&self, then: &Identity, files: &OutputFiles) -> Result<()> {
        let differences = self.differences(then);
        if differences.is_empty() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Busy,
            format!(
                "an interrupted run stands here that was begun otherwise: {}",
                differences.join("; ")
            ),
        )
        .at(files.out())
        .hint("give the same command to go on, --restart to begin anew, or name another --output"))
    }

    fn differences(&self, then: &Identity) -> Vec<String> {
        let mut found = self.settings_differences(then);
        if self.shard != then.shard {
            let name = |shard: &Option<Shard>| {
                shard.map_or("not given".to_owned(), |shard| shard.to_string())
            };
            found.push(format!(
                "--shard was {}, is now {}",
                name(&then.shard),
                name(&self.shard)
            ));
        }
        let names = |identity: &Identity| -> Vec<String> {
            let inputs = identity.inputs.iter();
            inputs.map(|input| input.input.clone()).collect()
        };
        if names(self) != names(then) {
            found.push(format!(
                "the inputs were {}, are now {}",
                names(then).join(" "),
                names(self).join(" ")
            ));
            return found;
        }
        for (now, then) in self.inputs.iter().zip(&then.inputs) {
            if (now.files, now.bytes) != (then.files, then.bytes) {
                found.push(format!(
                    "{} held {} bytes in {} files, now {} bytes in {} files",
                    now.input, then.bytes, then.files, now.bytes, now.files
                ));
            } else if now != then {
                found.push(format!("{} has been modified", now.input));
            }
        }
        found
    }

    fn settings_differences(&self, then: &Identity) -> Vec<String> {
        let mut found = Vec::new();
        if self.version != then.version {
            found.push(format!(
                "quotestance was {}, is now {}",
                then.version, self.version
            ));
        }
        let keys: BTreeSet<&String> = self.settings.keys().chain(then.settings.keys()).collect();
        for key in keys {
            let (was, is) = (then.settings.get(key), self.settings.get(key));
            if was != is {
                found.push(format!("{key} was {}, is now {}", words(was), words(is)));
            }
        }
        found
    }

    /// The differences that keep two shards from being parts of one whole. Where their inputs
    /// stood, and when they were copied there, is none.
    pub fn part_differences(&self, other: &Identity) -> Vec<String> {
        let mut found = self.settings_differences(other);
        let facts = |identity: &Identity| -> Vec<(u64, u64, String)> {
            let inputs = identity.inputs.iter();
            inputs
                .map(|input| (input.files, input.bytes, input.names.clone()))
                .collect()
        };
        if facts(self) != facts(other) {
            found.push("their inputs differ in number, size or names of files".to_owned());
        }
        found
    }

    /// This shard's whole.
    pub fn unsharded(&self) -> Identity {
        Identity {
            shard: None,
            ..self.clone()
        }
    }
}

fn words(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "not given".to_owned(),
        Some(Value::Array(values)) => {
            let values: Vec<String> = values.iter().map(|value| words(Some(value))).collect();
            values.join(", ")
        }
        Some(value) => value.to_string(),
    }
}

/// The inputs as they stand. What cannot be read is no error here: reading it will tell.
/// `any_ending`: files are read whatever they are called. `out`: where the run writes.
///
/// # Errors
/// If the output is one of the inputs.
pub fn inputs(given: &[Given], any_ending: bool, out: &Path) -> Result<Vec<InputFacts>> {
    given
        .iter()
        .map(|input| InputFacts::of(input, any_ending, out))
        .collect()
}

impl InputFacts {
    /// The list of files, where the input is one.
    pub fn list(&self) -> Option<&str> {
        self.input.strip_prefix(LIST)
    }

    fn of(input: &Given, any_ending: bool, out: &Path) -> Result<InputFacts> {
        let (mut names, mut times) = (Sha256::new(), Sha256::new());
        let (mut files, mut bytes) = (0, 0);
        let name = match input {
            Given::Path(path) => path.display().to_string(),
            Given::List(path) => format!("{LIST}{}", path.display()),
        };
        // Standard input can be read once only, and that is the run's affair.
        let from_stdin =
            matches!(input, Given::Path(path) | Given::List(path) if path.as_os_str() == "-");
        let given = (!from_stdin).then(|| input.clone());
        for source in Sources::new(given, any_ending).flatten() {
            let Ok(meta) = std::fs::metadata(&source.path) else {
                continue;
            };
            refuse_same(&source.path, out)?;
            files += 1;
            bytes += meta.len();
            let name = format!("{}\0{}\0", source.id, meta.len());
            names.update(&name);
            times.update(&name);
            times.update(modified(&meta).to_le_bytes());
        }
        Ok(InputFacts {
            input: name,
            files,
            bytes,
            names: short(names),
            times: short(times),
        })
    }
}

/// How the name of an input begins that lists files.
const LIST: &str = "--files-from ";

/// Refuses to write over what is read.
///
/// # Errors
/// If the output is this input.
pub fn refuse_same(input: &Path, out: &Path) -> Result<()> {
    if is_same(input, out) {
        return Err(
            Error::new(ErrorKind::Option, "the output is one of the inputs")
                .at(out)
                .hint("name another --output, or move this file away"),
        );
    }
    Ok(())
}

/// Whether two paths are of the same file, by their folders and names.
fn is_same(one: &Path, other: &Path) -> bool {
    let folder = |path: &Path| match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.canonicalize().ok(),
        _ => Path::new(".").canonicalize().ok(),
    };
    one.file_name() == other.file_name() && folder(one) == folder(other)
}

/// Nanoseconds since 1970; 0 where the file system does not say.
fn modified(meta: &Metadata) -> u128 {
    let time = meta.modified().ok();
    let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_nanos())
}

fn short(hash: Sha256) -> String {
    hexadecimal(&hash.finalize()[..8])
}
