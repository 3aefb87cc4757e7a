//! [`Tensors`] are the named arrays of a `model.safetensors`, left where they are until asked for.
//!
//! Values may be stored as f32, f16, bf16, or as int8 with one f32 scale for each row: a tensor
//! `X` of type I8 and shape `[rows, …]` stands for `X[r, …] * X_scale[r]`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use ndarray::ArrayD;
use safetensors::{Dtype, SafeTensors};

use crate::error::{Error, ErrorKind, Result};
use crate::model::folder::FileBytes;

/// The arrays of one checkpoint.
#[derive(Debug)]
pub struct Tensors {
    bytes: Arc<FileBytes>,
    place: PathBuf,
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    dtype: Dtype,
    shape: Vec<usize>,
    range: Range<usize>,
}

impl Tensors {
    /// Reads the header; `place` is for messages.
    ///
    /// # Errors
    /// Bytes that are not a safetensors file.
    pub(crate) fn read(bytes: FileBytes, place: PathBuf) -> Result<Tensors> {
        let (header, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| {
            Error::new(ErrorKind::Model, "not a complete safetensors file")
                .at(&place)
                .hint("if it came from git-lfs or an interrupted download, fetch it again")
                .because(error)
        })?;
        // The header is preceded by its own length in eight bytes.
        let data = header + 8;
        let mut entries = BTreeMap::new();
        for (name, info) in metadata.tensors() {
            let range = data + info.data_offsets.0..data + info.data_offsets.1;
            if range.end > bytes.len() {
                let message = format!("tensor {name} lies beyond the end of the file");
                return Err(Error::new(ErrorKind::Model, message).at(&place));
            }
            let entry = Entry {
                dtype: info.dtype,
                shape: info.shape.clone(),
                range,
            };
            entries.insert(name, entry);
        }
        Ok(Tensors {
            bytes: Arc::new(bytes),
            place,
            entries,
        })
    }

    /// Whether there is a tensor of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// A tensor that is read row by row later: it keeps the file open, and nothing is copied.
    pub(crate) fn keep(&self, tensor: &Tensor) -> KeptTensor {
        let start = tensor.bytes.as_ptr() as usize - self.bytes.as_ptr() as usize;
        KeptTensor {
            file: Arc::clone(&self.bytes),
            range: start..start + tensor.bytes.len(),
            format: tensor.format.clone(),
            row_len: tensor.row_len(),
        }
    }

    /// All bytes of the file.
    pub(crate) fn file(&self) -> &[u8] {
        &self.bytes
    }

    /// A tensor as f32, in its own shape.
    ///
    /// # Errors
    /// No such tensor, or of a type that is not f32, f16, bf16 or int8 with a scale.
    pub fn array(&self, name: &str) -> Result<ArrayD<f32>> {
        let tensor = self.get(name)?;
        let shape = tensor.shape.to_vec();
        let values = tensor.to_f32();
        ArrayD::from_shape_vec(shape, values).map_err(|error| {
            Error::new(ErrorKind::Model, format!("tensor {name} is malformed"))
                .at(&self.place)
                .because(error)
        })
    }

    /// A tensor that must have this shape.
    pub(crate) fn shaped(&self, name: &str, shape: &[usize]) -> Result<Tensor<'_>> {
        let tensor = self.get(name)?;
        if tensor.shape != shape {
            return Err(Error::new(
                ErrorKind::Model,
                format!(
                    "tensor {name} has shape {:?}, but config.json asks for {shape:?}",
                    tensor.shape
                ),
            )
            .at(&self.place)
            .hint("config.json and model.safetensors must come from the same model"));
        }
        Ok(tensor)
    }

    fn get(&self, name: &str) -> Result<Tensor<'_>> {
        let entry = self.entries.get(name).ok_or_else(|| {
            Error::new(ErrorKind::Model, format!("there is no tensor {name}"))
                .at(&self.place)
                .hint("config.json and model.safetensors must come from the same model")
        })?;
        let format = match entry.dtype {
            Dtype::F32 => Format::F32,
            Dtype::F16 => Format::F16,
            Dtype::BF16 => Format::Bf16,
            Dtype::I8 => Format::Int8(self.scale(name, entry)?),
            other => {
                return Err(Error::new(
                    ErrorKind::Model,
                    format!("tensor {name} is of type {other:?}"),
                )
                .at(&self.place)
                .hint("weights are stored as F32, F16, BF16, or I8 with a scale for each row"));
            }
        };
        Ok(Tensor {
            format,
            shape: &entry.shape,
            bytes: &self.bytes[entry.range.clone()],
        })
    }

    /// The scale of each row of an int8 tensor.
    fn scale(&self, name: &str, entry: &Entry) -> Result<Vec<f32>> {
        let broken = |problem: String| Error::new(ErrorKind::Model, problem).at(&self.place);
        let scale_name = format!("{name}_scale");
        let scale = self.entries.get(&scale_name).ok_or_else(|| {
            broken(format!(
                "tensor {name} is of type I8, but there is no tensor {scale_name}"
            ))
        })?;
        let rows = entry.shape.first().copied().unwrap_or(0);
        if scale.dtype != Dtype::F32 || scale.shape != [rows] {
            return Err(broken(format!(
                "tensor {scale_name} is {:?} of shape {:?}, expected F32 of shape [{rows}]",
                scale.dtype, scale.shape
            )));
        }
        let bytes = &self.bytes[scale.range.clone()];
        Ok(bytes.chunks_exact(4).map(le_f32).collect())
    }
}

