//! Attention of one head over one sequence, in f32.

// As in `product`: loops count over arrays of registers.
#![allow(clippy::needless_range_loop)]

use super::lanes::Lanes;
use super::rows::exp;

/// What one head of one sequence's attention reads.
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
const QUERIES: usize = 6;

/// One head's attention, written to its columns of `out` (`[tokens, hidden]`). `keys` and `scores`
/// are working memory.
///
/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
pub(super) unsafe fn attend<V: Lanes>(
    head: &Head,
    keys: &mut Vec<f32>,
    scores: &mut Vec<f32>,
    out: &mut [f32],
) {
    let stride = 3 * head.hidden;
    let tokens = head.qkv.len() / stride;
    let padded = tokens.next_multiple_of(V::N);
    assert!(head.size.is_multiple_of(V::N) && head.column + head.size <= head.hidden);
    assert!(head.qkv.len() == tokens * stride && out.len() == tokens * head.hidden);
    let scale = 1.0 / (head.size as f32).sqrt();
    // Keys transposed, `[size, padded]`, so that neighbouring keys are neighbouring lanes.
    keys.resize(head.size * padded, 0.0);
    for lane in 0..head.size {
        keys[lane * padded + tokens..(lane + 1) * padded].fill(0.0);
    }
    for (token, row) in head.qkv.chunks_exact(stride).enumerate() {
        let key = &row[head.hidden + head.column..][..head.size];
        for (lane, value) in key.iter().enumerate() {
            keys[lane * padded + token] = value * scale;
        }
    }
    scores.resize(QUERIES * padded, 0.0);
    for first in (0..tokens).step_by(QUERIES) {
        // The last group repeats its last query rather than take another path.
        let mut query = [std::ptr::null(); QUERIES];
        for (r, query) in query.iter_mut().enumerate() {
            let token = (first + r).min(tokens - 1);
            *query = head.qkv[token * stride + head.column..].as_ptr();
        }
        let mut block = 0;
        // SAFETY: queries have `size` columns, keys `size` rows of `padded`, scores `QUERIES` rows
        // of `padded`, and blocks end within `padded`.
        unsafe {
            while block + 2 * V::N <= padded {
                score::<V, 2>(&query, keys, scores, padded, block);
                block += 2 * V::N;
            }
            if block < padded {
                score::<V, 1>(&query, keys, scores, padded, block);
            }
        }
        let mut totals = [0.0; QUERIES];
        for (r, total) in totals.iter_mut().enumerate() {
            let scores = &mut scores[r * padded..][..padded];
            if let Some((bias, center)) = head.bias {
                let token = (first + r).min(tokens - 1);
                for (score, bias) in scores[..tokens].iter_mut().zip(&bias[center - token..]) {
                    *score += bias;
                }
            }
            // SAFETY: the instruction set is the caller's promise.
            *total = unsafe { powers::<V>(scores, tokens) };
        }
        let mut block = 0;
        // SAFETY: as above; values have `tokens` rows of `size` columns, blocks end within `size`.
        unsafe {
            while block + 2 * V::N <= head.size {
                mix::<V, 2>(head, scores, padded, first, block, &totals, out);
                block += 2 * V::N;
            }
            if block < head.size {
                mix::<V, 1>(head, scores, padded, first, block, &totals, out);
            }
        }
    }
}

/// Scores of the queries against `VECTORS` registers of keys from `block`.
#[inline(always)]
unsafe fn score<V: Lanes, const VECTORS: usize>(
    query: &[*const f32; QUERIES],
    keys: &[f32],
    scores: &mut [f32],
    padded: usize,
    block: usize,
) {
    // SAFETY: `attend` gives pointers to whole rows and a block within `padded`.
    unsafe {
        let mut sums = [[V::splat(0.0); VECTORS]; QUERIES];
        for lane in 0..keys.len() / padded {
            let mut key = [V::splat(0.0); VECTORS];
            for vector in 0..VECTORS {
                key[vector] = V::load(keys.as_ptr().add(lane * padded + block + vector * V::N));
            }
            for r in 0..QUERIES {
                let query = V::splat(*query[r].add(lane));
                for vector in 0..VECTORS {
                    sums[r][vector] = query.mul_add(key[vector], sums[r][vector]);
                }
            }
        }
        for r in 0..QUERIES {
            for vector in 0..VECTORS {
                sums[r][vector].store(scores.as_mut_ptr().add(r * padded + block + vector * V::N));
            }
        }
    }
}

/// Turns a row of scores into e^(score - largest), 0 beyond `tokens`; gives their sum.
#[inline(always)]
unsafe fn powers<V: Lanes>(scores: &mut [f32], tokens: usize) -> f32 {
    scores[tokens..].fill(f32::NEG_INFINITY);
    // SAFETY: the row is a whole number of registers.
    unsafe {
        let mut largest = V::splat(f32::NEG_INFINITY);
        for i in (0..scores.len()).step_by(V::N) {
            largest = largest.max(V::load(scores.as_ptr().add(i)));
        }
        let largest = V::splat(largest.largest());
        for i in (0..scores.len()).step_by(V::N) {
            let at = scores.as_mut_ptr().add(i);
            exp(V::load(at).sub(largest)).store(at);
        }
        scores[tokens..].fill(0.0);
        let mut total = V::splat(0.0);
        for i in (0..scores.len()).step_by(V::N) {
            total = total.add(V::load(scores.as_ptr().add(i)));
        }
        total.sum()
    }
}

/// Values weighted by the powers, for `VECTORS` registers of columns from `block`.
#[inline(always)]
unsafe fn mix<V: Lanes, const VECTORS: usize>(
    head: &Head,
    scores: &[f32],
    padded: usize,
    first: usize,
    block: usize,
    totals: &[f32; QUERIES],
    out: &mut [f32],
) {
    let stride = 3 * head.hidden;
    let tokens = head.qkv.len() / stride;
    // SAFETY: `attend` has checked the shape of `qkv`, `scores` and `out`, and that the block ends
    // within the head.
    unsafe {
        let mut value = head.qkv.as_ptr().add(2 * head.hidden + head.column + block);
        let mut sums = [[V::splat(0.0); VECTORS]; QUERIES];
        for token in 0..tokens {
            let mut v = [V::splat(0.0); VECTORS];
            for vector in 0..VECTORS {
                v[vector] = V::load(value.add(vector * V::N));
            }
            value = value.wrapping_add(stride);
            for r in 0..QUERIES {
                let power = V::splat(*scores.as_ptr().add(r * padded + token));
                for vector in 0..VECTORS {
                    sums[r][vector] = power.mul_add(v[vector], sums[r][vector]);
                }
            }
        }
        for r in 0..QUERIES.min(tokens - first) {
            let total = V::splat(totals[r]);
            let out = out
                .as_mut_ptr()
                .add((first + r) * head.hidden + head.column + block);
            for vector in 0..VECTORS {
                sums[r][vector].div(total).store(out.add(vector * V::N));
            }
        }
    }
}
