//! AVX-512 with VNNI: registers of sixteen.
//!
//! AMX is not used: on virtual machines that advertise it without keeping its state, it ends the
//! program.

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

#[derive(Clone, Copy)]
pub(super) struct Avx512(__m512);

// SAFETY of every block here: the caller of a method of `Lanes` promises the instruction set and,
// where there is a pointer, a whole register behind it.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Lanes for Avx512 {
    const N: usize = 16;
    type Int = __m512i;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Avx512(unsafe { _mm512_set1_ps(value) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        Avx512(unsafe { _mm512_loadu_ps(from) })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { _mm512_storeu_ps(to, self.0) }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Avx512(unsafe { _mm512_add_ps(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        Avx512(unsafe { _mm512_sub_ps(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        Avx512(unsafe { _mm512_mul_ps(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        Avx512(unsafe { _mm512_div_ps(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        Avx512(unsafe { _mm512_max_ps(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        Avx512(unsafe { _mm512_min_ps(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn mul_add(self, by: Self, plus: Self) -> Self {
        Avx512(unsafe { _mm512_fmadd_ps(self.0, by.0, plus.0) })
    }
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        Avx512(unsafe { _mm512_abs_ps(self.0) })
    }
    #[inline(always)]
    unsafe fn exponent(self) -> Self {
        unsafe {
            let bits = _mm512_slli_epi32::<23>(_mm512_castps_si512(self.0));
            let one = _mm512_set1_epi32(0x3f80_0000);
            Avx512(_mm512_castsi512_ps(_mm512_add_epi32(bits, one)))
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
        Avx512(unsafe { _mm512_cvtepi32_ps(value) })
    }
    #[inline(always)]
    unsafe fn pairs(sum: __m512i, weights: __m512i, x: __m512i) -> __m512i {
        unsafe { _mm512_dpwssd_epi32(sum, weights, x) }
    }
    #[inline(always)]
    unsafe fn quads(sum: __m512i, weights: __m512i, x: __m512i) -> __m512i {
        unsafe { _mm512_dpbusd_epi32(sum, x, weights) }
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

pub(super) mod table {
    super::kernels!(
        super::Avx512, vectors: 4, rows: 6,
        "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma"
    );
}
