//! [`Metadata`] is what a source says about an article beside its text: when it appeared, where,
//! under which title and address, and any columns a user wants to keep.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::table::{Row, Table};

/// What is known about an article.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// When it was published, as written in the source.
    pub date: Option<String>,
    /// The newspaper, site or broadcaster.
    pub outlet: Option<String>,
    /// Its headline.
    pub title: Option<String>,
    /// Its address.
    pub url: Option<String>,
    /// The columns that were to be kept, in their order.
    pub kept: Vec<Option<String>>,
}

/// Column names taken for the date, in this order.
pub const DATE_COLUMNS: [&str; 12] = [
    "date",
    "published",
    "publication_date",
    "publish_date",
    "date_published",
    "published_at",
    "published_date",
    "pub_date",
    "pubdate",
    "datetime",
    "timestamp",
    "created_at",
];
/// Column names taken for the outlet, in this order.
pub const OUTLET_COLUMNS: [&str; 10] = [
    "outlet",
    "newspaper",
    "publication",
    "publisher",
    "source",
    "source_name",
    "media",
    "media_name",
    "site",
    "domain",
];
/// Column names taken for the title, in this order.
pub const TITLE_COLUMNS: [&str; 4] = ["title", "headline", "article_title", "head"];
/// Column names taken for the address, in this order.
pub const URL_COLUMNS: [&str; 6] = ["url", "link", "uri", "web_url", "article_url", "permalink"];

/// Which metadata the rows of a run carry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataColumns {
    /// Those of `date`, `outlet`, `title` and `url` that some source has.
    pub guessed: BTreeSet<String>,
    /// Columns of the tables that are carried under their own names.
    pub kept: Vec<String>,
}

/// The four that are guessed by name, with the names they are guessed by.
const GUESSES: [(&str, &[&str]); 4] = [
    ("date", &DATE_COLUMNS),
    ("outlet", &OUTLET_COLUMNS),
    ("title", &TITLE_COLUMNS),
    ("url", &URL_COLUMNS),
];

impl MetadataColumns {
    /// Adds what a web page may tell.
    pub(super) fn add_page(&mut self) {
        self.guessed
            .extend(GUESSES.map(|(name, _)| name.to_owned()));
    }
}

/// Where one table's columns hold the metadata.
#[derive(Clone, Debug, Default)]
pub(super) struct TableMetadata {
    /// For each of [`GUESSES`], the table's column.
    columns: [Option<String>; 4],
    kept: Vec<String>,
}

impl TableMetadata {
    pub(super) fn of(table: &Table, text_column: &str, kept: &[String]) -> Result<TableMetadata> {
        let mut found = TableMetadata {
            kept: kept.to_vec(),
            ..TableMetadata::default()
        };
        for (column, (_, guesses)) in found.columns.iter_mut().zip(GUESSES) {
            *column = table
                .column(None, guesses)?
                .filter(|name| name != text_column);
        }
        Ok(found)
    }

    /// The names of the four that this table has.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        let columns = self.columns.iter().zip(GUESSES);
        columns.filter_map(|(column, (name, _))| column.as_ref().map(|_| name))
    }

    /// The table's columns that are read for it.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        let guessed = self.columns.iter().flatten();
        guessed.chain(&self.kept).map(String::as_str)
    }

    /// How the columns were guessed, in words.
    pub(super) fn guesses(&self) -> String {
        let columns = self.columns.iter().zip(GUESSES);
        let words = columns.filter_map(|(column, (name, _))| {
            let column = column.as_ref()?;
            Some(format!(", {column:?} as {name}"))
        });
        words.collect()
    }

    pub(super) fn of_row(&self, row: &Row) -> Metadata {
        let text = |column: &str| row.get(column).map(str::to_owned);
        let [date, outlet, title, url] =
            (self.columns.each_ref()).map(|column| text(column.as_deref()?));
        Metadata {
            date,
            outlet,
            title,
            url,
            kept: self.kept.iter().map(|column| text(column)).collect(),
        }
    }
}
