//! [`Kernels`] are the inner loops compiled for one instruction set, chosen when a model is loaded.

use half::bf16;

use super::attention::{self, Head};
use super::product::Product;
use super::{portable, rows};
use crate::encoder::Isa;
use crate::error::{Error, ErrorKind, Result};

/// One instruction set's kernels. All of them are unsafe to call on a processor without it; lengths
/// are checked inside.
pub(super) struct Kernels {
    /// Output channels in a panel of packed weights.
    pub(super) panel: usize,
    /// `x Wᵀ + b`, then what the product asks for.
    pub(super) product_f32: unsafe fn(&[f32], &[f32], Product),
    /// The same over pairs of i16.
    pub(super) product_pairs: unsafe fn(&rows::Pairs, &[i16], &[f32], &[f32], Product),
    /// The same over four bytes, `x` unsigned and weights signed.
    pub(super) product_quads: unsafe fn(&rows::Quads, &[i8], &[f32], &[f32], Product),
    /// The same over pairs of bf16. Fewer rows at once with registers of eight: both halves of the
    /// weights take registers too.
    pub(super) product_bf16: unsafe fn(&[bf16], &[bf16], Product),
    /// LayerNorm of rows in place.
    pub(super) normalize: unsafe fn(&mut [f32], &[f32], &[f32], f32),
    /// Rows to i16.
    pub(super) quantize_pairs: unsafe fn(&[f32], usize, rows::Steps, &mut rows::Pairs),
    /// Rows to u8.
    pub(super) quantize_quads: unsafe fn(&[f32], usize, rows::Steps, &mut rows::Quads),
    /// Values to bf16, as many as there is room for.
    pub(super) round_bf16: unsafe fn(&[f32], &mut [bf16]),
    /// One head's attention.
    pub(super) attend: unsafe fn(&Head, &mut attention::Memory, &mut [f32]),
    /// Multiplications alone, as fast as they go: see `roofline`.
    pub(super) peak_f32: unsafe fn(usize) -> (f32, usize),
    pub(super) peak_pairs: unsafe fn(usize) -> (f32, usize),
    pub(super) peak_quads: unsafe fn(usize) -> (f32, usize),
    pub(super) peak_bf16: unsafe fn(usize) -> (f32, usize),
}

/// Compiles every kernel's text over one implementation of `Lanes`, as a `KERNELS` table.
macro_rules! kernels {
    ($lanes:ty, vectors: $vectors:literal, rows: $rows:literal $(, $features:literal)?) => {
        use $crate::encoder::packed::{attention, kernels::Kernels, lanes::Lanes, product, roofline, rows};

        use half::bf16;

        type V = $lanes;

        pub(in $crate::encoder::packed) static KERNELS: Kernels = Kernels {
            panel: $vectors * V::N,
            product_f32,
            product_pairs,
            product_quads,
            product_bf16,
            normalize,
            quantize_pairs,
            quantize_quads,
            round_bf16,
            attend,
            peak_f32,
            peak_pairs,
            peak_quads,
            peak_bf16,
        };

        $crate::encoder::packed::kernels::kernels!(@each ($($features)?)
            product_f32(x: &[f32], weights: &[f32], to: product::Product)
                => product::f32::<V, $vectors, $rows>;
            product_pairs(x: &rows::Pairs, weights: &[i16], scale: &[f32], sum: &[f32], to: product::Product)
                => product::integers::<V, i16, $vectors, $rows>;
            product_quads(x: &rows::Quads, weights: &[i8], scale: &[f32], sum: &[f32], to: product::Product)
                => product::integers::<V, u8, $vectors, $rows>;
            product_bf16(x: &[bf16], weights: &[bf16], to: product::Product)
                => product::bf16::<V, $vectors, { if V::N == 8 { 4 } else { $rows } }>;
            normalize(x: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32)
                => rows::normalize::<V>;
            quantize_pairs(x: &[f32], width: usize, steps: rows::Steps, to: &mut rows::Pairs)
                => rows::quantize::<V, i16, false>;
            quantize_quads(x: &[f32], width: usize, steps: rows::Steps, to: &mut rows::Quads)
                => rows::quantize::<V, u8, true>;
            round_bf16(x: &[f32], to: &mut [bf16]) => rows::round_bf16;
            attend(head: &attention::Head, memory: &mut attention::Memory, out: &mut [f32])
                => attention::attend::<V>;
            peak_f32(rounds: usize) -> (f32, usize) => roofline::f32::<V>;
            peak_pairs(rounds: usize) -> (f32, usize) => roofline::pairs::<V>;
            peak_quads(rounds: usize) -> (f32, usize) => roofline::quads::<V>;
            peak_bf16(rounds: usize) -> (f32, usize) => roofline::bf16::<V>;
        );
    };
    (@each ($features:literal) $($name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? => $text:expr;)*) => { $(
        #[target_feature(enable = $features)]
        unsafe fn $name($($argument: $type),*) $(-> $result)? {
            // SAFETY: the caller has this instruction set.
            unsafe { $text($($argument),*) }
        }
    )* };
    (@each () $($name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? => $text:expr;)*) => { $(
        unsafe fn $name($($argument: $type),*) $(-> $result)? {
            // SAFETY: plain Rust needs no instruction set.
            unsafe { $text($($argument),*) }
        }
    )* };
}
pub(super) use kernels;

/// A table of kernels with what the choice of a precision goes by.
#[derive(Clone, Copy)]
pub(super) struct Chosen {
    pub(super) kernels: &'static Kernels,
    pub(super) isa: Isa,
    /// Whether four bytes are multiplied by one instruction.
    pub(super) vnni: bool,
    /// Whether two bf16 are multiplied by one instruction.
    pub(super) bf16: bool,
}

/// The kernels of an instruction set.
///
/// # Errors
/// If this machine does not have it.
pub(super) fn choose(isa: Isa) -> Result<Chosen> {
    let portable = Chosen {
        kernels: &portable::KERNELS,
        isa: Isa::Portable,
        vnni: false,
        bf16: false,
    };
    #[cfg(target_arch = "x86_64")]
    {
        use super::{avx2, avx512};
        if matches!(isa, Isa::Auto | Isa::Avx512) && avx512::available() {
            let bf16 = avx512::bf16_available();
            return Ok(Chosen {
                kernels: match bf16 {
                    true => &avx512::with_bf16::KERNELS,
                    false => &avx512::plain_avx512::KERNELS,
                },
                isa: Isa::Avx512,
                vnni: true,
                bf16,
            });
        }
        if matches!(isa, Isa::Auto | Isa::Avx2) && avx2::available() {
            let vnni = avx2::vnni_available();
            return Ok(Chosen {
                kernels: match vnni {
                    true => &avx2::with_vnni::KERNELS,
                    false => &avx2::plain_avx2::KERNELS,
                },
                isa: Isa::Avx2,
                vnni,
                bf16: false,
            });
        }
    }
    match isa {
        Isa::Auto | Isa::Portable => Ok(portable),
        Isa::Avx512 => Err(Error::new(
            ErrorKind::Option,
            "this processor has no AVX-512 with VNNI",
        )
        .hint("use --isa auto")),
        Isa::Avx2 => Err(
            Error::new(ErrorKind::Option, "this processor has no AVX2 and FMA")
                .hint("use --isa auto"),
        ),
    }
}