/// One tensor in place.
#[derive(Clone, Debug)]
pub(crate) struct Tensor<'a> {
    format: Format,
    pub(crate) shape: &'a [usize],
    bytes: &'a [u8],
}

/// How the values are stored, little-endian.
#[derive(Clone, Debug)]
enum Format {
    F32,
    F16,
    Bf16,
    /// With the scale of each row.
    Int8(Vec<f32>),
}

/// A tensor of a file that stays open.
#[derive(Debug)]
pub(crate) struct KeptTensor {
    file: Arc<FileBytes>,
    range: Range<usize>,
    format: Format,
    row_len: usize,
}

impl KeptTensor {
    /// As [`Tensor::read_row`].
    pub(crate) fn read_row(&self, row: usize, out: &mut [f32]) {
        let bytes = &self.file[self.range.clone()];
        self.format.read_row(bytes, self.row_len, row, out);
    }
}

impl Format {
    fn read_row(&self, bytes: &[u8], length: usize, row: usize, out: &mut [f32]) {
        assert_eq!(out.len(), length, "a row of {length} values");
        match self {
            Format::F32 => {
                let bytes = &bytes[row * length * 4..][..length * 4];
                for (value, bytes) in out.iter_mut().zip(bytes.chunks_exact(4)) {
                    *value = le_f32(bytes);
                }
            }
            Format::F16 => {
                let bits = &bytes[row * length * 2..][..length * 2];
                read_halves(bits, out, f16::from_bits, |halves, out| {
                    halves.convert_to_f32_slice(out)
                });
            }
            Format::Bf16 => {
                let bits = &bytes[row * length * 2..][..length * 2];
                read_halves(bits, out, bf16::from_bits, |halves, out| {
                    halves.convert_to_f32_slice(out)
                });
            }
            Format::Int8(scale) => {
                let bytes = &bytes[row * length..][..length];
                for (value, byte) in out.iter_mut().zip(bytes) {
                    *value = f32::from(*byte as i8) * scale[row];
                }
            }
        }
    }
}

impl<'a> Tensor<'a> {
    /// Values in a row: the product of all dimensions but the first.
    pub(crate) fn row_len(&self) -> usize {
        self.shape.iter().skip(1).product()
    }

    /// All values, row by row.
    pub(crate) fn to_f32(&self) -> Vec<f32> {
        let mut values = vec![0.0; self.shape.iter().product()];
        let row_len = self.row_len();
        if row_len > 0 {
            for (row, out) in values.chunks_exact_mut(row_len).enumerate() {
                self.read_row(row, out);
            }
        }
        values
    }

    /// One row of the first dimension, `[row_len]`.
    ///
    /// # Panics
    /// If there is no such row, or `out` is not as long as a row.
    pub(crate) fn read_row(&self, row: usize, out: &mut [f32]) {
        self.format.read_row(self.bytes, self.row_len(), row, out);
    }

    /// The stored int8 values of a row and its scale, where that is how it is stored.
    pub(crate) fn int8_row(&self, row: usize) -> Option<(&'a [u8], f32)> {
        let Format::Int8(scale) = &self.format else {
            return None;
        };
        let length = self.row_len();
        Some((&self.bytes[row * length..][..length], scale[row]))
    }
}

fn le_f32(bytes: &[u8]) -> f32 {
    f32::from_le_bytes(bytes.try_into().expect("chunks of four bytes"))
}

/// Converts 16-bit values through a small buffer: the file's bytes need not be aligned, and the
/// processor's own conversion wants whole slices.
fn read_halves<T: Copy + Default>(
    bits: &[u8],
    out: &mut [f32],
    from_bits: impl Fn(u16) -> T,
    convert: impl Fn(&[T], &mut [f32]),
) {
    let mut halves = [T::default(); 64];
    for (out, bits) in out.chunks_mut(64).zip(bits.chunks(128)) {
        for (half, bits) in halves.iter_mut().zip(bits.chunks_exact(2)) {
            *half = from_bits(u16::from_le_bytes([bits[0], bits[1]]));
        }
        convert(&halves[..out.len()], out);
    }
}
