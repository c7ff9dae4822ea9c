//! What a random case may have beyond one kind of entity, behaviour alone, and a complete history.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Feature {
    /// Up to two further kinds of entity.
    Kinds,
    /// Manual tags, `$tag` and `$erase`.
    Commands,
    /// `forget_after`.
    Forgetting,
    /// `history: partial`.
    Partial,
    /// Integers beyond 2^53, nine decimals, amounts around ±10¹⁵.
    Numbers,
    /// `numbers_in_text`.
    NumbersInText,
    /// Attributes of type date, constants, and functions of local dates.
    Dates,
    /// The hour, weekday and so on of an event.
    EventTimes,
    /// `week_starts`.
    WeekStarts,
    /// `ago`.
    Ago,
    /// `each` and `item`.
    Each,
    /// Expressions in `sum` and its like.
    Expressions,
    /// `since`.
    Since,
    Sessions,
    Sequence,
    /// Types that end in a star.
    Stars,
    /// Functions of texts, and patterns.
    Texts,
    Share,
    /// Lists of pointers, and `$record` and `$key`.
    Pointers,
    /// Microseconds and nanoseconds, short offsets, local times, the byte-order mark.
    TimeForms,
}

/// A set of features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features(u32);

/// Every feature.
const FEATURES: [Feature; 20] = [
    Feature::Kinds,
    Feature::Commands,
    Feature::Forgetting,
    Feature::Partial,
    Feature::Numbers,
    Feature::NumbersInText,
    Feature::Dates,
    Feature::EventTimes,
    Feature::WeekStarts,
    Feature::Ago,
    Feature::Each,
    Feature::Expressions,
    Feature::Since,
    Feature::Sessions,
    Feature::Sequence,
    Feature::Stars,
    Feature::Texts,
    Feature::Share,
    Feature::Pointers,
    Feature::TimeForms,
];

impl Features {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self((1 << FEATURES.len()) - 1);

    /// The features that `TAGSTREAM_FEATURES` names (`Dates,Texts`), or all.
    ///
    /// # Panics
    ///
    /// A name is none of a feature's.
    pub fn asked() -> Self {
        let Ok(names) = std::env::var("TAGSTREAM_FEATURES") else { return Self::ALL };
        Self(names.split(',').fold(0, |bits, name| {
            let named = FEATURES.into_iter().find(|feature| format!("{feature:?}") == name);
            bits | 1 << named.unwrap_or_else(|| panic!("TAGSTREAM_FEATURES: no feature is {name:?}")) as u32
        }))
    }

    pub fn of(features: &[Feature]) -> Self {
        Self(features.iter().fold(0, |bits, feature| bits | 1 << *feature as u32))
    }

    pub const fn has(self, feature: Feature) -> bool {
        self.0 & 1 << feature as u32 != 0
    }

    pub const fn without(self, feature: Feature) -> Self {
        Self(self.0 & !(1 << feature as u32))
    }

    /// One of these, alone: another for each seed.
    pub fn single(self, seed: u64) -> Self {
        let on: Vec<Feature> = FEATURES.into_iter().filter(|feature| self.has(*feature)).collect();
        Self(1 << on[seed as usize % on.len()] as u32)
    }
}
