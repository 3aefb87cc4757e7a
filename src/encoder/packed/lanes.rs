//! [`Lanes`] is a vector register. Every kernel of the packed engine is one text over this trait;
//! an instruction set is an implementation of it, and [`Array`] implements it in plain Rust: the
//! portable path, and the twin that the tests hold each instruction set to.

/// A register of `N` f32, and one of `N` i32 in the same width.
///
/// Every method is unsafe for two reasons: the processor must have the instruction set, and
/// pointers must be valid for a whole register (`N` values; no alignment is asked for).
pub(super) trait Lanes: Copy {
    /// Values in a register.
    const N: usize;
    /// The register as `N` i32, or as `2 N` i16, or as `4 N` bytes.
    type Int: Copy;

    unsafe fn splat(value: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn div(self, other: Self) -> Self;
    /// The larger; `other` where this is NaN.
    unsafe fn max(self, other: Self) -> Self;
    /// The smaller; `other` where this is NaN.
    unsafe fn min(self, other: Self) -> Self;
    /// `self * by + plus`, rounded once, or twice where the machine has no such instruction.
    unsafe fn mul_add(self, by: Self, plus: Self) -> Self;
    /// The bits times 2^23 plus those of 1.0: 2^n where the low bits hold n.
    unsafe fn exponent(self) -> Self;

    unsafe fn splat_int(value: i32) -> Self::Int;
    unsafe fn load_int(from: *const i32) -> Self::Int;
    unsafe fn to_f32(value: Self::Int) -> Self;
    /// Adds to each i32 the two products of its i16.
    unsafe fn pairs(sum: Self::Int, weights: Self::Int, x: Self::Int) -> Self::Int;
    /// Adds to each i32 the four products of its bytes, `weights` signed and `x` unsigned.
    unsafe fn quads(sum: Self::Int, weights: Self::Int, x: Self::Int) -> Self::Int;
    /// Adds to each f32 the two products of its bf16, rounded in between or not.
    unsafe fn bf16_pairs(self, weights: Self::Int, x: Self::Int) -> Self;
    /// Rounds to even and stores as i16; the values are within ±32767.
    unsafe fn store_i16(self, to: *mut i16);
    /// Rounds to even and stores as u8; the values are within 0 to 255.
    unsafe fn store_u8(self, to: *mut u8);

    /// All values, for reductions.
    #[inline(always)]
    unsafe fn values(self) -> [f32; 16] {
        const { assert!(Self::N <= 16) };
        let mut values = [0.0; 16];
        // SAFETY: the array has room for a register.
        unsafe { self.store(values.as_mut_ptr()) };
        values
    }

    /// Sum of the values, by halves: one order for each `N`.
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: as this method.
        let mut values = unsafe { self.values() };
        let mut half = Self::N / 2;
        while half > 0 {
            for lane in 0..half {
                values[lane] += values[lane + half];
            }
            half /= 2;
        }
        values[0]
    }

    /// The largest value.
    #[inline(always)]
    unsafe fn largest(self) -> f32 {
        // SAFETY: as this method.
        let mut values = unsafe { self.values() };
        let mut half = Self::N / 2;
        while half > 0 {
            for lane in 0..half {
                let other = values[lane + half];
                values[lane] = if other > values[lane] {
                    other
                } else {
                    values[lane]
                };
            }
            half /= 2;
        }
        values[0]
    }
}

/// Adding it leaves a small f32 rounded to the nearest integer, ties to even, in the low bits
/// (1.5 * 2^23).
pub(super) const ROUND: f32 = 12_582_912.0;

/// Plain Rust over arrays. `FUSED`: whether `mul_add` rounds once; without hardware for it, that is
/// a slow library call, so only the tests and Arm ask for it.
#[derive(Clone, Copy)]
pub(super) struct Array<const N: usize, const FUSED: bool>([f32; N]);

/// Lane by lane; a loop, not `from_fn`, so that nothing stands between the compiler and the lanes.
macro_rules! each {
    ($lane:ident => $value:expr) => {{
        let mut out = [Default::default(); N];
        let mut $lane = 0;
        while $lane < N {
            out[$lane] = $value;
            $lane += 1;
        }
        out
    }};
}

