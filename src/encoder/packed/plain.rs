//! The packed engine's arithmetic in plain Rust: what every machine can run, and the twin that
//! the AVX-512 kernels are held to. Loops are written over fixed lanes so that the compiler
//! vectorises them; each row's arithmetic is its own, whatever stands beside it.

/// Output channels in a panel of packed weights.
pub(super) const PANEL: usize = 64;

/// Lanes of the reductions: fixed, so that a sum has one order on every machine.
const LANES: usize = 16;

/// Adding it leaves a small f32 rounded to the nearest integer in the low bits (1.5 * 2^23).
const ROUND: f32 = 12_582_912.0;

/// `out[r, j] = bias[j] + Σ a[r, i] w[j, i]`: one row against one panel, `w` as `[in][PANEL]`.
pub(super) fn panel_f32(a: &[f32], w: &[f32], bias: &[f32], out: &mut [f32; PANEL]) {
    *out = [0.0; PANEL];
    for (a, w) in a.iter().zip(w.chunks_exact(PANEL)) {
        for (out, w) in out.iter_mut().zip(w) {
            *out += a * w;
        }
    }
    for (out, bias) in out.iter_mut().zip(bias) {
        *out += bias;
    }
}

/// One quantised row against one panel, `w` as `[in / 4][PANEL][4]`, each weight plus 128.
pub(super) fn panel_int8(a: &[i8], w: &[u8], out: &mut [i32; PANEL]) {
    *out = [0; PANEL];
    for (a, w) in a.chunks_exact(4).zip(w.chunks_exact(PANEL * 4)) {
        for (out, w) in out.iter_mut().zip(w.chunks_exact(4)) {
            for (a, w) in a.iter().zip(w) {
                *out += i32::from(*a) * (i32::from(*w) - 128);
            }
        }
    }
}

/// Quantises a row to -127..=127 with one scale; gives the scale and the sum of the row.
/// A row with a value that is not finite gets the scale NaN, so that it cannot pass unseen.
#[inline(always)]
pub(super) fn quantize(row: &[f32], out: &mut [i8]) -> (f32, i32) {
    // Without their sign, bits order as the values do, and NaN above everything.
    let largest = row
        .iter()
        .fold(0, |largest: u32, value| largest.max(value.to_bits() << 1))
        >> 1;
    let largest = f32::from_bits(largest);
    if !largest.is_finite() {
        out.fill(0);
        return (f32::NAN, 0);
    }
    // Below this the factor would overflow; such a row is nothing but rounding dust.
    let factor = if largest < 1e-30 {
        0.0
    } else {
        127.0 / largest
    };
    let mut sum = 0;
    for (out, value) in out.iter_mut().zip(row) {
        let rounded = (value * factor + ROUND).to_bits() as i32 - ROUND.to_bits() as i32;
        sum += rounded;
        *out = rounded as i8;
    }
    (if factor == 0.0 { 0.0 } else { largest / 127.0 }, sum)
}

/// LayerNorm of one row in place.
#[inline(always)]
pub(super) fn normalize(row: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32) {
    let mean = sum(row, |value| value) / row.len() as f32;
    let variance = sum(row, |value| (value - mean) * (value - mean)) / row.len() as f32;
    let scale = 1.0 / (variance + epsilon).sqrt();
    for ((value, weight), bias) in row.iter_mut().zip(weight).zip(bias) {
        *value = (*value - mean) * scale * weight + bias;
    }
}

#[inline(always)]
fn sum(row: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    for chunk in row.chunks_exact(LANES) {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += of(*value);
        }
    }
    lanes.iter().sum()
}

/// `x Φ(x)` for each value, with erf after Abramowitz & Stegun 7.1.26 (error below 1.5e-7).
#[inline(always)]
pub(super) fn gelu(row: &mut [f32]) {
    for value in row {
        let z = (*value * std::f32::consts::FRAC_1_SQRT_2).abs();
        let t = 1.0 / (1.0 + 0.327_591_1 * z);
        let p = ((((1.061_405_4 * t - 1.453_152) * t + 1.421_413_7) * t - 0.284_496_74) * t
            + 0.254_829_6)
            * t;
        let erf = 1.0 - p * exp(-z * z);
        let half = 0.5 * *value;
        *value = half + half.abs() * erf;
    }
}

/// e^x for x ≤ 0 to about 1e-7 (Cephes' expf): below -87 it stays at e^-87, and NaN becomes that
/// too, which is why callers check for NaN where it can come in.
#[inline(always)]
fn exp(x: f32) -> f32 {
    let x = if x > -87.0 { x } else { -87.0 };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let mut p = 1.987_569_1e-4;
    for c in [
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        0.166_666_65,
        0.5,
    ] {
        p = p * r + c;
    }
    let p = p * r * r + (r + 1.0);
    p * f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000))
}

/// What one head of one sequence's attention reads and writes.
pub(super) struct Head<'a> {
    /// Query, key and value side by side, `[tokens, 3 * hidden]`.
    pub(super) qkv: &'a [f32],
    /// Width of the hidden states.
    pub(super) hidden: usize,
    /// First column of this head.
    pub(super) column: usize,
    /// Columns of a head, a multiple of 16.
    pub(super) size: usize,
    /// Added to the score by `key - query + center`.
    pub(super) bias: Option<(&'a [f32], usize)>,
}

