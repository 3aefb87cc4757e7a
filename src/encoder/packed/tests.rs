//! Every kernel of every instruction set this machine has, against the same text over plain
//! arrays of as many lanes.

use half::bf16;
use proptest::prelude::*;

use super::attention::{Head, Memory};
use super::kernels::Kernels;
use super::product::{Product, Then};
use super::rows::{Pairs, Quads, Steps};
use super::{lanes::Array, portable};
use crate::encoder::config::Activation;

/// The twins, with fused multiplication as the instruction sets have it.
mod twin_of_eight {
    use super::Array;
    crate::encoder::packed::kernels::kernels!(Array<8, true>, vectors: 2, rows: 6);
}
/// What AVX-512's kernels are, but for the registers: it is tested on every machine.
mod twin_of_sixteen {
    use super::Array;
    crate::encoder::packed::kernels::kernels!(Array<16, true>, vectors: 4, rows: 6);
}

/// Each table of this machine with its twin.
fn tables() -> Vec<(&'static str, &'static Kernels, &'static Kernels)> {
    let eight = &twin_of_eight::KERNELS;
    let sixteen = &twin_of_sixteen::KERNELS;
    let mut tables = vec![
        ("portable", &portable::KERNELS, eight),
        ("plain lanes of sixteen", sixteen, eight),
    ];
    #[cfg(target_arch = "x86_64")]
    {
        use super::{avx2, avx512};
        if avx2::available() {
            tables.push(("avx2", &avx2::plain_avx2::KERNELS, eight));
        }
        if avx2::vnni_available() {
            tables.push(("avx-vnni", &avx2::with_vnni::KERNELS, eight));
        }
        if avx512::available() {
            tables.push(("avx512", &avx512::plain_avx512::KERNELS, sixteen));
        }
        if avx512::bf16_available() {
            tables.push(("avx512 with bf16", &avx512::with_bf16::KERNELS, sixteen));
        }
    }
    tables
}

/// Values that look random, -1 to 1, the same for a seed.
fn reals(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn close(name: &str, expected: &[f32], found: &[f32], tolerance: f32) {
    assert_eq!(expected.len(), found.len());
    for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
        let same = (expected - found).abs() <= tolerance * (1.0 + expected.abs());
        let same = same || (expected.is_nan() && found.is_nan());
        assert!(same, "{name}, {index}: expected {expected}, found {found}");
    }
}

/// Runs one product into an `out` that holds something already.
fn product(
    bias: &[f32],
    rows: usize,
    inputs: usize,
    then: Then,
    run: impl FnOnce(Product),
) -> Vec<f32> {
    let mut out = reals(rows * bias.len(), 77);
    run(Product {
        inputs,
        bias,
        then,
        out: &mut out,
    });
    out
}

/// Repacks `[panel][step][width][together]` from one width and number of inputs together to others.
fn repacked<T: Copy + Default>(
    from: &[T],
    inputs: usize,
    [old, new]: [(usize, usize); 2],
) -> Vec<T> {
    let mut to = vec![T::default(); from.len()];
    let place = |(width, together): (usize, usize), output: usize, input: usize| {
        let step = input / together;
        output / width * width * inputs
            + (step * width + output % width) * together
            + input % together
    };
    for output in 0..from.len() / inputs {
        for input in 0..inputs {
            to[place(new, output, input)] = from[place(old, output, input)];
        }
    }
    to
}

const THENS: [Then; 4] = [
    Then::Store,
    Then::Add,
    Then::Activate(Activation::Gelu),
    Then::Activate(Activation::Relu),
];

