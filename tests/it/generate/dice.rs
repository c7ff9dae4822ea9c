//! The one source of chance: everything random follows from a seed.

pub struct Dice(fastrand::Rng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// True once in `throws` throws on average.
    pub fn one_in(&mut self, throws: u32) -> bool {
        self.0.u32(..throws) == 0
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.0.usize(..from.len())].clone()
    }

    /// A number from `least` to `greatest`, both included.
    pub fn number(&mut self, least: i64, greatest: i64) -> i64 {
        self.0.i64(least..=greatest)
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        self.0.shuffle(items);
    }
}
