//! Numbers to subs and back, so that a world of millions needs no index.

use userlink_domain::Sub;

/// A keyed permutation of the numbers below 2^62: four rounds of Feistel's network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permutation {
    seed: u64,
}

const HALF: u64 = (1 << 31) - 1;

/// SplitMix64's last step: every bit of the input moves half of the output.
pub(crate) fn mix(mut value: u64) -> u64 {
    value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

impl Permutation {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed }
    }

    fn round(self, number: u64, half: u64) -> u64 {
        mix(self.seed ^ number.wrapping_mul(0x1000_0001) ^ half) & HALF
    }

    fn forth(self, value: u64) -> u64 {
        let (mut left, mut right) = (value >> 31, value & HALF);
        for round in 0..4 {
            (left, right) = (right, left ^ self.round(round, right));
        }
        left << 31 | right
    }

    fn back(self, value: u64) -> u64 {
        let (mut left, mut right) = (value >> 31, value & HALF);
        for round in (0..4).rev() {
            (left, right) = (right ^ self.round(round, left), left);
        }
        left << 31 | right
    }

    /// The sub of a number: a UUID of version 4.
    pub(crate) fn sub(self, number: u64) -> Sub {
        let low = self.forth(number & ((1 << 62) - 1));
        let high = mix(low ^ self.seed.rotate_left(17)) & !0xf000 | 0x4000;
        Sub::from_u128(u128::from(high) << 64 | u128::from(low | 1 << 63))
    }

    /// The number of a sub, if it is one of these.
    pub(crate) fn number(self, sub: Sub) -> Option<u64> {
        let low = sub.as_u128() as u64 & ((1 << 62) - 1);
        let number = self.back(low);
        (self.sub(number) == sub).then_some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subs_lead_back_to_their_numbers_and_strangers_to_none() {
        let these = Permutation::new(7);
        for number in (0..10_000).chain([u64::MAX >> 2]) {
            assert_eq!(these.number(these.sub(number)), Some(number));
        }
        assert_eq!(these.number(Permutation::new(8).sub(1)), None);
        assert_eq!(&these.sub(1).to_string()[14..15], "4", "a version 4 UUID");
    }
}
