//! A [`Source`] is one file (or standard input) that articles are read from; [`Sources`] lists them
//! in a fixed order without holding the list.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use super::InputFormat;
use crate::beside::is_output;
use crate::error::{Error, ErrorKind, Result};
use crate::input::{self, Input, Limits, cannot_read, without_compression};

/// One file, or standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file, or `-`.
    pub path: PathBuf,
    /// The id of its article; of a table's rows only where the table has none.
    pub id: String,
}

impl Source {
    /// True for standard input.
    pub fn is_stdin(&self) -> bool {
        self.path.as_os_str() == "-"
    }
}

/// What was given to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// A file, a folder, a pattern such as `news/2024-*/*.html`, or `-` for standard input.
    Path(PathBuf),
    /// A file (or `-`) that lists paths, one a line.
    List(PathBuf),
}

/// The sources of what was given: files as given, folders sorted by name at each level, patterns
/// sorted by path, lists as they stand. Of a folder, only the names of one level for each level of
/// depth are held. Outputs of runs are passed over, but where they are given by their names.
pub struct Sources {
    stack: Vec<Pending>,
    /// Whether files of unknown endings in folders and patterns are taken too.
    any_ending: bool,
    notices: Vec<String>,
}

enum Pending {
    Given(Given),
    Folder(Folder),
    Pattern {
        paths: Box<glob::Paths>,
        pattern: String,
        /// What all paths begin with; ids leave it out.
        root: PathBuf,
        found: u64,
        passed: Passed,
    },
    List {
        lines: Input,
        path: PathBuf,
        passed: Passed,
    },
}

/// A folder on the way through it.
struct Folder {
    root: PathBuf,
    walk: walkdir::IntoIter,
    found: u64,
    passed: Passed,
}

/// Files passed over, for their endings and as outputs of runs.
#[derive(Default)]
struct Passed {
    unknown: Files,
    outputs: Files,
}

/// How many, and the first of them.
#[derive(Default)]
struct Files {
    count: u64,
    example: Option<PathBuf>,
}

impl Passed {
    /// Whether the file is to be passed over; it is counted then.
    fn over(&mut self, path: &Path, any_ending: bool) -> bool {
        let is_output = is_output(path);
        let is_known = InputFormat::of(path).is_some();
        if !is_output && (is_known || any_ending) {
            return false;
        }
        // A journal and its like would not have been read anyway: nobody needs to hear of them.
        if is_known || !is_output {
            let files = match is_output {
                true => &mut self.outputs,
                false => &mut self.unknown,
            };
            files.count += 1;
            files.example.get_or_insert_with(|| path.to_owned());
        }
        true
    }

    /// In words for the user.
    fn notices(&self, place: &str) -> Vec<String> {
        let notice = |some: &Files, why: &str| {
            let example = some.example.as_ref()?.display();
            Some(format!(
                "{place}: {} files passed over {why}, such as {example}",
                some.count
            ))
        };
        let unknown = notice(&self.unknown, "whose endings are not known");
        let outputs = notice(&self.outputs, "that are outputs of runs");
        outputs.into_iter().chain(unknown).collect()
    }
}

impl Sources {
    /// The sources of these, in their order. With `any_ending`, files in folders and patterns are
    /// taken whatever they are called.
    pub fn new(given: impl IntoIterator<Item = Given>, any_ending: bool) -> Sources {
        let mut stack: Vec<Pending> = given.into_iter().map(Pending::Given).collect();
        stack.reverse();
        Sources {
            stack,
            any_ending,
            notices: Vec::new(),
        }
    }

    /// What was passed over since the last call, in words for the user.
    pub fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    fn enter(&mut self, given: Given) -> Option<Result<Source>> {
        match given {
            Given::Path(path) if path.as_os_str() == "-" => Some(Ok(Source {
                path,
                id: "stdin".to_owned(),
            })),
            Given::Path(path) if path.is_dir() => {
                let walk = walkdir::WalkDir::new(&path)
                    .follow_links(true)
                    .sort_by_file_name()
                    .into_iter();
                self.stack.push(Pending::Folder(Folder {
                    root: path,
                    walk,
                    found: 0,
                    passed: Passed::default(),
                }));
                None
            }
            Given::Path(path) => match pattern_of(&path) {
                Some((pattern, root)) => match glob::glob(&pattern) {
                    Ok(paths) => {
                        self.stack.push(Pending::Pattern {
                            paths: Box::new(paths),
                            pattern,
                            root,
                            found: 0,
                            passed: Passed::default(),
                        });
                        None
                    }
                    Err(error) => {
                        let message = "neither a file nor a pattern";
                        Some(Err(Error::new(ErrorKind::Option, message)
                            .at(path)
                            .because(error)))
                    }
                },
                None => {
                    let stem = without_compression(&path).with_extension("");
                    let id = stem.file_name().unwrap_or_default();
                    let id = id.to_string_lossy().into_owned();
                    Some(Ok(Source { path, id }))
                }
            },
            Given::List(path) => {
                let lines = if path.as_os_str() == "-" {
                    Ok(Box::new(std::io::BufReader::new(std::io::stdin())) as Input)
                } else {
                    input::open(&path, &Limits::default())
                };
                match lines {
                    Ok(lines) => {
                        self.stack.push(Pending::List {
                            lines,
                            path,
                            passed: Passed::default(),
                        });
                        None
                    }
                    Err(error) => Some(Err(error)),
                }
            }
        }
    }
}

