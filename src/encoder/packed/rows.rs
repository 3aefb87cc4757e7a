//! What happens to rows between products: LayerNorm, the activation, and quantising.

use half::bf16;

use super::lanes::{Lanes, ROUND};

/// Rows as integers: `x ≈ offset + values * scale`.
#[derive(Default)]
pub(super) struct Quantized<T> {
    /// `[rows, width]`
    pub(super) values: Vec<T>,
    /// `[rows]`; NaN for a row with a value that is not finite, so that it cannot pass unseen.
    pub(super) scale: Vec<f32>,
    /// `[rows]`
    pub(super) offset: Vec<f32>,
}

/// Rows as i16.
pub(super) type Pairs = Quantized<i16>;
/// Rows as u8.
pub(super) type Quads = Quantized<u8>;

/// How finely a row is quantised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Steps {
    /// Steps between a row's lowest and highest value.
    pub(super) count: f32,
    /// Whether integers are counted from the middle, `-count / 2..=count / 2`, or from the lowest.
    pub(super) centred: bool,
}

/// Below this the factor would overflow; such a row is nothing but rounding dust.
const DUST: f32 = 1e-30;

/// Quantises each row to i16, or to u8 for `BYTES`.
///
/// # Safety
/// The processor has the instruction set of `V`; `T` is u8 if `BYTES`, otherwise i16.
#[inline(always)]
pub(super) unsafe fn quantize<V: Lanes, T: Copy + Default, const BYTES: bool>(
    x: &[f32],
    width: usize,
    steps: Steps,
    to: &mut Quantized<T>,
) {
    const { assert!(size_of::<T>() == if BYTES { 1 } else { 2 }) };
    assert!(width.is_multiple_of(SIDE_BY_SIDE * V::N) && x.len().is_multiple_of(width));
    to.values.resize(x.len(), T::default());
    to.scale.clear();
    to.offset.clear();
    for (row, values) in x.chunks_exact(width).zip(to.values.chunks_exact_mut(width)) {
        // SAFETY: registers are read and written at multiples of `N` within the row.
        unsafe {
            let (lowest, scale, factor) = range::<V>(row, steps.count);
            let offset = match steps.centred {
                true => lowest + 0.5 * steps.count * scale,
                false => lowest,
            };
            for i in (0..width).step_by(V::N) {
                let x = V::load(row.as_ptr().add(i)).sub(V::splat(offset));
                let at = values.as_mut_ptr().add(i);
                match BYTES {
                    true => x.mul(V::splat(factor)).store_u8(at.cast()),
                    false => x.mul(V::splat(factor)).store_i16(at.cast()),
                }
            }
            to.scale.push(scale);
            to.offset.push(offset);
        }
    }
}

/// Rounds to bf16, ties to even; NaN stays NaN.
///
/// # Safety
/// None of its own: the compiler turns the loop into what the caller's instruction set has.
#[inline(always)]
pub(super) unsafe fn round_bf16(x: &[f32], to: &mut [bf16]) {
    assert!(x.len() == to.len());
    for (x, to) in x.iter().zip(to) {
        *to = bf16::from_f32(*x);
    }
}

/// Registers of a row that are looked at together; every row is a multiple of so many (`WIDTH`).
const SIDE_BY_SIDE: usize = 4;

/// A row's lowest value, and a step and its inverse that reach the highest in `steps`.
#[inline(always)]
unsafe fn range<V: Lanes>(row: &[f32], steps: f32) -> (f32, f32, f32) {
    // SAFETY: the callers have checked that the row is a whole number of `SIDE_BY_SIDE` registers.
    unsafe {
        // Several of each side by side, for each waits for its own last result.
        let first = V::load(row.as_ptr());
        let (mut lowest, mut highest) = ([first; SIDE_BY_SIDE], [first; SIDE_BY_SIDE]);
        let mut poison = [V::splat(0.0); SIDE_BY_SIDE];
        for i in (0..row.len()).step_by(SIDE_BY_SIDE * V::N) {
            for k in 0..SIDE_BY_SIDE {
                let x = V::load(row.as_ptr().add(i + k * V::N));
                (lowest[k], highest[k]) = (lowest[k].min(x), highest[k].max(x));
                poison[k] = x.mul_add(V::splat(0.0), poison[k]);
            }
        }
        for k in 1..SIDE_BY_SIDE {
            lowest[0] = lowest[0].min(lowest[k]);
            highest[0] = highest[0].max(highest[k]);
            poison[0] = poison[0].add(poison[k]);
        }
        let (highest, poison) = (highest[0].largest(), poison[0].sum());
        let lowest = -V::splat(0.0).sub(lowest[0]).largest();
        let span = highest - lowest;
        if span < DUST {
            (lowest, poison, 0.0)
        } else {
            (lowest, span / steps + poison, steps / span)
        }
    }
}