/// Bounds of the shapes; under Miri, which is some thousand times as slow, a full tile and a part of one.
const MOST_ROWS: usize = if cfg!(miri) { 9 } else { 14 };
const MOST_STEPS: usize = if cfg!(miri) { 2 } else { 5 };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 24 }))]

    #[test]
    fn products_agree_with_their_twins(
        rows in 1..MOST_ROWS, steps in 1..MOST_STEPS, panels in 1..3usize, then in 0..4usize, seed: u32,
        largest in prop::sample::select(vec![1e-42f32, 1e-3, 1.0, 1e4]),
    ) {
        let (inputs, outputs, then) = (steps * 64, panels * 64, THENS[then]);
        let mut x: Vec<f32> = reals(rows * inputs, seed).iter().map(|x| x * largest).collect();
        // A row of nothing, and one whose values all are the largest.
        x[..inputs].fill(0.0);
        x[(rows - 1) * inputs..].fill(largest);
        let (bias, scale, sum) = (reals(outputs, 2), reals(outputs, 3), reals(outputs, 4));
        let w = reals(outputs * inputs, seed ^ 5);
        let w16: Vec<i16> = w.iter().map(|w| (w * 1023.0) as i16).collect();
        // The largest weights of both signs stand together, where saturation would show.
        let w8: Vec<i8> = w.iter().map(|w| if *w > 0.9 { 127 } else { (w * 127.0) as i8 }).collect();
        let wbf: Vec<bf16> = w.iter().map(|w| bf16::from_f32(*w)).collect();
        for (name, table, twin) in tables() {
            let run = |kernels: &Kernels| {
                let width = kernels.panel;
                let mut halves = vec![bf16::ZERO; x.len()];
                let (mut pairs, mut quads) = (Pairs::default(), Quads::default());
                // SAFETY: `tables` gives what this machine has.
                unsafe {
                    let fine = Steps { count: 2.0 * 8191.0, centred: true };
                    let bytes = Steps { count: 255.0, centred: false };
                    (kernels.quantize_pairs)(&x, inputs, fine, &mut pairs);
                    (kernels.quantize_quads)(&x, inputs, bytes, &mut quads);
                    let f32s = product(&bias, rows, inputs, then, |to| {
                        (kernels.product_f32)(&x, &repacked(&w, inputs, [(64, 1), (width, 1)]), to)
                    });
                    let i16s = product(&bias, rows, inputs, then, |to| {
                        let w16 = repacked(&w16, inputs, [(64, 2), (width, 2)]);
                        (kernels.product_pairs)(&pairs, &w16, &scale, &sum, to)
                    });
                    let i8s = product(&bias, rows, inputs, then, |to| {
                        let w8 = repacked(&w8, inputs, [(64, 4), (width, 4)]);
                        (kernels.product_quads)(&quads, &w8, &scale, &sum, to)
                    });
                    (kernels.round_bf16)(&x, &mut halves);
                    let bf16s = product(&bias, rows, inputs, then, |to| {
                        (kernels.product_bf16)(&halves, &repacked(&wbf, inputs, [(64, 1), (width, 2)]), to)
                    });
                    (f32s, i16s, i8s, pairs, quads, halves, bf16s)
                }
            };
            let (expected, found) = (run(twin), run(table));
            close(name, &expected.0, &found.0, 1e-5 * largest.max(1.0));
            // Integers are equal, so values differ only where `mul_add` rounds once.
            prop_assert_eq!(&expected.3.values, &found.3.values, "{} pairs", name);
            prop_assert_eq!(&expected.4.values, &found.4.values, "{} quads", name);
            close(name, &expected.1, &found.1, 1e-6 * largest.max(1.0));
            close(name, &expected.2, &found.2, 1e-6 * largest.max(1.0));
            prop_assert_eq!(&expected.5, &found.5, "{} bf16", name);
            close(name, &expected.6, &found.6, 1e-5 * largest.max(1.0));
            // Eight bits of each factor are left: their errors add up at random.
            close(name, &expected.0, &found.6, 0.05 * largest.max(1.0));
        }
    }

    #[test]
    fn attention_agrees_with_its_twin_and_with_the_formula(
        tokens in 1..40usize, size in prop::sample::select(vec![16usize, 32, 48, 64]), seed: u32,
        spread in prop::sample::select(vec![0.1f32, 1.0, 30.0]),
    ) {
        let hidden = 2 * size;
        let qkv: Vec<f32> = reals(tokens * 3 * hidden, seed).iter().map(|x| x * spread).collect();
        let bias = reals(2 * tokens - 1, 6);
        let head = Head { qkv: &qkv, hidden, column: size, size, bias: Some((&bias, tokens - 1)) };
        let expected = attention_by_formula(&head, tokens);
        for (name, table, twin) in tables() {
            for kernels in [table, twin] {
                let mut out = vec![0.0; tokens * hidden];
                let used = || vec![7.0; 9];
                let mut memory = Memory {
                    keys: used(),
                    values: used(),
                    scores: used(),
                };
                // SAFETY: `tables` gives what this machine has.
                unsafe { (kernels.attend)(&head, &mut memory, &mut out) };
                close(name, &expected, &out, 1e-4 * spread.max(1.0));
            }
        }
    }

    #[test]
    fn layer_norm_agrees_with_its_twin(width in 1..9usize, seed: u32) {
        let width = width * 64;
        let (weight, bias) = (reals(width, 1), reals(width, 2));
        for (name, table, twin) in tables() {
            let [found, expected] = [table, twin].map(|kernels| {
                let mut x = reals(3 * width, seed);
                // SAFETY: `tables` gives what this machine has.
                unsafe { (kernels.normalize)(&mut x, &weight, &bias, 1e-12) };
                x
            });
            close(name, &expected, &found, 1e-5);
        }
    }
}