impl Iterator for Sources {
    type Item = Result<Source>;

    fn next(&mut self) -> Option<Result<Source>> {
        loop {
            let any_ending = self.any_ending;
            let step = match self.stack.last_mut()? {
                Pending::Given(_) => {
                    let Some(Pending::Given(given)) = self.stack.pop() else {
                        unreachable!("it was just seen");
                    };
                    if let Some(source) = self.enter(given) {
                        return Some(source);
                    }
                    continue;
                }
                Pending::Folder(folder) => folder.step(any_ending),
                Pending::Pattern {
                    paths,
                    pattern,
                    root,
                    found,
                    passed,
                } => match paths.next() {
                    None => Step::End(
                        passed.notices(pattern),
                        (*found == 0).then(|| {
                            Error::new(ErrorKind::Io, "no file that this pattern describes")
                                .at(&*pattern)
                                .hint("patterns know *, ?, [abc] and ** for any depth of folders")
                        }),
                    ),
                    Some(Err(error)) => {
                        *found += 1;
                        let path = error.path().to_owned();
                        Step::Source(Err(cannot_read(&path, error.into())))
                    }
                    Some(Ok(path)) if path.is_dir() => Step::Nothing,
                    Some(Ok(path)) if passed.over(&path, any_ending) => {
                        *found += 1;
                        Step::Nothing
                    }
                    Some(Ok(path)) => {
                        *found += 1;
                        let id = id_below(root, &path);
                        Step::Source(Ok(Source { path, id }))
                    }
                },
                Pending::List {
                    lines,
                    path,
                    passed,
                } => next_listed(lines, path, passed),
            };
            match step {
                Step::Nothing => {}
                Step::Source(source) => return Some(source),
                Step::End(notice, error) => {
                    self.notices.extend(notice);
                    self.stack.pop();
                    if let Some(error) = error {
                        return Some(Err(error));
                    }
                }
            }
        }
    }
}

enum Step {
    Nothing,
    Source(Result<Source>),
    End(Vec<String>, Option<Error>),
}

impl Folder {
    fn step(&mut self, any_ending: bool) -> Step {
        match self.walk.next() {
            None => {
                let empty = (self.found == 0).then(|| {
                    Error::new(ErrorKind::Empty, "no file to read in this folder")
                        .at(&self.root)
                        .hint("files ending in .txt, .md, .html, .csv, .tsv, .jsonl or .parquet are read, plain or with .gz or .zst")
                });
                let place = self.root.display().to_string();
                Step::End(self.passed.notices(&place), empty)
            }
            Some(Err(error)) => {
                self.found += 1;
                let path = error.path().unwrap_or(&self.root).to_owned();
                Step::Source(Err(Error::new(ErrorKind::Io, "cannot be read")
                    .at(path)
                    .because(error)))
            }
            Some(Ok(entry)) if !entry.file_type().is_file() => Step::Nothing,
            Some(Ok(entry)) if self.passed.over(entry.path(), any_ending) => Step::Nothing,
            Some(Ok(entry)) => {
                self.found += 1;
                let path = entry.into_path();
                let id = id_below(&self.root, &path);
                Step::Source(Ok(Source { path, id }))
            }
        }
    }
}

fn next_listed(lines: &mut Input, list: &Path, passed: &mut Passed) -> Step {
    let mut line = Vec::new();
    match lines.read_until(b'\n', &mut line) {
        Ok(0) => Step::End(passed.notices(&list.display().to_string()), None),
        Ok(_) if line.trim_ascii().is_empty() => Step::Nothing,
        Ok(_) => {
            let end = line.trim_ascii_end().len();
            line.truncate(end);
            let path = path_of(line);
            if passed.over(&path, true) {
                return Step::Nothing;
            }
            let id = id_below(Path::new("."), &path);
            Step::Source(Ok(Source { path, id }))
        }
        Err(error) => Step::End(Vec::new(), Some(cannot_read(list, error))),
    }
}

#[cfg(unix)]
fn path_of(bytes: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    std::ffi::OsString::from_vec(bytes).into()
}

#[cfg(not(unix))]
fn path_of(bytes: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

/// The path below the folder, without its endings, with `/` on every system.
fn id_below(folder: &Path, path: &Path) -> String {
    let below = path.strip_prefix(folder).unwrap_or(path);
    let below = without_compression(below).with_extension("");
    below.to_string_lossy().replace('\\', "/")
}

/// A path that is no file and has a wildcard, as a pattern; and the folders before the wildcard.
fn pattern_of(path: &Path) -> Option<(String, PathBuf)> {
    let pattern = path.to_str()?;
    if !pattern.contains(['*', '?', '[']) || path.exists() {
        return None;
    }
    let wild = |part: &std::path::Component| {
        let part = part.as_os_str().to_string_lossy();
        part.contains(['*', '?', '['])
    };
    let root = path.components().take_while(|part| !wild(part)).collect();
    Some((pattern.to_owned(), root))
}

/// Standard input's first bytes, and what they look like.
pub(super) fn stdin(limits: &Limits) -> Result<(Input, InputFormat)> {
    let path = Path::new("standard input");
    let mut input =
        input::decompressed(std::io::stdin(), limits).map_err(|error| cannot_read(path, error))?;
    let head = input.fill_buf().map_err(|error| cannot_read(path, error))?;
    let format = InputFormat::of_content(head);
    Ok((input, format))
}
