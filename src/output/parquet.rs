//! Rows to Parquet: dictionary-encoded text, in row groups of a size that suits DuckDB.

use std::io::{BufRead, Write};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{ColumnPath, Type, TypePtr};
use serde_json::Value;

use super::{OutputOptions, places_text};
use crate::error::{Error, ErrorKind, Result};
use crate::record::{CellKind, DUPLICATE_COLUMNS};

/// Rows in a row group. DuckDB reads groups in parallel and suggests 100,000 to 1,000,000; the
/// lower end is what a laptop holds in memory while it writes.
pub const ROWS_PER_GROUP: usize = 100_000;

/// Bytes of text in a row group at most, where quotes are long: some 100,000 rows of 650.
const BYTES_PER_GROUP: usize = 64 << 20;

/// Writes a Parquet file of the rows that [`super::Output`] wrote for it, one JSON object a line.
/// A function of the rows alone: the same rows give the same bytes. Holds one row group in memory.
///
/// # Errors
/// If a line is not a row of these columns, or the file cannot be written.
pub fn from_rows(
    rows: impl BufRead,
    options: &OutputOptions,
    out: impl Write + Send,
) -> Result<()> {
    let columns = columns(options);
    let schema = schema(&columns).map_err(cannot_write)?;
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(concat!("quotestance ", env!("CARGO_PKG_VERSION")).to_owned());
    for (name, kind) in &columns {
        if matches!(kind, CellKind::Boolean | CellKind::Integer | CellKind::Real) {
            let path = ColumnPath::from(name.as_str());
            properties = properties.set_column_dictionary_enabled(path, false);
        }
    }
    let mut writer = SerializedFileWriter::new(out, schema, Arc::new(properties.build()))
        .map_err(cannot_write)?;
    let mut group: Vec<Cells> = columns.iter().map(|(_, kind)| Cells::new(*kind)).collect();
    let (mut count, mut bytes) = (0, 0);
    for (index, line) in rows.lines().enumerate() {
        let bad =
            |message: &str| Error::new(ErrorKind::Format, format!("row {}: {message}", index + 1));
        let line = line.map_err(|error| bad("cannot be read").because(error))?;
        let mut row: serde_json::Map<String, Value> =
            serde_json::from_str(&line).map_err(|error| bad("not a JSON object").because(error))?;
        for ((name, _), cells) in columns.iter().zip(&mut group) {
            let cell = row.remove(name).unwrap_or(Value::Null);
            cells
                .push(cell)
                .ok_or_else(|| bad(&format!("column {name:?} holds another type")))?;
        }
        count += 1;
        bytes += line.len();
        if count == ROWS_PER_GROUP || bytes >= BYTES_PER_GROUP {
            write_group(&mut writer, &mut group).map_err(cannot_write)?;
            (count, bytes) = (0, 0);
        }
    }
    if count > 0 {
        write_group(&mut writer, &mut group).map_err(cannot_write)?;
    }
    writer.close().map_err(cannot_write)?;
    Ok(())
}

fn columns(options: &OutputOptions) -> Vec<(String, CellKind)> {
    let own = options.columns().into_iter();
    let own = own.map(|column| (column.name.to_owned(), column.kind));
    let kept = options.kept_names().into_iter();
    let duplicates = DUPLICATE_COLUMNS.iter().filter(|_| options.copies);
    own.chain(kept.map(|name| (name, CellKind::Text)))
        .chain(duplicates.map(|column| (column.name.to_owned(), column.kind)))
        .collect()
}

fn schema(columns: &[(String, CellKind)]) -> parquet::errors::Result<TypePtr> {
    let fields = columns.iter().map(|(name, kind)| {
        let (physical, logical) = match kind {
            CellKind::Text | CellKind::Places => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            CellKind::Boolean => (Physical::BOOLEAN, None),
            CellKind::Integer => (Physical::INT64, None),
            CellKind::Real => (Physical::DOUBLE, None),
        };
        let field = Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical);
        field.build().map(Arc::new)
    });
    let fields = fields.collect::<parquet::errors::Result<_>>()?;
    let schema = Type::group_type_builder("quotes").with_fields(fields);
    schema.build().map(Arc::new)
}

fn write_group<W: Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    group: &mut [Cells],
) -> parquet::errors::Result<()> {
    let mut row_group = writer.next_row_group()?;
    for cells in group {
        let mut column = row_group
            .next_column()?
            .expect("one for each field of the schema");
        cells.write(&mut column)?;
        column.close()?;
    }
    row_group.close()?;
    Ok(())
}

/// One column of the row group in the making.
struct Cells {
    values: Values,
    /// For each row 1, or 0 where its cell is missing.
    present: Vec<i16>,
}

enum Values {
    Text(Vec<ByteArray>),
    Boolean(Vec<bool>),
    Integer(Vec<i64>),
    Real(Vec<f64>),
}

impl Cells {
    fn new(kind: CellKind) -> Cells {
        Cells {
            values: match kind {
                CellKind::Text | CellKind::Places => Values::Text(Vec::new()),
                CellKind::Boolean => Values::Boolean(Vec::new()),
                CellKind::Integer => Values::Integer(Vec::new()),
                CellKind::Real => Values::Real(Vec::new()),
            },
            present: Vec::new(),
        }
    }

    /// `None`: the cell is of another type.
    fn push(&mut self, cell: Value) -> Option<()> {
        self.present.push(i16::from(!cell.is_null()));
        match (&mut self.values, cell) {
            (_, Value::Null) => {}
            (Values::Text(texts), Value::String(text)) => {
                texts.push(ByteArray::from(text.into_bytes()));
            }
            (Values::Text(texts), places @ Value::Array(_)) => {
                let places: Vec<[u64; 2]> = serde_json::from_value(places).ok()?;
                texts.push(ByteArray::from(places_text(&places).into_bytes()));
            }
            (Values::Boolean(truths), Value::Bool(truth)) => truths.push(truth),
            (Values::Integer(numbers), Value::Number(number)) => numbers.push(number.as_i64()?),
            (Values::Real(numbers), Value::Number(number)) => numbers.push(number.as_f64()?),
            _ => return None,
        }
        Some(())
    }

    /// Writes the cells and forgets them.
    fn write(&mut self, column: &mut SerializedColumnWriter) -> parquet::errors::Result<()> {
        fn write<T: DataType>(
            column: &mut SerializedColumnWriter,
            values: &mut Vec<T::T>,
            present: &[i16],
        ) -> parquet::errors::Result<()> {
            column
                .typed::<T>()
                .write_batch(values, Some(present), None)?;
            values.clear();
            Ok(())
        }
        match &mut self.values {
            Values::Text(texts) => write::<ByteArrayType>(column, texts, &self.present),
            Values::Boolean(truths) => write::<BoolType>(column, truths, &self.present),
            Values::Integer(numbers) => write::<Int64Type>(column, numbers, &self.present),
            Values::Real(numbers) => write::<DoubleType>(column, numbers, &self.present),
        }?;
        self.present.clear();
        Ok(())
    }
}

fn cannot_write(error: parquet::errors::ParquetError) -> Error {
    Error::new(ErrorKind::Io, "the Parquet file cannot be written").because(error)
}
