//! Texts that an evaluation makes, which live as long as it.

use std::cell::OnceCell;

/// Keeps the texts that functions make of other texts, so that values can refer to them. Empty, it takes no memory.
#[derive(Debug, Default)]
pub(crate) struct TextArena {
    first: OnceCell<Box<KeptText>>,
}

#[derive(Debug)]
struct KeptText {
    text: String,
    next: TextArena,
}

impl TextArena {
    pub(crate) fn keep(&self, text: String) -> &str {
        let mut arena = self;
        while let Some(kept) = arena.first.get() {
            arena = &kept.next;
        }
        &arena.first.get_or_init(|| Box::new(KeptText { text, next: TextArena::default() })).text
    }
}