fn attention_by_formula(head: &Head, tokens: usize) -> Vec<f32> {
    let row = |token: usize, part: usize| {
        let start = token * 3 * head.hidden + part * head.hidden + head.column;
        &head.qkv[start..start + head.size]
    };
    let mut out = vec![0.0; tokens * head.hidden];
    for query in 0..tokens {
        let scores: Vec<f64> = (0..tokens)
            .map(|key| {
                let both = row(query, 0).iter().zip(row(key, 1));
                let dot: f64 = both.map(|(q, k)| f64::from(*q) * f64::from(*k)).sum();
                let (bias, center) = head.bias.unwrap();
                dot / (head.size as f64).sqrt() + f64::from(bias[key + center - query])
            })
            .collect();
        let largest = scores.iter().fold(f64::MIN, |a, b| a.max(*b));
        let powers: Vec<f64> = scores.iter().map(|score| (score - largest).exp()).collect();
        let total: f64 = powers.iter().sum();
        for column in 0..head.size {
            let weighted = (0..tokens).map(|key| powers[key] * f64::from(row(key, 2)[column]));
            let value = weighted.sum::<f64>() / total;
            out[query * head.hidden + head.column + column] = value as f32;
        }
    }
    out
}

#[test]
fn a_value_that_is_not_finite_poisons_its_row_and_no_other() {
    for (name, table, _) in tables() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for place in [0, 63, 127] {
                let mut x = reals(128, 3);
                x[place] = bad;
                let (mut pairs, mut quads) = (Pairs::default(), Quads::default());
                let steps = Steps {
                    count: 255.0,
                    centred: false,
                };
                // SAFETY: `tables` gives what this machine has.
                unsafe {
                    (table.quantize_pairs)(&x, 64, steps, &mut pairs);
                    (table.quantize_quads)(&x, 64, steps, &mut quads);
                }
                let mut halves = vec![bf16::ZERO; 128];
                // SAFETY: as above.
                unsafe { (table.round_bf16)(&x, &mut halves) };
                assert!(!halves[place].is_finite(), "{name}");
                assert_eq!(halves[place].is_nan(), bad.is_nan(), "{name}");
                let own = place / 64;
                for scale in [&pairs.scale, &quads.scale] {
                    assert!(scale[own].is_nan(), "{name}: {bad} at {place}");
                    assert!(scale[1 - own].is_finite(), "{name}");
                }
            }
        }
    }
}

#[test]
fn quantizing_keeps_half_a_step() {
    for (name, table, _) in tables() {
        let x = reals(64, 8);
        for centred in [true, false] {
            let steps = Steps {
                count: 254.0,
                centred,
            };
            let mut pairs = Pairs::default();
            // SAFETY: `tables` gives what this machine has.
            unsafe { (table.quantize_pairs)(&x, 64, steps, &mut pairs) };
            for (x, value) in x.iter().zip(&pairs.values) {
                let back = pairs.offset[0] + f32::from(*value) * pairs.scale[0];
                assert!((x - back).abs() <= pairs.scale[0] * 0.501, "{name}");
            }
        }
    }
}

#[test]
fn exp_and_gelu_agree_with_f64() {
    use super::rows::{exp, gelu};
    type One = Array<1, false>;
    use super::lanes::Lanes;
    for step in 0..2000 {
        let x = -f64::from(step) * 0.04;
        // SAFETY: plain Rust.
        let found = unsafe { exp(One::splat(x as f32)).values()[0] };
        assert!((f64::from(found) / x.exp() - 1.0).abs() < 1e-5, "exp({x})");
    }
    // x Φ(x), from tables of the normal distribution.
    for (x, expected) in [
        (0.0f32, 0.0f32),
        (1.0, 0.841_344_7),
        (-1.0, -0.158_655_3),
        (9.0, 9.0),
        (-9.0, 0.0),
        (-1e9, 0.0),
        (0.5, 0.345_731_23),
        (-2.5, -0.015_524_166),
        (3.8, 3.799_725),
        (-4.9, -2.348_04e-6),
    ] {
        // SAFETY: plain Rust.
        let found = unsafe { gelu(One::splat(x)).values()[0] };
        assert!((found - expected).abs() < 1e-6, "gelu({x}) = {found}");
    }
}
