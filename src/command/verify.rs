//! `quotestance verify`.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::{Args, CommandFactory, FromArgMatches};
use quotestance::article::Articles;
use quotestance::corpus::OutputFiles;
use quotestance::corpus::identity::{self, Identity};
use quotestance::corpus::manifest::Manifest;
use quotestance::corpus::verify::{Sample, verify};
use quotestance::{Error, ErrorKind, Run};

use super::corpus::{facts, tell_models};
use super::{Cli, Command, CommonArgs, InputArgs, Stop};

#[derive(Args)]
pub struct VerifyArgs {
    /// The output of a run, of a shard or of a merge, or the .run.json beside it
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// How many documents to work out anew
    #[arg(long, value_name = "N", default_value_t = 100)]
    sample: usize,
    /// Another number draws other documents
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// The folder that the inputs' relative paths start in [default: as recorded]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    common: CommonArgs,
}

impl VerifyArgs {
    pub fn run(self) -> Result<(), Stop> {
        let out = without_ending(&self.output);
        let out = std::path::absolute(&out).context("the current folder is gone")?;
        let files = OutputFiles::of(out);
        let manifest = Manifest::read(&files.manifest())?;
        let cli = recorded(&manifest, &files)?;
        let folder = self.folder.as_ref().unwrap_or(&manifest.folder);
        std::env::set_current_dir(folder).with_context(|| {
            format!(
                "{}: the folder of the inputs cannot be entered; say with --folder where it is now",
                folder.display()
            )
        })?;
        let pool = self.common.pool()?;
        let (mut run, input) = match cli.command {
            Command::Run(args) => (args.prepare(&pool)?.0, args.into_input()),
            Command::Quotes(args) => (args.prepare(&pool)?.0, args.into_input()),
            _ => {
                return Err(anyhow!(
                    "the settings in {} are of no run",
                    files.manifest().display()
                )
                .into());
            }
        };
        tell_models(&run, &self.common);
        let notes = self.notes(&manifest, &run, &input, &files)?;
        let sample = Sample {
            documents: self.sample,
            seed: self.seed,
        };
        let articles = || -> quotestance::Result<Articles> {
            let mut articles = Articles::new(input.given(), input.read_options()?);
            articles.metadata_columns()?;
            Ok(articles)
        };
        let report = verify(&files, &manifest, &mut run, articles, sample, &pool)?;
        let mut lines = report.differences.clone();
        if !self.common.quiet {
            lines.extend(notes.iter().map(|note| format!("note: {note}")));
            if report.left_out > 0 {
                lines.push(format!(
                    "note: {} articles have no rows, as near copies; whether they are that was not looked at",
                    report.left_out
                ));
            }
            lines.push(format!(
                "{} documents of {} worked out anew, {} rows: {} documents differ",
                report.documents, manifest.counts.documents, report.rows, report.differing
            ));
        }
        let mut out = std::io::stdout().lock();
        lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        match report.differences.is_empty() {
            true => Ok(()),
            false => Err(Stop::Differs),
        }
    }

    /// What may make rows differ though nothing is wrong.
    ///
    /// # Errors
    /// Where it is of no use to look at rows: another model has made them.
    fn notes(
        &self,
        manifest: &Manifest,
        run: &Run,
        input: &InputArgs,
        files: &OutputFiles,
    ) -> anyhow::Result<Vec<String>> {
        let then = &manifest.identity;
        let mut now = Identity {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            inputs: identity::inputs(&input.given(), input.input_format.is_some(), files.out())?,
            ..then.clone()
        };
        now.settings.extend(facts(run));
        for model in ["model", "finder"] {
            let (was, is) = (then.settings.get(model), now.settings.get(model));
            if was != is {
                let name = |value: Option<&serde_json::Value>| {
                    value.map_or_else(|| "none".to_owned(), ToString::to_string)
                };
                return Err(Error::new(
                    ErrorKind::Option,
                    format!("the {model} was {}, is now {}", name(was), name(is)),
                )
                .at(files.manifest())
                .hint("verify with the program and the model folder that the run had")
                .into());
            }
        }
        Ok(now.part_differences(then))
    }
}

/// `quotes.csv` for `quotes.csv.run.json`.
fn without_ending(path: &Path) -> PathBuf {
    let name = path.to_string_lossy();
    match name.strip_suffix(".run.json") {
        Some(out) => PathBuf::from(out),
        None => path.to_owned(),
    }
}

/// The command that the manifest tells of, without what does not change a row.
fn recorded(manifest: &Manifest, files: &OutputFiles) -> anyhow::Result<Cli> {
    let settings = &manifest.identity.settings;
    let name = settings.get("command").and_then(serde_json::Value::as_str);
    let name = name.unwrap_or_default();
    let mut words = vec!["quotestance".to_owned(), name.to_owned()];
    let mut command = Cli::command();
    command.build();
    let known = command.find_subcommand(name);
    for (option, values) in settings.iter().filter(|(name, _)| name.starts_with("--")) {
        let argument = known.and_then(|known| {
            known
                .get_arguments()
                .find(|argument| argument.get_long() == Some(&option[2..]))
        });
        let takes_values = argument.is_none_or(|argument| argument.get_action().takes_values());
        let values = values.as_array().into_iter().flatten();
        match takes_values {
            true => words.extend(
                values.map(|value| format!("{option}={}", value.as_str().unwrap_or_default())),
            ),
            false => words.push(option.clone()),
        }
    }
    let mut inputs = Vec::new();
    for input in &manifest.identity.inputs {
        let list = input.list();
        if list.unwrap_or(&input.input) == "-" {
            return Err(anyhow!(
                "{}: the run has read standard input, which cannot be read again",
                files.out().display()
            ));
        }
        match list {
            Some(list) => words.push(format!("--files-from={list}")),
            None => inputs.push(input.input.clone()),
        }
    }
    words.push("--".to_owned());
    words.extend(inputs);
    let context = || {
        format!(
            "{}: its settings are none of this version's",
            files.manifest().display()
        )
    };
    let matches = Cli::command()
        .try_get_matches_from(words)
        .with_context(context)?;
    Cli::from_arg_matches(&matches).with_context(context)
}