/// LayerNorm of each row in place.
///
/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
pub(super) unsafe fn normalize<V: Lanes>(
    x: &mut [f32],
    weight: &[f32],
    bias: &[f32],
    epsilon: f32,
) {
    let width = weight.len();
    assert!(width.is_multiple_of(V::N) && bias.len() == width && x.len().is_multiple_of(width));
    for row in x.chunks_exact_mut(width) {
        // SAFETY: registers are read and written at multiples of `N` within row, weight and bias.
        unsafe {
            let mut sum = V::splat(0.0);
            for i in (0..width).step_by(V::N) {
                sum = sum.add(V::load(row.as_ptr().add(i)));
            }
            let mean = V::splat(sum.sum() / width as f32);
            let mut squares = V::splat(0.0);
            for i in (0..width).step_by(V::N) {
                let from_mean = V::load(row.as_ptr().add(i)).sub(mean);
                squares = from_mean.mul_add(from_mean, squares);
            }
            let variance = squares.sum() / width as f32;
            let scale = V::splat(1.0 / (variance + epsilon).sqrt());
            for i in (0..width).step_by(V::N) {
                let value = V::load(row.as_ptr().add(i)).sub(mean).mul(scale);
                let (weight, bias) = (
                    V::load(weight.as_ptr().add(i)),
                    V::load(bias.as_ptr().add(i)),
                );
                value.mul_add(weight, bias).store(row.as_mut_ptr().add(i));
            }
        }
    }
}

/// erf(x / √2) ≈ x P(x²) / Q(x²) up to this bound, beyond which it is ±1 in f32: P and Q fitted by iteratively
/// reweighted least squares, and P made 1.2e-7 larger, so that ±1 is reached however sums are rounded (largest
/// error of erf in f32 4.5e-7). Half as many instructions as Abramowitz & Stegun 7.1.26, which asks for an exponential.
const ERF_BOUND: f32 = 5.5;
const ERF_ABOVE: [f32; 6] = [
    0.797_884_6,
    0.067_705_26,
    0.009_354_52,
    3.376_510_3e-4,
    1.270_424_2e-5,
    4.549_889e-8,
];
const ERF_BELOW: [f32; 6] = [
    1.0,
    0.251_521_86,
    0.028_645_86,
    1.884_443_7e-3,
    7.364_747e-5,
    1.197_506_3e-6,
];

/// `x Φ(x)`.
///
/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
pub(super) unsafe fn gelu<V: Lanes>(x: V) -> V {
    // SAFETY: as this function.
    unsafe {
        let bounded = x.max(V::splat(-ERF_BOUND)).min(V::splat(ERF_BOUND));
        let square = bounded.mul(bounded);
        let polynomial = |coefficients: [f32; 6]| {
            let mut value = V::splat(coefficients[5]);
            for c in coefficients[..5].iter().rev() {
                value = value.mul_add(square, V::splat(*c));
            }
            value
        };
        let erf = polynomial(ERF_ABOVE)
            .mul(bounded)
            .div(polynomial(ERF_BELOW));
        let erf = erf.max(V::splat(-1.0)).min(V::splat(1.0));
        let half = x.mul(V::splat(0.5));
        half.mul_add(erf, half)
    }
}

/// e^x for x ≤ 0 to about 1e-7 (Cephes' expf): below -87 it stays at e^-87, and NaN becomes that
/// too, which is why callers check for NaN where it can come in.
///
/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
pub(super) unsafe fn exp<V: Lanes>(x: V) -> V {
    // SAFETY: as this function.
    unsafe {
        let x = x.max(V::splat(-87.0));
        let shifted = x.mul_add(V::splat(std::f32::consts::LOG2_E), V::splat(ROUND));
        let n = shifted.sub(V::splat(ROUND));
        let r = n.mul_add(V::splat(-0.693_359_4), x);
        let r = n.mul_add(V::splat(2.121_944_4e-4), r);
        let mut p = V::splat(1.987_569_1e-4);
        for c in [
            1.398_199_9e-3,
            8.333_452e-3,
            4.166_579_6e-2,
            0.166_666_65,
            0.5,
        ] {
            p = p.mul_add(r, V::splat(c));
        }
        let p = p.mul_add(r.mul(r), r.add(V::splat(1.0)));
        p.mul(shifted.exponent())
    }
}