/// Rows of queries that share each load of a key or value.
const QUERIES: usize = 4;

/// One head's attention, written to its columns of `out` (`[tokens, hidden]`).
#[inline(always)]
pub(super) fn attend(head: &Head, keys: &mut Vec<f32>, scores: &mut Vec<f32>, out: &mut [f32]) {
    let &Head {
        qkv,
        hidden,
        column,
        size,
        bias,
    } = head;
    let stride = 3 * hidden;
    let tokens = qkv.len() / stride;
    let padded = tokens.next_multiple_of(LANES);
    let scale = 1.0 / (size as f32).sqrt();
    // Keys transposed, `[size, padded]`, so that neighbouring keys are neighbouring lanes.
    keys.clear();
    keys.resize(size * padded, 0.0);
    for (token, row) in qkv.chunks_exact(stride).enumerate() {
        let key = &row[hidden + column..][..size];
        for (lane, value) in key.iter().enumerate() {
            keys[lane * padded + token] = value * scale;
        }
    }
    scores.clear();
    scores.resize(QUERIES * padded, 0.0);
    for first in (0..tokens).step_by(QUERIES) {
        // The last group repeats its last query rather than take another path.
        let query: [&[f32]; QUERIES] = std::array::from_fn(|r| {
            let token = (first + r).min(tokens - 1);
            &qkv[token * stride + column..][..size]
        });
        for block in (0..padded).step_by(LANES) {
            let mut sums = [[0.0f32; LANES]; QUERIES];
            for lane in 0..size {
                let key: &[f32; LANES] = keys[lane * padded + block..][..LANES]
                    .try_into()
                    .expect("a slice of that length");
                for r in 0..QUERIES {
                    for j in 0..LANES {
                        sums[r][j] += query[r][lane] * key[j];
                    }
                }
            }
            for r in 0..QUERIES {
                scores[r * padded + block..][..LANES].copy_from_slice(&sums[r]);
            }
        }
        let mut totals = [0.0; QUERIES];
        for r in 0..QUERIES {
            let scores = &mut scores[r * padded..][..padded];
            if let Some((bias, center)) = bias {
                let token = (first + r).min(tokens - 1);
                for (score, bias) in scores[..tokens].iter_mut().zip(&bias[center - token..]) {
                    *score += bias;
                }
            }
            scores[tokens..].fill(f32::NEG_INFINITY);
            let largest = maximum(scores);
            for score in scores.iter_mut() {
                *score = exp(*score - largest);
            }
            scores[tokens..].fill(0.0);
            totals[r] = sum(scores, |score| score);
        }
        for block in (0..size).step_by(LANES) {
            let mut sums = [[0.0f32; LANES]; QUERIES];
            for token in 0..tokens {
                let value: &[f32; LANES] = qkv[token * stride + 2 * hidden + column + block..]
                    [..LANES]
                    .try_into()
                    .expect("a slice of that length");
                for r in 0..QUERIES {
                    let score = scores[r * padded + token];
                    for j in 0..LANES {
                        sums[r][j] += score * value[j];
                    }
                }
            }
            for r in 0..QUERIES.min(tokens - first) {
                let out = &mut out[(first + r) * hidden + column + block..][..LANES];
                for (out, sum) in out.iter_mut().zip(&sums[r]) {
                    *out = sum / totals[r];
                }
            }
        }
    }
}

#[inline(always)]
fn maximum(row: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for chunk in row.chunks_exact(LANES) {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane = if *value > *lane { *value } else { *lane };
        }
    }
    lanes.iter().fold(f32::NEG_INFINITY, |a, b| a.max(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_and_gelu_agree_with_f64() {
        for step in 0..2000 {
            let x = -f64::from(step) * 0.04;
            let error = (f64::from(exp(x as f32)) / x.exp() - 1.0).abs();
            assert!(error < 1e-5, "exp({x})");
        }
        // x Φ(x), from tables of the normal distribution.
        for (x, expected) in [
            (0.0f32, 0.0f32),
            (1.0, 0.841_344_7),
            (-1.0, -0.158_655_3),
            (9.0, 9.0),
            (-9.0, 0.0),
        ] {
            let mut row = [x];
            gelu(&mut row);
            assert!((row[0] - expected).abs() < 1e-6, "gelu({x}) = {}", row[0]);
        }
    }

    #[test]
    fn quantizing_keeps_half_a_step_and_shows_nan() {
        let row: Vec<f32> = (0..64).map(|i| (i as f32 * 0.37).sin() * 3.0).collect();
        let mut out = vec![0i8; 64];
        let (scale, sum) = quantize(&row, &mut out);
        assert_eq!(sum, out.iter().map(|q| i32::from(*q)).sum::<i32>());
        for (value, q) in row.iter().zip(&out) {
            assert!((value - f32::from(*q) * scale).abs() <= scale * 0.5001);
        }
        assert_eq!(quantize(&[0.0; 4], &mut [1; 4]), (0.0, 0));
        assert_eq!(quantize(&[1e-40; 4], &mut [1; 4]), (0.0, 0));
        assert_eq!(quantize(&[f32::MAX, -f32::MAX], &mut [0; 2]).1, 0);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(quantize(&[1.0, bad], &mut [0; 2]).0.is_nan());
        }
    }
}
