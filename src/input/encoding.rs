//! Bytes to text: UTF-8 where they are, else UTF-16 or the legacy encoding they look like, never
//! with a character lost: what cannot be decoded whole is an error.

use std::io::{self, BufRead, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::Input;

/// Text, and what it was decoded from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Without a byte order mark.
    pub text: String,
    /// The encoding's name in the WHATWG standard, such as `windows-1252`. `None`: UTF-8.
    pub encoding: Option<&'static str>,
}

/// Why bytes are not text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotText {
    /// In words, lower case, without a full stop.
    pub message: String,
    /// The line of the first byte that cannot be decoded, from 1; `None` where it is no single
    /// byte.
    pub line: Option<u64>,
}

impl std::fmt::Display for NotText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for NotText {}

/// Bytes that a guess looks at, from the first that is not ASCII.
const GUESS_BYTES: usize = 1 << 20;

/// The encoding of this label (`utf-8`, `latin1`, `windows-1252`, `gbk`, …).
pub fn of_label(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label(label.as_bytes())
}

/// Decodes a whole document. A byte order mark decides; else `asked`; else UTF-8 if the bytes are
/// that, UTF-16 if every second byte is zero, else the legacy encoding they look like. UTF-8 with a
/// few broken bytes is not taken for another encoding, which would garble all of it.
///
/// # Errors
/// If no encoding, or not the one asked for, decodes every byte; or if the bytes are no text.
pub fn decode(
    mut bytes: Vec<u8>,
    asked: Option<&'static Encoding>,
) -> std::result::Result<Decoded, NotText> {
    if let Some((encoding, length)) = Encoding::for_bom(&bytes) {
        bytes.drain(..length);
        return decode_as(bytes, encoding);
    }
    if let Some(encoding) = asked {
        return decode_as(bytes, encoding);
    }
    if let Some(encoding) = looks_like_utf16(&bytes) {
        return decode_as(bytes, encoding);
    }
    let (bytes, broken) = match String::from_utf8(bytes) {
        Ok(text) => {
            let encoding = None;
            return Ok(Decoded { text, encoding });
        }
        Err(error) => {
            let broken = error.utf8_error().valid_up_to();
            (error.into_bytes(), broken)
        }
    };
    if looks_binary(&bytes) {
        return Err(NotText {
            message: "not text: it holds bytes that no text has".into(),
            line: None,
        });
    }
    if is_damaged_utf8(&bytes) {
        return Err(NotText {
            message: "not UTF-8: most of it is, but not all".into(),
            line: Some(line_of(&bytes, broken)),
        });
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let end = bytes.len().min(broken + GUESS_BYTES);
    detector.feed(&bytes[broken..end], end == bytes.len());
    decode_as(bytes, detector.guess(None, Utf8Detection::Deny))
}

fn decode_as(bytes: Vec<u8>, encoding: &'static Encoding) -> std::result::Result<Decoded, NotText> {
    if encoding == UTF_8 {
        let text = String::from_utf8(bytes).map_err(|error| NotText {
            message: "not UTF-8".into(),
            line: Some(line_of(error.as_bytes(), error.utf8_error().valid_up_to())),
        })?;
        let encoding = None;
        return Ok(Decoded { text, encoding });
    }
    match encoding.decode_without_bom_handling_and_without_replacement(&bytes) {
        Some(text) => Ok(Decoded {
            text: text.into_owned(),
            encoding: Some(encoding.name()),
        }),
        None => Err(NotText {
            message: format!("not {}", encoding.name()),
            line: None,
        }),
    }
}

fn line_of(bytes: &[u8], offset: usize) -> u64 {
    let ends = bytes[..offset].iter().filter(|&&byte| byte == b'\n');
    1 + ends.count() as u64
}

/// English and most other text in UTF-16 has a zero byte in every second place.
fn looks_like_utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(4096) & !1];
    let zeros = |first: usize| {
        let places = head.iter().skip(first).step_by(2);
        places.filter(|&&byte| byte == 0).count()
    };
    let (even, odd, half) = (zeros(0), zeros(1), head.len() / 2);
    let mostly = |one: usize, other: usize| half >= 2 && one * 2 > half && other * 20 <= half;
    if mostly(odd, even) {
        Some(UTF_16LE)
    } else if mostly(even, odd) {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// A zero byte, or one byte in fifty a control character.
fn looks_binary(bytes: &[u8]) -> bool {
    let control = |byte: &&u8| **byte < 0x20 && !matches!(**byte, b'\t' | b'\n' | b'\r' | 0x0c);
    let count = bytes.iter().filter(control).count();
    bytes.contains(&0) || count * 50 > bytes.len()
}

/// More well-formed UTF-8 sequences than places that are broken: legacy text has none of the former
/// but by chance.
fn is_damaged_utf8(bytes: &[u8]) -> bool {
    let (mut sequences, mut broken) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        sequences += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    sequences > broken
}

/// A table's bytes without a byte order mark, as UTF-8 if they were UTF-16; and the name of what
/// they were, if so. Other encodings are told row by row.
///
/// # Errors
/// If the first bytes cannot be read.
pub fn table_input(
    mut input: Input,
    asked: Option<&'static Encoding>,
) -> io::Result<(Input, Option<&'static str>)> {
    let head = input.fill_buf()?;
    let (encoding, bom) = match Encoding::for_bom(head) {
        Some((encoding, length)) => (Some(encoding), length),
        None => (asked.or_else(|| looks_like_utf16(head)), 0),
    };
    input.consume(bom);
    match encoding {
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => {
            let transcoder = Transcoder {
                input,
                decoder: encoding.new_decoder_without_bom_handling(),
                done: false,
            };
            let input = io::BufReader::with_capacity(64 << 10, transcoder);
            Ok((Box::new(input), Some(encoding.name())))
        }
        _ => Ok((input, None)),
    }
}

/// UTF-16 to UTF-8 on the way; a lone surrogate becomes U+FFFD, as the reader of a row can do
/// nothing about it.
struct Transcoder {
    input: Input,
    decoder: Decoder,
    done: bool,
}

impl Read for Transcoder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.done || buffer.is_empty() {
                return Ok(0);
            }
            let bytes = self.input.fill_buf()?;
            let last = bytes.is_empty();
            let (result, read, written, _) = self.decoder.decode_to_utf8(bytes, buffer, last);
            self.input.consume(read);
            self.done = last && result == CoderResult::InputEmpty;
            if written > 0 {
                return Ok(written);
            }
            if result == CoderResult::OutputFull {
                return Err(io::Error::other("buffer too small for a character"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> std::result::Result<(String, Option<&'static str>), String> {
        decode(bytes.to_vec(), None)
            .map(|decoded| (decoded.text, decoded.encoding))
            .map_err(|error| error.message)
    }

    #[test]
    fn encodings_are_told_apart() {
        let text = "“Café,” she said. “Naïve – and über all that.” It was £5.\r\n";
        let (windows, _, _) = encoding_rs::WINDOWS_1252.encode(text);
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf16be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let bom = |bom: &[u8], bytes: &[u8]| [bom, bytes].concat();
        let cases: [(Vec<u8>, Option<&str>); 7] = [
            (text.into(), None),
            (bom(b"\xef\xbb\xbf", text.as_bytes()), None),
            (windows.to_vec(), Some("windows-1252")),
            (bom(b"\xff\xfe", &utf16), Some("UTF-16LE")),
            (bom(b"\xfe\xff", &utf16be), Some("UTF-16BE")),
            (utf16, Some("UTF-16LE")),
            (utf16be, Some("UTF-16BE")),
        ];
        for (bytes, encoding) in cases {
            assert_eq!(decoded(&bytes), Ok((text.to_owned(), encoding)));
        }
        let russian = "Министр сказал, что договор будет расторгнут до конца года.";
        let (bytes, _, _) = encoding_rs::WINDOWS_1251.encode(russian);
        assert_eq!(
            decoded(&bytes),
            Ok((russian.to_owned(), Some("windows-1251")))
        );
    }

    #[test]
    fn what_is_no_text_is_refused() {
        assert_eq!(
            decoded("“Café,” she said – “é”.".as_bytes()[..24].into()),
            Err("not UTF-8: most of it is, but not all".into())
        );
        assert!(decoded(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").is_err());
        // A lone surrogate.
        assert!(decoded(b"\xff\xfea\0\0\xd8b\0").is_err());
        assert!(decode(b"caf\xe9".to_vec(), Some(UTF_8)).is_err());
    }

    #[test]
    fn zeros_in_utf8_are_kept() {
        assert_eq!(
            decoded(b"a\0b and more"),
            Ok(("a\0b and more".into(), None))
        );
        assert_eq!(decoded(b""), Ok((String::new(), None)));
    }
}