impl<const N: usize, const FUSED: bool> Lanes for Array<N, FUSED> {
    const N: usize = N;
    type Int = [i32; N];

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Array([value; N])
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller gives a pointer to `N` values; an array of f32 has their layout.
        Array(unsafe { from.cast::<[f32; N]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as for `load`.
        unsafe { to.cast::<[f32; N]>().write_unaligned(self.0) };
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Array(each!(i => self.0[i] + other.0[i]))
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        Array(each!(i => self.0[i] - other.0[i]))
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        Array(each!(i => self.0[i] * other.0[i]))
    }
    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        Array(each!(i => self.0[i] / other.0[i]))
    }
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        Array(each!(i => if self.0[i] > other.0[i] { self.0[i] } else { other.0[i] }))
    }
    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        Array(each!(i => if self.0[i] < other.0[i] { self.0[i] } else { other.0[i] }))
    }
    #[inline(always)]
    unsafe fn mul_add(self, by: Self, plus: Self) -> Self {
        Array(each!(i => match FUSED {
            true => self.0[i].mul_add(by.0[i], plus.0[i]),
            false => self.0[i] * by.0[i] + plus.0[i],
        }))
    }
    #[inline(always)]
    unsafe fn exponent(self) -> Self {
        Array(each!(i => f32::from_bits((self.0[i].to_bits() << 23).wrapping_add(0x3f80_0000))))
    }

    #[inline(always)]
    unsafe fn splat_int(value: i32) -> [i32; N] {
        [value; N]
    }
    #[inline(always)]
    unsafe fn load_int(from: *const i32) -> [i32; N] {
        // SAFETY: the caller gives a pointer to `N` values.
        unsafe { from.cast::<[i32; N]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn to_f32(value: [i32; N]) -> Self {
        Array(each!(i => value[i] as f32))
    }
    #[inline(always)]
    unsafe fn pairs(sum: [i32; N], weights: [i32; N], x: [i32; N]) -> [i32; N] {
        // In memory order, low half first on every little-endian machine.
        let low = |v: i32| i32::from(v as i16);
        let high = |v: i32| v >> 16;
        each!(i => sum[i]
            .wrapping_add(low(weights[i]).wrapping_mul(low(x[i])))
            .wrapping_add(high(weights[i]).wrapping_mul(high(x[i]))))
    }
    #[inline(always)]
    unsafe fn quads(sum: [i32; N], weights: [i32; N], x: [i32; N]) -> [i32; N] {
        let mut out = sum;
        for (i, out) in out.iter_mut().enumerate() {
            let bytes = weights[i].to_le_bytes().into_iter().zip(x[i].to_le_bytes());
            for (weight, x) in bytes {
                *out = out.wrapping_add(i32::from(weight as i8) * i32::from(x));
            }
        }
        out
    }
    #[inline(always)]
    unsafe fn bf16_pairs(self, weights: [i32; N], x: [i32; N]) -> Self {
        let low = |v: [i32; N]| Array(each!(i => f32::from_bits((v[i] as u32) << 16)));
        let high = |v: [i32; N]| Array(each!(i => f32::from_bits(v[i] as u32 & 0xffff_0000)));
        // SAFETY: as this method.
        unsafe {
            let odd: Self = high(weights).mul_add(high(x), self);
            low(weights).mul_add(low(x), odd)
        }
    }
    #[inline(always)]
    unsafe fn store_i16(self, to: *mut i16) {
        let rounded: [i16; N] = each!(i => ((self.0[i] + ROUND).to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32) as i16);
        // SAFETY: the caller gives a pointer to `N` values.
        unsafe { to.cast::<[i16; N]>().write_unaligned(rounded) };
    }
    #[inline(always)]
    unsafe fn store_u8(self, to: *mut u8) {
        let rounded: [u8; N] = each!(i => ((self.0[i] + ROUND).to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32) as u8);
        // SAFETY: the caller gives a pointer to `N` values.
        unsafe { to.cast::<[u8; N]>().write_unaligned(rounded) };
    }
}
