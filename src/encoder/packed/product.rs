//! Products of activations with packed weights, and what follows them on the way out of the
//! registers. Each row's arithmetic is its own, however many rows share a tile.

// Loops count over arrays of registers: iterators over them were left as calls in the inner loop.
#![allow(clippy::needless_range_loop)]

use super::lanes::Lanes;
use super::rows::{Quantized, gelu};
use crate::encoder::config::Activation;

/// What becomes of a product's result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Then {
    Store,
    Add,
    Activate(Activation),
}

/// The shape of a product and where it goes.
pub(super) struct Product<'a> {
    /// Columns of `x`.
    pub(super) inputs: usize,
    /// `[outputs]`, a whole number of panels.
    pub(super) bias: &'a [f32],
    pub(super) then: Then,
    /// `[rows, outputs]`
    pub(super) out: &'a mut [f32],
}

/// Calls the tile of as many rows as are left.
macro_rules! tile {
    ($tile:ident, [$($type:ty),*], $VECTORS:ident, $left:expr, $arguments:tt) => {
        match $left {
            1 => tile!(@ $tile, [$($type),*], $VECTORS, 1, $arguments),
            2 => tile!(@ $tile, [$($type),*], $VECTORS, 2, $arguments),
            3 => tile!(@ $tile, [$($type),*], $VECTORS, 3, $arguments),
            4 => tile!(@ $tile, [$($type),*], $VECTORS, 4, $arguments),
            5 => tile!(@ $tile, [$($type),*], $VECTORS, 5, $arguments),
            _ => tile!(@ $tile, [$($type),*], $VECTORS, 6, $arguments),
        }
    };
    (@ $tile:ident, [$($type:ty),*], $VECTORS:ident, $rows:literal, ($($argument:expr),*)) => {
        $tile::<$($type,)* $VECTORS, $rows>($($argument),*)
    };
}

/// Checks the lengths once, and walks panels and tiles: for each panel, all rows, so that the
/// panel's weights stay in the first-level cache.
macro_rules! walk {
    ($V:ty, $VECTORS:ident, $ROWS:ident, $to:ident, $x:expr, $weights:expr, $tile:ident $(<$T:ty>)?, |$row:ident, $panel:ident| $arguments:tt) => {{
        let (inputs, outputs) = ($to.inputs, $to.bias.len());
        let width = $VECTORS * <$V>::N;
        let rows = $to.out.len() / outputs;
        assert!($ROWS <= 6 && outputs.is_multiple_of(width) && $to.out.len() == rows * outputs);
        assert!($x.len() == rows * inputs && $weights.len() == outputs * inputs);
        for $panel in (0..outputs).step_by(width) {
            let mut $row = 0;
            while $row < rows {
                let left = (rows - $row).min($ROWS);
                tile!($tile, [$V $(, $T)?], $VECTORS, left, $arguments);
                activate::<$V>($to, $row, left, $panel, width);
                $row += left;
            }
        }
    }};
}

/// Applies what was asked for to a tile's results, while they are near.
#[inline(always)]
unsafe fn activate<V: Lanes>(
    to: &mut Product,
    row: usize,
    rows: usize,
    panel: usize,
    width: usize,
) {
    let Then::Activate(activation) = to.then else {
        return;
    };
    let outputs = to.bias.len();
    for row in row..row + rows {
        for column in (panel..panel + width).step_by(V::N) {
            // SAFETY: `walk` has checked that `out` has these rows and, from `panel`, this width.
            unsafe {
                let out = to.out.as_mut_ptr().add(row * outputs + column);
                let value = V::load(out);
                let value = match activation {
                    Activation::Gelu => gelu(value),
                    // NaN stays: the larger is `other` where `self` is NaN.
                    Activation::Relu => V::splat(0.0).max(value),
                };
                value.store(out);
            }
        }
    }
}

/// `x` as `[rows, inputs]`, `weights` as `[panel][inputs][panel width]`.
///
/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
pub(super) unsafe fn f32<V: Lanes, const VECTORS: usize, const ROWS: usize>(
    x: &[f32],
    weights: &[f32],
    mut to: Product,
) {
    let to = &mut to;
    // SAFETY: the instruction set is the caller's promise; `walk` checks the lengths and hands
    // out rows and panels within them.
    unsafe {
        walk!(V, VECTORS, ROWS, to, x, weights, tile_f32, |row, panel| (
            x.as_ptr().add(row * to.inputs),
            weights.as_ptr().add(panel * to.inputs),
            row,
            panel,
            to
        ));
    }
}

