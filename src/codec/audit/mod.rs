//! Compares the events that came with the catalog, and tells what is not so (spec 9.6).
//!
//! Something is watched only as long as it is in doubt: a `where` that an event has passed is not looked at again. So
//! in a catalog that fits its events only numbers, texts and the clock are watched.
//!
//! - `owner`: whose finding it is, and which events it takes;
//! - `type_audit`: types that never came;
//! - `filter_audit`: a `where` that no event passed;
//! - `number_audit`: numbers that were rounded, or are too large;
//! - `text_audit`: texts that are too long to keep;
//! - `clock_leaps`: events that moved the clock past all that follow;
//! - `words`: all of it in words.

mod owner;
mod type_audit;
mod filter_audit;
mod number_audit;
mod text_audit;
mod clock_leaps;
mod words;

use std::sync::Arc;

pub use clock_leaps::ClockLeap;
pub use filter_audit::ClosedFilter;
pub use number_audit::InexactNumbers;
pub use owner::Owner;
pub use text_audit::LongTexts;
pub use type_audit::MissingTypes;

use clock_leaps::ClockLeaps;
use filter_audit::FilterAudit;
use number_audit::NumberAudit;
use owner::Intended;
use text_audit::TextAudit;
use type_audit::TypeAudit;

use crate::engine::Program;
use crate::model::Event;

/// What the events that came say about the catalog.
#[derive(Debug)]
pub struct InputAudit {
    program: Arc<Program>,
    types: TypeAudit,
    filters: FilterAudit,
    numbers: NumberAudit,
    texts: TextAudit,
    leaps: ClockLeaps,
    events: u64,
    /// [`InputAudit::words_if_due`] has something to tell from this many events on.
    due_at: u64,
}

/// Fewer events say little of what never comes.
const EVENTS_TOLD: u64 = 10_000;

impl InputAudit {
    /// The program of any kind of entity.
    pub fn new(program: Arc<Program>) -> Self {
        let catalog = &program.catalog;
        let intended = Intended::of(catalog);
        InputAudit {
            types: TypeAudit::new(&intended),
            filters: FilterAudit::new(&intended),
            numbers: NumberAudit::new(catalog),
            texts: TextAudit::new(catalog),
            leaps: ClockLeaps::default(),
            events: 0,
            due_at: EVENTS_TOLD,
            program,
        }
    }

    /// Notes the next event of a file, and the number of its line.
    pub fn note_line(&mut self, event: &Event, line: u64) {
        self.leaps.note(event, line);
        self.note(event);
    }

    /// Notes the next event.
    pub fn note(&mut self, event: &Event) {
        if event.command.is_some() {
            return;
        }
        self.events += 1;
        self.types.note(event);
        self.filters.note(event, &self.program);
        self.numbers.note(event, &self.program);
        self.texts.note(event, &self.program);
    }

    /// Everything that is not so, in words, each time that there were ten times as many events as before.
    pub fn words_if_due(&mut self) -> Vec<String> {
        if self.events < self.due_at {
            return Vec::new();
        }
        self.due_at = self.events.saturating_mul(10);
        self.words()
    }

    /// How many events there were, commands aside.
    pub fn events(&self) -> u64 {
        self.events
    }

    pub fn missing_types(&self) -> Vec<MissingTypes> {
        self.types.found(&self.program.catalog).collect()
    }

    pub fn closed_filters(&self) -> Vec<&ClosedFilter> {
        self.filters.found().collect()
    }

    pub fn inexact_numbers(&self) -> Vec<&InexactNumbers> {
        self.numbers.found().collect()
    }

    pub fn long_texts(&self) -> Vec<&LongTexts> {
        self.texts.found().collect()
    }

    pub fn clock_leaps(&self) -> Vec<&ClockLeap> {
        self.leaps.found().collect()
    }
}
