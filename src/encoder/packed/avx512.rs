//! AVX-512 kernels of the packed engine. Each has its plain twin in `plain`.
//!
//! AMX is not used: on virtual machines that advertise it without keeping its state, it ends the
//! program.

use std::arch::x86_64::*;

use super::plain::{self, Head, PANEL};

/// Whether this machine can run everything here.
pub(super) fn available() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vnni")
        && is_x86_feature_detected!("fma")
}

/// `ROWS` rows of `a` (`[ROWS, k]`) against one panel; sums to `out` (`[ROWS, PANEL]`).
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma")]
pub(super) fn panel_int8<const ROWS: usize>(
    a: &[i8],
    k: usize,
    row_sums: &[i32],
    w: &[u8],
    out: &mut [[i32; PANEL]; ROWS],
) {
    assert!(a.len() >= ROWS * k && w.len() >= k * PANEL && k.is_multiple_of(4));
    let mut sums = [[_mm512_setzero_si512(); 4]; ROWS];
    for (sums, row_sum) in sums.iter_mut().zip(row_sums) {
        // Weights are stored with 128 added, which adds 128 times the row's sum.
        *sums = [_mm512_set1_epi32(-128 * row_sum); 4];
    }
    for step in 0..k / 4 {
        let panel = w[step * PANEL * 4..][..PANEL * 4].as_ptr();
        // SAFETY: the slice above has 256 bytes, read as four unaligned vectors of 64.
        let weights: [__m512i; 4] =
            std::array::from_fn(|j| unsafe { _mm512_loadu_si512(panel.add(j * 64).cast()) });
        for (row, sums) in sums.iter_mut().enumerate() {
            // SAFETY: `row < ROWS` and `4 * step + 4 <= k`, so the four bytes end within
            // `ROWS * k`, which the assertion above says `a` has.
            let four = unsafe {
                a.as_ptr()
                    .add(row * k + step * 4)
                    .cast::<i32>()
                    .read_unaligned()
            };
            let four = _mm512_set1_epi32(four);
            for (sum, weights) in sums.iter_mut().zip(weights) {
                *sum = _mm512_dpbusd_epi32(*sum, weights, four);
            }
        }
    }
    for (out, sums) in out.iter_mut().zip(sums) {
        for (out, sum) in out.chunks_exact_mut(16).zip(sums) {
            // SAFETY: a chunk has 16 values of four bytes, one vector.
            unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), sum) };
        }
    }
}

/// As `panel_int8`, in f32 and with the bias added.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma")]
pub(super) fn panel_f32<const ROWS: usize>(
    a: &[f32],
    k: usize,
    w: &[f32],
    bias: &[f32],
    out: &mut [[f32; PANEL]; ROWS],
) {
    assert!(a.len() >= ROWS * k && w.len() >= k * PANEL && bias.len() >= PANEL);
    let mut sums = [[_mm512_setzero_ps(); 4]; ROWS];
    for step in 0..k {
        let panel = w[step * PANEL..][..PANEL].as_ptr();
        // SAFETY: the slice above has 64 values, read as four unaligned vectors of 16.
        let weights: [__m512; 4] =
            std::array::from_fn(|j| unsafe { _mm512_loadu_ps(panel.add(j * 16)) });
        for (row, sums) in sums.iter_mut().enumerate() {
            // SAFETY: `row < ROWS` and `step < k`: within the `ROWS * k` values asserted above.
            let value = _mm512_set1_ps(unsafe { *a.as_ptr().add(row * k + step) });
            for (sum, weights) in sums.iter_mut().zip(weights) {
                *sum = _mm512_fmadd_ps(weights, value, *sum);
            }
        }
    }
    for (out, sums) in out.iter_mut().zip(sums) {
        for (j, sum) in sums.into_iter().enumerate() {
            let (out, bias) = (&mut out[j * 16..][..16], &bias[j * 16..][..16]);
            // SAFETY: both slices have 16 values, one vector.
            unsafe {
                let sum = _mm512_add_ps(sum, _mm512_loadu_ps(bias.as_ptr()));
                _mm512_storeu_ps(out.as_mut_ptr(), sum);
            }
        }
    }
}

/// `plain`'s functions again, compiled for AVX-512: the same operations in the same order.
macro_rules! compiled {
    ($($name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => { $(
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,fma")]
        pub(super) fn $name($($argument: $type),*) $(-> $result)? {
            plain::$name($($argument),*)
        }
    )* };
}

compiled! {
    quantize(row: &[f32], out: &mut [i8]) -> (f32, i32);
    normalize(row: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32);
    gelu(row: &mut [f32]);
    attend(head: &Head, keys: &mut Vec<f32>, scores: &mut Vec<f32>, out: &mut [f32]);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that look random, the same in every run.
    fn bits(count: usize, mut state: u32) -> Vec<u32> {
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 8
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn kernels_agree_with_their_plain_twins() {
        if !available() {
            return;
        }
        for (seed, k) in [4, 8, 12, 64, 384, 1536].into_iter().enumerate() {
            let mut a: Vec<i8> = bits(6 * k, seed as u32).iter().map(|b| *b as i8).collect();
            let mut w: Vec<u8> = bits(k * PANEL, 9).iter().map(|b| *b as u8).collect();
            // The first row and channel saturate: the largest values against the largest.
            a[..k].fill(-127);
            w.iter_mut().step_by(7).for_each(|w| *w = 255);
            let row_sums: Vec<i32> = a
                .chunks(k)
                .map(|row| row.iter().map(|a| i32::from(*a)).sum())
                .collect();
            let mut fast = [[0; PANEL]; 6];
            // SAFETY: `available` says that this machine has the instructions.
            unsafe { panel_int8::<6>(&a, k, &row_sums, &w, &mut fast) };
            for (row, fast) in a.chunks(k).zip(&fast) {
                let mut slow = [0; PANEL];
                plain::panel_int8(row, &w, &mut slow);
                assert_eq!(&slow, fast, "k = {k}");
            }

            let real = |bits: Vec<u32>| -> Vec<f32> {
                bits.iter().map(|b| *b as f32 / 8_388_608.0 - 1.0).collect()
            };
            let (a, w, bias) = (
                real(bits(3 * k, 1)),
                real(bits(k * PANEL, 2)),
                real(bits(PANEL, 3)),
            );
            let mut fast = [[0.0; PANEL]; 3];
            // SAFETY: as above.
            unsafe { panel_f32::<3>(&a, k, &w, &bias, &mut fast) };
            for (row, fast) in a.chunks(k).zip(&fast) {
                let mut slow = [0.0; PANEL];
                plain::panel_f32(row, &w, &bias, &mut slow);
                for (slow, fast) in slow.iter().zip(fast) {
                    assert!(
                        (slow - fast).abs() < 1e-6 * k as f32,
                        "{slow} and {fast}, k = {k}"
                    );
                }
            }
        }
    }
}