#[inline(always)]
unsafe fn tile_f32<V: Lanes, const VECTORS: usize, const ROWS: usize>(
    x: *const f32,
    mut weights: *const f32,
    row: usize,
    panel: usize,
    to: &mut Product,
) {
    // SAFETY: `walk` gave `ROWS` rows of `inputs` from `x`, and a whole panel from `weights`.
    unsafe {
        let mut sums = [[V::splat(0.0); VECTORS]; ROWS];
        for step in 0..to.inputs {
            let mut w = [V::splat(0.0); VECTORS];
            for vector in 0..VECTORS {
                w[vector] = V::load(weights.add(vector * V::N));
            }
            weights = weights.add(VECTORS * V::N);
            for r in 0..ROWS {
                let x = V::splat(*x.add(r * to.inputs + step));
                for vector in 0..VECTORS {
                    sums[r][vector] = w[vector].mul_add(x, sums[r][vector]);
                }
            }
        }
        finish_reals(sums, row, panel, to);
    }
}

/// `x` as `[rows, inputs]`, `weights` as `[panel][inputs / 2][panel width][2]`.
///
/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
pub(super) unsafe fn bf16<V: Lanes, const VECTORS: usize, const ROWS: usize>(
    x: &[half::bf16],
    weights: &[half::bf16],
    mut to: Product,
) {
    let to = &mut to;
    assert!(to.inputs.is_multiple_of(2));
    // SAFETY: as for `f32`.
    unsafe {
        walk!(V, VECTORS, ROWS, to, x, weights, tile_bf16, |row, panel| (
            x.as_ptr().add(row * to.inputs),
            weights.as_ptr().add(panel * to.inputs),
            row,
            panel,
            to
        ));
    }
}

#[inline(always)]
unsafe fn tile_bf16<V: Lanes, const VECTORS: usize, const ROWS: usize>(
    x: *const half::bf16,
    mut weights: *const half::bf16,
    row: usize,
    panel: usize,
    to: &mut Product,
) {
    // SAFETY: `walk` gave `ROWS` rows of `inputs` from `x`, and a whole panel from `weights`.
    unsafe {
        let mut sums = [[V::splat(0.0); VECTORS]; ROWS];
        for step in 0..to.inputs / 2 {
            let mut w = [V::splat_int(0); VECTORS];
            for vector in 0..VECTORS {
                w[vector] = V::load_int(weights.add(vector * V::N * 2).cast());
            }
            weights = weights.add(VECTORS * V::N * 2);
            for r in 0..ROWS {
                let x = x.add(r * to.inputs + step * 2).cast::<i32>();
                let x = V::splat_int(x.read_unaligned());
                for vector in 0..VECTORS {
                    sums[r][vector] = sums[r][vector].bf16_pairs(w[vector], x);
                }
            }
        }
        finish_reals(sums, row, panel, to);
    }
}

/// Adds the bias to a tile's sums, and stores them.
#[inline(always)]
unsafe fn finish_reals<V: Lanes, const VECTORS: usize, const ROWS: usize>(
    sums: [[V; VECTORS]; ROWS],
    row: usize,
    panel: usize,
    to: &mut Product,
) {
    for vector in 0..VECTORS {
        let column = panel + vector * V::N;
        // SAFETY: `walk` has checked that there is a bias for each output, in whole registers.
        unsafe {
            let bias = V::load(to.bias.as_ptr().add(column));
            for r in 0..ROWS {
                finish(sums[r][vector].add(bias), to, row + r, column);
            }
        }
    }
}

/// The numbers of a quantised row that four bytes hold, multiplied by as many weights at once.
pub(super) trait Group {
    type Weight;
    const LEN: usize = 4 / size_of::<Self::Weight>();

    /// Adds to each i32 the sum of the products.
    ///
    /// # Safety
    /// The processor has the instruction set of `V`.
    unsafe fn add_products<V: Lanes>(sum: V::Int, weights: V::Int, x: V::Int) -> V::Int;
}

impl Group for i16 {
    type Weight = i16;

    #[inline(always)]
    unsafe fn add_products<V: Lanes>(sum: V::Int, weights: V::Int, x: V::Int) -> V::Int {
        // SAFETY: as this function.
        unsafe { V::pairs(sum, weights, x) }
    }
}

impl Group for u8 {
    type Weight = i8;

