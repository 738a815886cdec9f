//! Random numbers that depend on nothing but seed, input and trial, so that the result is the same
//! whatever the number of threads.
//!
//! The generator is `SplitMix64` (Steele, Lea, Flood: *Fast Splittable Pseudorandom Number
//! Generators*, OOPSLA 2014): its n-th output is a mixing function of a counter, so any draw can be
//! made by itself. Each input has a stream of its own, begun from a hash of its key: a change to one
//! input leaves the draws of all others as they are, which makes two scenarios comparable.

const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The stream of one input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stream {
    start: u64,
}

impl Stream {
    /// The stream of a named quantity under a seed.
    pub(super) fn new(seed: u64, name: &str) -> Stream {
        // FNV-1a, 64 bits.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Stream {
            start: mix(mix(seed).wrapping_add(hash)),
        }
    }

    /// The draw of a trial: uniform, above 0 and below 1.
    pub(super) fn uniform(self, trial: u32) -> f64 {
        let counter = u64::from(trial).wrapping_add(1).wrapping_mul(GOLDEN_GAMMA);
        let bits = mix(self.start.wrapping_add(counter)) >> 11;
        // The middle of one of 2^53 equal steps.
        (bits as f64 + 0.5) / (1_u64 << 53) as f64
    }
}

fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_splitmix64() {
        // The published generator's first outputs for the seed 1234567.
        let stream = Stream { start: 1_234_567 };
        let expected: [u64; 3] = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        for (trial, output) in expected.into_iter().enumerate() {
            let uniform = ((output >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
            assert_eq!(stream.uniform(trial as u32), uniform);
        }
    }

    #[test]
    fn draws_are_uniform_and_streams_are_apart() {
        let (a, b) = (Stream::new(1, "a"), Stream::new(1, "b"));
        let n = 100_000;
        let mut tenths = [0_u32; 10];
        let (mut product, mut mean) = (0.0, 0.0);
        for trial in 0..n {
            let (x, y) = (a.uniform(trial), b.uniform(trial));
            assert!(0.0 < x && x < 1.0);
            tenths[(x * 10.0) as usize] += 1;
            mean += x / f64::from(n);
            product += (x - 0.5) * (y - 0.5) / f64::from(n);
        }
        // Five standard errors of a share of 1/10, of the mean, of the covariance.
        let spread = 5.0 * (0.09 / f64::from(n)).sqrt() * f64::from(n);
        for count in tenths {
            assert!((f64::from(count) - 10_000.0).abs() < spread, "{tenths:?}");
        }
        assert!((mean - 0.5).abs() < 5.0 * (1.0 / 12.0 / f64::from(n)).sqrt());
        assert!(product.abs() < 5.0 / 12.0 / f64::from(n).sqrt());
        assert_ne!(Stream::new(2, "a"), a);
    }
}
