//! AVX-512 with VNNI, and with BF16 where present: registers of sixteen.
//!
//! AMX is not used: on virtual machines that advertise it without keeping its state, it ends the
//! program.

use std::arch::asm;
use std::arch::x86_64::*;

use super::kernels::kernels;
use super::lanes::Lanes;

/// Whether this machine can run everything here.
pub(super) fn available() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vnni")
        && is_x86_feature_detected!("fma")
}

/// Whether it also multiplies bf16.
pub(super) fn bf16_available() -> bool {
    available() && is_x86_feature_detected!("avx512bf16")
}

/// Implements [`Lanes`] over `__m512`, given the products of bf16.
macro_rules! registers_of_sixteen {
    ($name:ident, $bf16_pairs:expr) => {
        #[derive(Clone, Copy)]
        pub(super) struct $name(__m512);

        // SAFETY of every block here: the caller of a method of `Lanes` promises the instruction set and,
        // where there is a pointer, a whole register behind it.
        #[allow(clippy::undocumented_unsafe_blocks)]
        impl Lanes for $name {
            const N: usize = 16;
            type Int = __m512i;

            #[inline(always)]
            unsafe fn splat(value: f32) -> Self {
                $name(unsafe { _mm512_set1_ps(value) })
            }
            #[inline(always)]
            unsafe fn load(from: *const f32) -> Self {
                $name(unsafe { _mm512_loadu_ps(from) })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut f32) {
                unsafe { _mm512_storeu_ps(to, self.0) }
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                $name(unsafe { _mm512_add_ps(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn sub(self, other: Self) -> Self {
                $name(unsafe { _mm512_sub_ps(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn mul(self, other: Self) -> Self {
                $name(unsafe { _mm512_mul_ps(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn div(self, other: Self) -> Self {
                $name(unsafe { _mm512_div_ps(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn max(self, other: Self) -> Self {
                $name(unsafe { _mm512_max_ps(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn min(self, other: Self) -> Self {
                $name(unsafe { _mm512_min_ps(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn mul_add(self, by: Self, plus: Self) -> Self {
                $name(unsafe { _mm512_fmadd_ps(self.0, by.0, plus.0) })
            }
            #[inline(always)]
            unsafe fn exponent(self) -> Self {
                unsafe {
                    let bits = _mm512_slli_epi32::<23>(_mm512_castps_si512(self.0));
                    let one = _mm512_set1_epi32(0x3f80_0000);
                    $name(_mm512_castsi512_ps(_mm512_add_epi32(bits, one)))
                }
            }

            #[inline(always)]
            unsafe fn splat_int(value: i32) -> __m512i {
                unsafe { _mm512_set1_epi32(value) }
            }
            #[inline(always)]
            unsafe fn load_int(from: *const i32) -> __m512i {
                unsafe { _mm512_loadu_si512(from.cast()) }
            }
            #[inline(always)]
            unsafe fn to_f32(value: __m512i) -> Self {
                $name(unsafe { _mm512_cvtepi32_ps(value) })
            }
            #[inline(always)]
            unsafe fn pairs(sum: __m512i, weights: __m512i, x: __m512i) -> __m512i {
                unsafe { dpwssd(sum, weights, x) }
            }
            #[inline(always)]
            unsafe fn quads(sum: __m512i, weights: __m512i, x: __m512i) -> __m512i {
                unsafe { _mm512_dpbusd_epi32(sum, x, weights) }
            }
            #[inline(always)]
            unsafe fn bf16_pairs(self, weights: __m512i, x: __m512i) -> Self {
                unsafe { $name($bf16_pairs(self.0, weights, x)) }
            }
            #[inline(always)]
            unsafe fn store_i16(self, to: *mut i16) {
                unsafe {
                    let rounded = _mm512_cvtsepi32_epi16(_mm512_cvtps_epi32(self.0));
                    _mm256_storeu_si256(to.cast(), rounded);
                }
            }
            #[inline(always)]
            unsafe fn store_u8(self, to: *mut u8) {
                unsafe {
                    let rounded = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(self.0));
                    _mm_storeu_si128(to.cast(), rounded);
                }
            }
        }
    };
}

/// `vpdpwssd` as it stands: the compiler makes two instructions of the intrinsic, a product of pairs and an
/// addition, which take twice the slots (LLVM 22).
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn dpwssd(mut sum: __m512i, weights: __m512i, x: __m512i) -> __m512i {
    // SAFETY: the caller has AVX-512 with VNNI; registers alone are read and written.
    unsafe {
        asm!(
            "vpdpwssd {sum}, {weights}, {x}",
            sum = inout(zmm_reg) sum,
            weights = in(zmm_reg) weights,
            x = in(zmm_reg) x,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sum
}

/// Two products of f32: a bf16 is the upper half of one.
#[inline(always)]
unsafe fn bf16_by_halves(sum: __m512, weights: __m512i, x: __m512i) -> __m512 {
    // SAFETY: the caller has AVX-512.
    unsafe {
        let high = _mm512_set1_epi32(0xffff_0000_u32 as i32);
        let odd = |pair| _mm512_castsi512_ps(_mm512_and_si512(pair, high));
        let even = |pair| _mm512_castsi512_ps(_mm512_slli_epi32::<16>(pair));
        let sum = _mm512_fmadd_ps(odd(weights), odd(x), sum);
        _mm512_fmadd_ps(even(weights), even(x), sum)
    }
}

/// One instruction, which takes denormals for 0.
#[inline(always)]
unsafe fn bf16_by_instruction(sum: __m512, weights: __m512i, x: __m512i) -> __m512 {
    // SAFETY: the caller has AVX-512 with BF16; the types differ in name alone.
    unsafe {
        let [weights, x] =
            [weights, x].map(|pairs| std::mem::transmute::<__m512i, __m512bh>(pairs));
        _mm512_dpbf16_ps(sum, weights, x)
    }
}

registers_of_sixteen!(Avx512, bf16_by_halves);
registers_of_sixteen!(Avx512Bf16, bf16_by_instruction);

pub(super) mod plain_avx512 {
    super::kernels!(
        super::Avx512, vectors: 4, rows: 6,
        "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma"
    );
}
pub(super) mod with_bf16 {
    super::kernels!(
        super::Avx512Bf16, vectors: 4, rows: 6,
        "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512bf16,fma"
    );
}
