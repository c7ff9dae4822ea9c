//! An answer that is sent in any case, also by a thread that cannot start, or that panics.

use std::sync::mpsc::Sender;

/// Sends one answer. Where it is dropped without one, it sends what was agreed at first.
pub(crate) struct OwedAnswer<T> {
    answers: Sender<T>,
    answer: Option<T>,
}

impl<T> OwedAnswer<T> {
    /// `otherwise`: the answer of a thread that gives none.
    pub(crate) fn new(answers: Sender<T>, otherwise: T) -> Self {
        OwedAnswer { answers, answer: Some(otherwise) }
    }

    pub(crate) fn send(mut self, answer: T) {
        self.answer = Some(answer);
    }
}

impl<T> Drop for OwedAnswer<T> {
    fn drop(&mut self) {
        if let Some(answer) = self.answer.take() {
            // Whoever has asked may have ended.
            let _ = self.answers.send(answer);
        }
    }
}