    #[inline(always)]
    unsafe fn add_products<V: Lanes>(sum: V::Int, weights: V::Int, x: V::Int) -> V::Int {
        // SAFETY: as this function.
        unsafe { V::quads(sum, weights, x) }
    }
}

/// Quantised rows, what is needed to make sums of integers values again, and where they go.
struct Integers<'a, T> {
    x: &'a Quantized<T>,
    scale: &'a [f32],
    sum: &'a [f32],
}

/// `weights` as `[panel][inputs / LEN][panel width][LEN]`; `scale` for each output, and `sum` of
/// its weights times that scale, by which a row's offset is added back.
///
/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
pub(super) unsafe fn integers<V: Lanes, T: Group, const VECTORS: usize, const ROWS: usize>(
    x: &Quantized<T>,
    weights: &[T::Weight],
    scale: &[f32],
    sum: &[f32],
    mut to: Product,
) {
    let to = &mut to;
    let outputs = to.bias.len();
    assert!(scale.len() == outputs && sum.len() == outputs && to.inputs.is_multiple_of(T::LEN));
    assert!(x.scale.len() * to.inputs == x.values.len() && x.offset.len() == x.scale.len());
    let integers = Integers { x, scale, sum };
    // SAFETY: as for `f32`.
    unsafe {
        walk!(
            V,
            VECTORS,
            ROWS,
            to,
            x.values,
            weights,
            tile_integers<T>,
            |row, panel| (
                &integers,
                weights.as_ptr().add(panel * to.inputs),
                row,
                panel,
                to
            )
        );
    }
}

#[inline(always)]
unsafe fn tile_integers<V: Lanes, T: Group, const VECTORS: usize, const ROWS: usize>(
    integers: &Integers<T>,
    mut weights: *const T::Weight,
    row: usize,
    panel: usize,
    to: &mut Product,
) {
    // SAFETY: `walk` gave `ROWS` rows of `inputs` from `row`, and a whole panel from `weights`.
    unsafe {
        let values = integers.x.values.as_ptr().add(row * to.inputs);
        let mut sums = [[V::splat_int(0); VECTORS]; ROWS];
        for step in 0..to.inputs / T::LEN {
            let mut w = [V::splat_int(0); VECTORS];
            for vector in 0..VECTORS {
                w[vector] = V::load_int(weights.add(vector * V::N * T::LEN).cast());
            }
            weights = weights.add(VECTORS * V::N * T::LEN);
            for r in 0..ROWS {
                let x = values.add(r * to.inputs + step * T::LEN).cast::<i32>();
                let x = V::splat_int(x.read_unaligned());
                for vector in 0..VECTORS {
                    sums[r][vector] = T::add_products::<V>(sums[r][vector], w[vector], x);
                }
            }
        }
        finish_integers::<V, T, VECTORS, ROWS>(integers, sums, row, panel, to);
    }
}

/// Makes a tile's sums of integers values again, and stores them.
#[inline(always)]
unsafe fn finish_integers<V: Lanes, T, const VECTORS: usize, const ROWS: usize>(
    integers: &Integers<T>,
    sums: [[V::Int; VECTORS]; ROWS],
    row: usize,
    panel: usize,
    to: &mut Product,
) {
    // SAFETY: the callers have checked that there is a scale and an offset for each row, and a
    // scale, a sum and a bias for each output.
    unsafe {
        for vector in 0..VECTORS {
            let column = panel + vector * V::N;
            let scale = V::load(integers.scale.as_ptr().add(column));
            let sum = V::load(integers.sum.as_ptr().add(column));
            let bias = V::load(to.bias.as_ptr().add(column));
            for r in 0..ROWS {
                let own = V::splat(*integers.x.scale.as_ptr().add(row + r));
                let offset = V::splat(*integers.x.offset.as_ptr().add(row + r));
                let value = V::to_f32(sums[r][vector]);
                let value = value.mul_add(scale.mul(own), sum.mul_add(offset, bias));
                finish(value, to, row + r, column);
            }
        }
    }
}

/// Stores one register of results, or adds it to what is there; `activate` comes behind the tile.
#[inline(always)]
unsafe fn finish<V: Lanes>(value: V, to: &mut Product, row: usize, column: usize) {
    // SAFETY: `walk` has checked that `out` has this row and, from `column`, a whole register.
    unsafe {
        let out = to.out.as_mut_ptr().add(row * to.bias.len() + column);
        let value = match to.then {
            Then::Add => value.add(V::load(out)),
            Then::Store | Then::Activate(_) => value,
        };
        value.store(out);
    }
}
