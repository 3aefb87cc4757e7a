//! A [`LinkHead`] says which of a chunk's sources, or cues, a quote belongs to.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, Ix1, Ix2, concatenate, s};

use crate::error::{Error, ErrorKind, Result};
use crate::model::Model;
use crate::tagger::decode::WordSpan;

/// Width of the space in which contents and candidates are compared.
const LINK_DIM: usize = 64;
/// 0 overlapping; 1–6 candidate before, 7–12 candidate after, by powers of two words.
const DISTANCES: usize = 13;
/// 0, 1, 2 or more.
const BETWEEN: usize = 3;

/// `score = query · key / √LINK_DIM + distance + breaks + between`, against `none`.
pub(crate) struct LinkHead {
    query: Linear,
    key: Linear,
    none: Linear,
    /// `[DISTANCES]`
    distance: Array1<f32>,
    /// `[BETWEEN]`: line breaks between the two
    breaks: Array1<f32>,
    /// `[BETWEEN]`: ends of other contents between the two
    between: Array1<f32>,
}

/// `y = W x + b`.
pub(crate) struct Linear {
    /// `[out, in]`
    weight: Array2<f32>,
    /// `[out]`
    bias: Array1<f32>,
}

/// The candidate a content belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    /// `None`: to none of them.
    pub(crate) candidate: Option<usize>,
    /// Of that choice.
    pub(crate) probability: f64,
}

/// The chunk that links are found in.
pub(crate) struct Scene<'a> {
    /// Of each word's first piece: `[words, hidden]`.
    pub(crate) hidden: ArrayView2<'a, f32>,
    /// Line breaks before each word, and in all: `[words + 1]`.
    pub(crate) breaks_before: &'a [usize],
    pub(crate) contents: &'a [WordSpan],
}

impl LinkHead {
    /// Takes the tensors `{name}_query` and so on.
    ///
    /// # Errors
    /// A tensor that is missing or has another shape.
    pub(crate) fn load(model: &Model, name: &str) -> Result<LinkHead> {
        let hidden = model.encoder().hidden_size();
        let part = |part: &str| format!("{name}_{part}");
        Ok(LinkHead {
            query: Linear::load(model, &part("query"), LINK_DIM, 3 * hidden)?,
            key: Linear::load(model, &part("key"), LINK_DIM, 2 * hidden)?,
            none: Linear::load(model, &part("none"), 1, 3 * hidden)?,
            distance: vector(model, &part("distance"), DISTANCES)?,
            breaks: vector(model, &part("breaks"), BETWEEN)?,
            between: vector(model, &part("between"), BETWEEN)?,
        })
    }

    /// The most probable candidate of each content.
    pub(crate) fn link(&self, scene: &Scene, candidates: &[WordSpan]) -> Vec<Link> {
        let keys: Vec<Array1<f32>> = candidates
            .iter()
            .map(|span| {
                let ends = [scene.hidden.row(span.first), scene.hidden.row(span.last)];
                self.key.apply(join(&ends).view())
            })
            .collect();
        let contents = scene.contents.iter();
        contents
            .map(|content| {
                let words = scene.hidden.slice(s![content.first..=content.last, ..]);
                let mean = words.mean_axis(Axis(0)).expect("a span has a word");
                let ends = [
                    scene.hidden.row(content.first),
                    scene.hidden.row(content.last),
                    mean.view(),
                ];
                let content_state = join(&ends);
                let query = self.query.apply(content_state.view());
                let mut scores: Vec<f64> = candidates
                    .iter()
                    .zip(&keys)
                    .map(|(candidate, key)| {
                        let near = scene.nearness(*content, *candidate);
                        let alike = query.dot(key) / (LINK_DIM as f32).sqrt();
                        let score = alike
                            + self.distance[near.distance]
                            + self.breaks[near.breaks]
                            + self.between[near.contents];
                        f64::from(score)
                    })
                    .collect();
                scores.push(f64::from(self.none.apply(content_state.view())[0]));
                best(&scores)
            })
            .collect()
    }
}

/// Where a candidate stands from a content, as rows of the head's tables.
struct Nearness {
    distance: usize,
    breaks: usize,
    contents: usize,
}

impl Scene<'_> {
    fn nearness(&self, content: WordSpan, candidate: WordSpan) -> Nearness {
        let (side, from, to) = if candidate.last < content.first {
            (1, candidate.last, content.first)
        } else if candidate.first > content.last {
            (7, content.last, candidate.first)
        } else {
            return Nearness {
                distance: 0,
                breaks: 0,
                contents: 0,
            };
        };
        let others = self.contents.iter();
        let others = others.filter(|other| from < other.last && other.last < to);
        let breaks = self.breaks_before[to] - self.breaks_before[from];
        Nearness {
            distance: side + ((to - from).ilog2() as usize).min(5),
            breaks: breaks.min(BETWEEN - 1),
            contents: others.count().min(BETWEEN - 1),
        }
    }
}

/// Of equals the first; the last score stands for "none of them".
fn best(scores: &[f64]) -> Link {
    let top = (1..scores.len()).fold(0, |top, k| if scores[k] > scores[top] { k } else { top });
    let sum: f64 = scores.iter().map(|x| (x - scores[top]).exp()).sum();
    Link {
        candidate: (top + 1 < scores.len()).then_some(top),
        probability: 1.0 / sum,
    }
}

fn join(parts: &[ArrayView1<f32>]) -> Array1<f32> {
    concatenate(Axis(0), parts).expect("vectors join at their ends")
}

impl Linear {
    /// Takes `{name}.weight` and `{name}.bias`.
    ///
    /// # Errors
    /// One that is missing or has another shape.
    pub(crate) fn load(model: &Model, name: &str, out: usize, into: usize) -> Result<Linear> {
        let weight = model.tensor(&format!("{name}.weight"))?;
        if weight.shape() != [out, into] {
            return Err(misshapen(
                &format!("{name}.weight"),
                weight.shape(),
                &[out, into],
            ));
        }
        Ok(Linear {
            weight: (weight.into_dimensionality::<Ix2>()).expect("its shape has just been checked"),
            bias: vector(model, &format!("{name}.bias"), out)?,
        })
    }

    /// One vector; row by row, so that the sums do not depend on what stands beside it.
    pub(crate) fn apply(&self, x: ArrayView1<f32>) -> Array1<f32> {
        let rows = self.weight.outer_iter().zip(&self.bias);
        rows.map(|(row, bias)| row.dot(&x) + bias).collect()
    }
}

fn vector(model: &Model, name: &str, size: usize) -> Result<Array1<f32>> {
    let tensor = model.tensor(name)?;
    if tensor.shape() != [size] {
        return Err(misshapen(name, tensor.shape(), &[size]));
    }
    Ok(tensor
        .into_dimensionality::<Ix1>()
        .expect("its shape has just been checked"))
}

fn misshapen(name: &str, found: &[usize], expected: &[usize]) -> Error {
    let message = format!("tensor {name} has shape {found:?}, expected {expected:?}");
    Error::new(ErrorKind::Model, message).hint("the folder must hold a quote tagger")
}
