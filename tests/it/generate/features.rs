//! What a random case may have beyond one kind of entity, behaviour alone, and a complete history.

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Features {
    /// Up to two further kinds of entity.
    pub kinds: bool,
    /// Manual tags, `$tag` and `$erase`.
    pub commands: bool,
    /// `forget_after`.
    pub forgetting: bool,
    /// `history: partial`.
    pub partial: bool,
}

impl Features {
    pub const NONE: Self = Self { kinds: false, commands: false, forgetting: false, partial: false };
    pub const ALL: Self = Self { kinds: true, commands: true, forgetting: true, partial: true };
}
