//! AVX2 with FMA, and AVX2 with AVX-VNNI: registers of eight.

use std::arch::asm;
use std::arch::x86_64::*;

use super::kernels::kernels;
use super::lanes::Lanes;

/// Implements [`Lanes`] over `__m256`, given the integer products.
macro_rules! registers_of_eight {
    ($name:ident, $pairs:expr, $quads:expr) => {
        #[derive(Clone, Copy)]
        pub(super) struct $name(__m256);

        // SAFETY of every block here: the caller of a method of `Lanes` promises the instruction
        // set and, where there is a pointer, a whole register behind it.
        #[allow(clippy::undocumented_unsafe_blocks)]
        impl Lanes for $name {
            const N: usize = 8;
            type Int = __m256i;

            #[inline(always)]
            unsafe fn splat(value: f32) -> Self {
                $name(unsafe { _mm256_set1_ps(value) })
            }
            #[inline(always)]
            unsafe fn load(from: *const f32) -> Self {
                $name(unsafe { _mm256_loadu_ps(from) })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut f32) {
                unsafe { _mm256_storeu_ps(to, self.0) }
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                $name(unsafe { _mm256_add_ps(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn sub(self, other: Self) -> Self {
                $name(unsafe { _mm256_sub_ps(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn mul(self, other: Self) -> Self {
                $name(unsafe { _mm256_mul_ps(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn div(self, other: Self) -> Self {
                $name(unsafe { _mm256_div_ps(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn max(self, other: Self) -> Self {
                $name(unsafe { _mm256_max_ps(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn min(self, other: Self) -> Self {
                $name(unsafe { _mm256_min_ps(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn mul_add(self, by: Self, plus: Self) -> Self {
                $name(unsafe { _mm256_fmadd_ps(self.0, by.0, plus.0) })
            }
            #[inline(always)]
            unsafe fn exponent(self) -> Self {
                unsafe {
                    let bits = _mm256_slli_epi32::<23>(_mm256_castps_si256(self.0));
                    let one = _mm256_set1_epi32(0x3f80_0000);
                    $name(_mm256_castsi256_ps(_mm256_add_epi32(bits, one)))
                }
            }

            #[inline(always)]
            unsafe fn splat_int(value: i32) -> __m256i {
                unsafe { _mm256_set1_epi32(value) }
            }
            #[inline(always)]
            unsafe fn load_int(from: *const i32) -> __m256i {
                unsafe { _mm256_loadu_si256(from.cast()) }
            }
            #[inline(always)]
            unsafe fn to_f32(value: __m256i) -> Self {
                $name(unsafe { _mm256_cvtepi32_ps(value) })
            }
            #[inline(always)]
            unsafe fn pairs(sum: __m256i, weights: __m256i, x: __m256i) -> __m256i {
                unsafe { $pairs(sum, weights, x) }
            }
            #[inline(always)]
            unsafe fn quads(sum: __m256i, weights: __m256i, x: __m256i) -> __m256i {
                unsafe { $quads(sum, weights, x) }
            }
            #[inline(always)]
            unsafe fn bf16_pairs(self, weights: __m256i, x: __m256i) -> Self {
                // A bf16 is the upper half of an f32.
                unsafe {
                    let high = _mm256_set1_epi32(0xffff_0000_u32 as i32);
                    let odd = |pair| _mm256_castsi256_ps(_mm256_and_si256(pair, high));
                    let even = |pair| _mm256_castsi256_ps(_mm256_slli_epi32::<16>(pair));
                    let sum = _mm256_fmadd_ps(odd(weights), odd(x), self.0);
                    $name(_mm256_fmadd_ps(even(weights), even(x), sum))
                }
            }
            #[inline(always)]
            unsafe fn store_i16(self, to: *mut i16) {
                unsafe {
                    let rounded = _mm256_cvtps_epi32(self.0);
                    let (low, high) = (
                        _mm256_castsi256_si128(rounded),
                        _mm256_extracti128_si256::<1>(rounded),
                    );
                    _mm_storeu_si128(to.cast(), _mm_packs_epi32(low, high));
                }
            }
            #[inline(always)]
            unsafe fn store_u8(self, to: *mut u8) {
                unsafe {
                    let rounded = _mm256_cvtps_epi32(self.0);
                    let (low, high) = (
                        _mm256_castsi256_si128(rounded),
                        _mm256_extracti128_si256::<1>(rounded),
                    );
                    let words = _mm_packs_epi32(low, high);
                    _mm_storel_epi64(to.cast(), _mm_packus_epi16(words, words));
                }
            }
        }
    };
}

/// Two 16-bit products and an addition.
#[inline(always)]
unsafe fn pairs_by_madd(sum: __m256i, weights: __m256i, x: __m256i) -> __m256i {
    // SAFETY: the caller has AVX2.
    unsafe { _mm256_add_epi32(sum, _mm256_madd_epi16(weights, x)) }
}

/// Bytes widened to 16 bits, even and odd: `vpmaddubsw` would saturate (2 * 255 * 127 > 32767).
#[inline(always)]
unsafe fn quads_by_madd(sum: __m256i, weights: __m256i, x: __m256i) -> __m256i {
    // SAFETY: the caller has AVX2.
    unsafe {
        let even_x = _mm256_and_si256(x, _mm256_set1_epi16(0xff));
        let odd_x = _mm256_srli_epi16::<8>(x);
        let even = _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(weights));
        let odd = _mm256_srai_epi16::<8>(weights);
        let sum = pairs_by_madd(sum, even, even_x);
        pairs_by_madd(sum, odd, odd_x)
    }
}

/// `vpdpwssd` as it stands: see `avx512`.
#[inline]
#[target_feature(enable = "avx2,avxvnni")]
unsafe fn dpwssd(mut sum: __m256i, weights: __m256i, x: __m256i) -> __m256i {
    // SAFETY: the caller has AVX-VNNI; registers alone are read and written.
    unsafe {
        asm!(
            "{{vex}} vpdpwssd {sum}, {weights}, {x}",
            sum = inout(ymm_reg) sum,
            weights = in(ymm_reg) weights,
            x = in(ymm_reg) x,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sum
}

registers_of_eight!(Avx2, pairs_by_madd, quads_by_madd);
registers_of_eight!(AvxVnni, dpwssd, |sum, weights, x| _mm256_dpbusd_avx_epi32(
    sum, x, weights
));

/// Whether this machine has AVX2 and FMA.
pub(super) fn available() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

/// Whether it also has AVX-VNNI.
pub(super) fn vnni_available() -> bool {
    available() && is_x86_feature_detected!("avxvnni")
}

pub(super) mod plain_avx2 {
    super::kernels!(super::Avx2, vectors: 2, rows: 6, "avx2,fma");
}
pub(super) mod with_vnni {
    super::kernels!(super::AvxVnni, vectors: 2, rows: 6, "avx2,fma,avxvnni");
}
