//! A [`Roofline`] is what a machine's multiplying units can do, measured by loops that leave the registers for
//! nothing: no engine can be faster, so a share of it says how much is left to gain.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::kernels;
use super::lanes::Lanes;
use crate::encoder::config::EncoderConfig;
use crate::encoder::{EngineOptions, Precision};
use crate::error::Result;

/// Multiplications with an addition each, per second, of all threads together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Roofline {
    /// In f32.
    pub f32_per_second: f64,
    /// In the precision of the products with weights.
    pub products_per_second: f64,
}

impl Roofline {
    /// Measures what the native engine's instructions for these options could do at best on that
    /// many threads at once; takes about a second. The options' own `threads` do not count.
    ///
    /// # Errors
    /// If this machine does not have the instruction set.
    pub fn measure(options: &EngineOptions, threads: usize) -> Result<Roofline> {
        let chosen = kernels::choose(options.isa)?;
        let precision = super::precision(options.precision, chosen);
        let f32_per_second = rate(chosen.kernels.peak_f32, threads);
        let products_per_second = match precision {
            Precision::Int8 if chosen.vnni => rate(chosen.kernels.peak_quads, threads),
            Precision::Int8 | Precision::Int16 => rate(chosen.kernels.peak_pairs, threads),
            Precision::Bf16 => rate(chosen.kernels.peak_bf16, threads),
            _ => f32_per_second,
        };
        Ok(Roofline {
            f32_per_second,
            products_per_second,
        })
    }

    /// The least time for one pass over sequences of these lengths: products with weights at one
    /// rate, attention, which is in f32, at the other. All else is counted as free.
    pub fn least_time(
        &self,
        config: &EncoderConfig,
        lengths: impl IntoIterator<Item = usize>,
    ) -> Duration {
        let (hidden, wide) = (config.hidden_size as f64, config.intermediate_size as f64);
        let (mut tokens, mut pairs) = (0.0, 0.0);
        for length in lengths {
            tokens += length as f64;
            pairs += (length * length) as f64;
        }
        let layers = config.layers as f64;
        let products = layers * tokens * (4.0 * hidden * hidden + 2.0 * hidden * wide);
        let attention = layers * pairs * 2.0 * hidden;
        let seconds = products / self.products_per_second + attention / self.f32_per_second;
        Duration::from_secs_f64(seconds)
    }
}

/// Sums in flight: as many as hide an addition's latency on two units.
const SUMS: usize = 12;
/// Rounds of one call.
const ROUNDS: usize = 100_000;

/// The best of some calls on each thread, added up, so that what else runs on the machine for a
/// moment counts little.
fn rate(peak: unsafe fn(usize) -> (f32, usize), threads: usize) -> f64 {
    let one_thread = || {
        let mut best = 0.0f64;
        let started = Instant::now();
        while started.elapsed() < Duration::from_millis(400) {
            let start = Instant::now();
            // SAFETY: kernels are chosen only where the processor has them.
            let (sum, each) = unsafe { peak(black_box(ROUNDS)) };
            black_box(sum);
            best = best.max((ROUNDS * SUMS * each) as f64 / start.elapsed().as_secs_f64());
        }
        best
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads.max(1))
            .map(|_| scope.spawn(one_thread))
            .collect();
        let done = running.into_iter().map(|thread| thread.join());
        done.map(|rate| rate.expect("the loop does not panic"))
            .sum()
    })
}

/// `rounds` fused multiplications of every sum, and products of each.
///
/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
pub(super) unsafe fn f32<V: Lanes>(rounds: usize) -> (f32, usize) {
    // SAFETY: as this function.
    unsafe {
        let (by, plus) = (V::splat(black_box(0.5)), V::splat(black_box(1.0)));
        let mut sums = [plus; SUMS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = sum.mul_add(by, plus);
            }
        }
        (total(sums), V::N)
    }
}

/// As [`f32`], two products of 16 bits for each i32. Its neighbour is a sum's factor: a constant product
/// would be taken out of the loop, and of its own it would need a copy.
///
/// # Safety
/// As for [`f32`].
#[inline(always)]
pub(super) unsafe fn pairs<V: Lanes>(rounds: usize) -> (f32, usize) {
    // SAFETY: as this function.
    unsafe {
        let weights = V::splat_int(black_box(0x0001_0003));
        let mut sums = [weights; SUMS];
        for _ in 0..rounds {
            for i in 0..SUMS {
                sums[i] = V::pairs(sums[i], weights, sums[(i + 1) % SUMS]);
            }
        }
        (total(sums.map(|sum| V::to_f32(sum))), 2 * V::N)
    }
}

/// As [`f32`], four products of 8 bits; a sum is its own factor.
///
/// # Safety
/// As for [`f32`].
#[inline(always)]
pub(super) unsafe fn quads<V: Lanes>(rounds: usize) -> (f32, usize) {
    // SAFETY: as this function.
    unsafe {
        let weights = V::splat_int(black_box(0x0102_0103));
        let mut sums = [weights; SUMS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = V::quads(*sum, weights, *sum);
            }
        }
        (total(sums.map(|sum| V::to_f32(sum))), 4 * V::N)
    }
}

/// As [`pairs`], two products of bf16 for each f32, 1.0 times a number that grows no further.
///
/// # Safety
/// As for [`f32`].
#[inline(always)]
pub(super) unsafe fn bf16<V: Lanes>(rounds: usize) -> (f32, usize) {
    // SAFETY: as this function.
    unsafe {
        let (weights, x) = (
            V::splat_int(black_box(0x3f80_3f80)),
            V::splat_int(black_box(0x3f80_3f80)),
        );
        let mut sums = [V::splat(black_box(1.0)); SUMS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = sum.bf16_pairs(weights, x);
            }
        }
        (total(sums), 2 * V::N)
    }
}

/// Uses every sum, so that none is left out.
#[inline(always)]
unsafe fn total<V: Lanes>(sums: [V; SUMS]) -> f32 {
    // SAFETY: the callers have the instruction set.
    sums.iter().map(|sum| unsafe { sum.sum() }).sum()
}
