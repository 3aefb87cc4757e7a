//! Attention of one head over one sequence, in f32.

// As in `product`: loops count over arrays of registers.
#![allow(clippy::needless_range_loop)]

use super::lanes::Lanes;
use super::room;
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

/// Working memory of one head's attention; `padded` is the number of tokens in whole registers.
#[derive(Default)]
pub(super) struct Memory {
    /// Transposed and scaled, `[size, padded]`, so that neighbouring keys are neighbouring lanes.
    pub(super) keys: Vec<f32>,
    /// `[tokens, size]`: where they stand in `qkv`, rows may share lines of the cache.
    pub(super) values: Vec<f32>,
    /// `[QUERIES, padded]`
    pub(super) scores: Vec<f32>,
}

/// One head's attention, written to its columns of `out` (`[tokens, hidden]`).
///
/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
pub(super) unsafe fn attend<V: Lanes>(head: &Head, memory: &mut Memory, out: &mut [f32]) {
    let Memory {
        keys,
        values,
        scores,
    } = memory;
    let stride = 3 * head.hidden;
    let tokens = head.qkv.len() / stride;
    let padded = tokens.next_multiple_of(V::N);
    assert!(head.size.is_multiple_of(V::N) && head.column + head.size <= head.hidden);
    assert!(head.qkv.len() == tokens * stride && out.len() == tokens * head.hidden);
    let keys = room(keys, head.size * padded);
    transpose_keys(head, tokens, padded, keys);
    values.clear();
    for row in head.qkv.chunks_exact(stride) {
        values.extend_from_slice(&row[2 * head.hidden + head.column..][..head.size]);
    }
    // What is added to the last register of scores: lanes beyond the last key count for nothing.
    let mut beyond = [0.0; 16];
    beyond[tokens + V::N - padded..].fill(f32::NEG_INFINITY);
    let scores = room(scores, QUERIES * padded);
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
            *total = unsafe { powers::<V>(scores, &beyond) };
        }
        let mut block = 0;
        // SAFETY: as above; values have `tokens` rows of `size` columns, blocks end within `size`.
        unsafe {
            while block + 2 * V::N <= head.size {
                mix::<V, 2>(head, values, scores, first, block, &totals, out);
                block += 2 * V::N;
            }
            if block < head.size {
                mix::<V, 1>(head, values, scores, first, block, &totals, out);
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

/// The keys of a head, scaled, `[size, padded]`; the last repeated beyond it.
#[inline(always)]
fn transpose_keys(head: &Head, tokens: usize, padded: usize, keys: &mut [f32]) {
    let scale = 1.0 / (head.size as f32).sqrt();
    let stride = 3 * head.hidden;
    let key = |token: usize| {
        &head.qkv[token.min(tokens - 1) * stride + head.hidden + head.column..][..head.size]
    };
    // Four keys at a time, so that neighbours are stored together.
    for token in (0..padded).step_by(4) {
        let rows = [key(token), key(token + 1), key(token + 2), key(token + 3)];
        for lane in 0..head.size {
            let column = rows.map(|row| row[lane] * scale);
            keys[lane * padded + token..][..4].copy_from_slice(&column);
        }
    }
}

/// Turns a row of scores into e^(score - largest), `beyond` added to its last register; gives their sum.
#[inline(always)]
unsafe fn powers<V: Lanes>(scores: &mut [f32], beyond: &[f32; 16]) -> f32 {
    // SAFETY: the row is a whole number of registers.
    unsafe {
        let last = scores.as_mut_ptr().add(scores.len() - V::N);
        V::load(last).add(V::load(beyond.as_ptr())).store(last);
        let mut largest = V::splat(f32::NEG_INFINITY);
        for i in (0..scores.len()).step_by(V::N) {
            largest = largest.max(V::load(scores.as_ptr().add(i)));
        }
        let largest = V::splat(largest.largest());
        let mut total = V::splat(0.0);
        for i in (0..scores.len()).step_by(V::N) {
            let at = scores.as_mut_ptr().add(i);
            let power = exp(V::load(at).sub(largest));
            power.store(at);
            total = total.add(power);
        }
        total.sum()
    }
}

/// Values weighted by the powers, for `VECTORS` registers of columns from `block`.
#[inline(always)]
unsafe fn mix<V: Lanes, const VECTORS: usize>(
    head: &Head,
    values: &[f32],
    scores: &[f32],
    first: usize,
    block: usize,
    totals: &[f32; QUERIES],
    out: &mut [f32],
) {
    let (tokens, padded) = (values.len() / head.size, scores.len() / QUERIES);
    // SAFETY: `attend` has checked the shape of `values`, `scores` and `out`, and that the block ends
    // within the head.
    unsafe {
        let mut value = values.as_ptr().add(block);
        let mut sums = [[V::splat(0.0); VECTORS]; QUERIES];
        for token in 0..tokens {
            let mut v = [V::splat(0.0); VECTORS];
            for vector in 0..VECTORS {
                v[vector] = V::load(value.add(vector * V::N));
            }
            value = value.wrapping_add(head.size);
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
