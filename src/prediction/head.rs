use ndarray::{Array1, Array2, ArrayView2};

/// `logits = features · weightᵀ + bias`.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// `[label, hidden]`
    pub weight: Array2<f64>,
    /// `[label]`
    pub bias: Array1<f64>,
}

impl Head {
    /// `[row, label]`. Each row's depend on that row alone.
    pub fn logits(&self, features: ArrayView2<f32>) -> Array2<f64> {
        let mut logits = Array2::zeros((features.nrows(), self.bias.len()));
        for (mut logits, row) in logits.outer_iter_mut().zip(features.outer_iter()) {
            let row = row.mapv(f64::from);
            for (label, logit) in logits.iter_mut().enumerate() {
                *logit = self.weight.row(label).dot(&row) + self.bias[label];
            }
        }
        logits
    }
}
