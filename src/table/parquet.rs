//! Rows of Parquet, read a page at a time.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row as Fields};
use parquet::schema::types::{Type, TypePtr};

use super::{Row, RowPlace, not_text};
use crate::error::{Error, ErrorKind, Result};
use crate::input::encoding::decode;
use crate::input::{Exceeded, Limits, RATIO_FREE_BYTES, cannot_open, cannot_read};

/// The records of one file.
pub struct Records {
    path: PathBuf,
    schema: TypePtr,
    columns: Arc<Vec<String>>,
    /// Taken once it cannot be read on.
    rows: Option<RowIter<'static>>,
    /// The number of the last record read.
    record: u64,
    limits: Limits,
}

const MAGIC: &[u8] = b"PAR1";

impl Records {
    /// `None`: the file does not begin as Parquet does; it may be compressed as a whole.
    pub fn of_file(path: &Path, limits: &Limits) -> Result<Option<Records>> {
        let mut file = File::open(path).map_err(|error| cannot_open(path, error))?;
        let mut head = [0; 4];
        if file.read_exact(&mut head).is_err() || head != MAGIC {
            return Ok(None);
        }
        file.rewind().map_err(|error| cannot_open(path, error))?;
        let reader = SerializedFileReader::new(file).map_err(|error| not_parquet(path, error))?;
        Records::new(path, Box::new(reader), limits).map(Some)
    }

    pub fn of_bytes(path: &Path, bytes: Vec<u8>, limits: &Limits) -> Result<Records> {
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes))
            .map_err(|error| not_parquet(path, error))?;
        Records::new(path, Box::new(reader), limits)
    }

    fn new(path: &Path, reader: Box<dyn FileReader>, limits: &Limits) -> Result<Records> {
        let metadata = reader.metadata();
        let chunks = metadata
            .row_groups()
            .iter()
            .flat_map(|group| group.columns());
        for chunk in chunks {
            let (packed, plain) = (chunk.compressed_size(), chunk.uncompressed_size());
            let bomb = plain.max(0) as u64 > RATIO_FREE_BYTES
                && plain as u64 / packed.max(1) as u64 > limits.max_ratio;
            if bomb {
                let exceeded = Exceeded::Ratio(limits.max_ratio);
                return Err(cannot_read(path, exceeded.into()));
            }
        }
        let schema = metadata.file_metadata().schema_descr().root_schema_ptr();
        let names = schema.get_fields().iter();
        let columns = names.map(|field| field.name().to_owned()).collect();
        Ok(Records {
            path: path.to_owned(),
            schema,
            columns: Arc::new(columns),
            rows: Some(RowIter::from_file_into(reader)),
            record: 0,
            limits: *limits,
        })
    }

    pub fn columns(&self) -> Vec<String> {
        self.columns.to_vec()
    }

    pub fn project(&mut self, columns: &[&str]) -> Result<()> {
        let fields = self.schema.get_fields().iter();
        let fields: Vec<TypePtr> = fields
            .filter(|field| columns.contains(&field.name()))
            .cloned()
            .collect();
        self.columns = Arc::new(fields.iter().map(|field| field.name().to_owned()).collect());
        let projection = Type::group_type_builder(self.schema.name())
            .with_fields(fields)
            .build()
            .map_err(|error| not_parquet(&self.path, error))?;
        if let Some(rows) = self.rows.take() {
            let rows = rows
                .project(Some(projection))
                .map_err(|error| not_parquet(&self.path, error))?;
            self.rows = Some(rows);
        }
        Ok(())
    }

    pub fn next(&mut self) -> Option<Result<Row>> {
        let next = self.rows.as_mut()?.next();
        self.record += 1;
        match next {
            None => None,
            Some(Ok(fields)) => Some(self.row(&fields)),
            Some(Err(error)) => {
                self.rows = None;
                let error = Error::new(ErrorKind::Format, "cannot be read from this record on")
                    .at(&self.path)
                    .at_record(self.record)
                    .hint("the file is damaged; write it anew from its source")
                    .because(error);
                Some(Err(error))
            }
        }
    }

    fn row(&self, fields: &Fields) -> Result<Row> {
        let mut values = Vec::with_capacity(self.columns.len());
        let mut encoding = None;
        for (name, field) in fields.get_column_iter() {
            let place = |error: Error| error.at(&self.path).at_record(self.record).at_column(name);
            let value = match field {
                Field::Null => None,
                Field::Str(text) => Some(text.clone()),
                // Strings of writers that do not mark them as such.
                Field::Bytes(bytes) => {
                    let decoded = decode(bytes.data().to_vec(), None)
                        .map_err(|error| place(not_text(error)))?;
                    encoding = encoding.or(decoded.encoding);
                    Some(decoded.text)
                }
                other => Some(other.to_string()),
            };
            let length = value.as_ref().map_or(0, String::len) as u64;
            if length > self.limits.max_document_bytes {
                let exceeded = Exceeded::Document(self.limits.max_document_bytes);
                return Err(place(cannot_read(&self.path, exceeded.into())));
            }
            values.push(value);
        }
        Ok(Row {
            at: RowPlace::Record(self.record),
            encoding,
            columns: self.columns.clone(),
            values,
            not_text: Vec::new(),
        })
    }
}

fn not_parquet(path: &Path, error: parquet::errors::ParquetError) -> Error {
    Error::new(ErrorKind::Format, "not a Parquet file that can be read")
        .at(path)
        .because(error)
}
