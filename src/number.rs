//! Numbers as they are written.

/// Six decimals: more than the model can mean, and the same text in CSV and JSON.
pub fn real(number: f32) -> f64 {
    (f64::from(number) * 1e6).round() / 1e6
}
