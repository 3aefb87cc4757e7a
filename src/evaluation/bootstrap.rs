//! A [`Bootstrap`] draws samples as large as the data from the data, with replacement: how far a
//! figure moves between them is how far it can be trusted.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

/// How often to resample, and from which seed. The same data, numbers and seed give the same
/// samples on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// Resamples; 0: no intervals. 1,000 put the ends of a 95 % interval within a few hundredths
    /// of its width.
    pub resamples: usize,
    /// The seed.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Bootstrap {
        Bootstrap {
            resamples: 1000,
            seed: 0,
        }
    }
}

impl Bootstrap {
    /// What `figure` is of each resample of `n` units; it is given how often each unit was drawn,
    /// `[n]`. Different `stream`s draw independently.
    pub fn map<T>(&self, n: usize, stream: u64, mut figure: impl FnMut(&[u32]) -> T) -> Vec<T> {
        let mut random = Pcg64::new(u128::from(self.seed), u128::from(stream));
        let mut times = vec![0; n];
        let mut sample = || {
            times.fill(0);
            for _ in 0..n {
                times[below(&mut random, n)] += 1;
            }
            figure(&times)
        };
        match n {
            0 => Vec::new(),
            _ => (0..self.resamples).map(|_| sample()).collect(),
        }
    }
}

/// A number below `n`, from 1: the high half of a product, whose bias is below n / 2^64.
pub fn below(random: &mut Pcg64, n: usize) -> usize {
    ((u128::from(random.next_u64()) * n as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::Estimate;

    #[test]
    fn the_interval_of_a_share_is_that_of_the_binomial() {
        // 200 rows, 60 % right: the standard error is sqrt(.6 * .4 / 200) = .0346.
        let bootstrap = Bootstrap {
            resamples: 4000,
            seed: 7,
        };
        let share = |times: &[u32]| Some(f64::from(times[..120].iter().sum::<u32>()) / 200.0);
        let values = bootstrap.map(200, 0, share);
        let estimate = Estimate::of_resamples(Some(0.6), &values);
        let [low, high] = estimate.interval.unwrap();
        assert!((low - 0.532).abs() < 0.01 && (high - 0.668).abs() < 0.01);
        assert_eq!(values, bootstrap.map(200, 0, share));
        assert_ne!(values, bootstrap.map(200, 1, share));
    }
}
