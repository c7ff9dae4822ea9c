//! What operators and machines do to a history: processes are stopped, killed or suspended, and told another catalog.

use std::sync::Arc;

use super::history::History;
use super::scheduler::{Held, Stroke};

/// How often, in a thousand looks, an operator or a machine interferes.
const DISTURBED: u32 = 40;

impl History {
    /// Operators and machines interfere: a process is stopped, killed, or suspended.
    pub(super) fn disturb(&mut self) {
        let mut held = self.world.hold();
        let index = held.dice.usize(..self.places.len());
        if !held.strikes(|_| DISTURBED) {
            return;
        }
        let Some(process) = self.places[index].process else { return };
        match held.dice.u32(..4) {
            0 => {
                let name = held.processes[process].name.clone();
                held.note(format_args!("{name} is told to stop"));
                self.places[index].stop.give();
            }
            1 => held.kill(process),
            2 => {
                let us = held.dice.u64(100_000..8_000_000);
                held.freeze(process, us);
            }
            _ => {
                // Taken for dead, and replaced: there are two of it then.
                let us = held.dice.u64(100_000..8_000_000);
                held.freeze(process, us);
                self.places[index].process = None;
                self.places[index].start_at_us = held.now_us + held.dice.u64(..2_000_000);
            }
        }
    }

    /// What befalls a process in the middle of a call.
    pub(super) fn stroke(&self, held: &mut Held<'_>) -> Stroke {
        let us = held.dice.u64(50_000..6_000_000);
        match held.dice.u32(..3) {
            0 if self.script.family.moves() => Stroke::Kill,
            1 => Stroke::Cut { us },
            _ => Stroke::Freeze { us },
        }
    }

    /// An operator changes the catalog of one process after the other, and approves what waits; who starts from then on has
    /// the new catalog.
    pub(super) fn change_catalog(&mut self) {
        let now_us = self.world.now_us();
        let Some((_, catalog)) = self.script.switches.iter().rfind(|(at_us, _)| *at_us <= now_us) else { return };
        self.catalog = *catalog;
        for place in 0..self.places.len() {
            let fate = self.world.hold().dice.u32(..40);
            if fate < 10 {
                self.tell_catalog(place);
            } else if fate == 10
                && let Some(rollout) = &self.places[place].rollout
            {
                let tags = rollout.approve(None);
                self.world.hold().note(format_args!("approved early: {tags:?}"));
            }
        }
    }

    /// Tells a process the catalog in force, unless it has it.
    pub(super) fn tell_catalog(&mut self, index: usize) {
        let (catalog, compiled) = (self.catalog, Arc::clone(&self.catalog().compiled));
        let place = &mut self.places[index];
        let Some(rollout) = place.rollout.as_ref().filter(|_| place.catalog != catalog) else { return };
        self.world.hold().note(format_args!("process {:?} is told another catalog", place.process));
        place.catalog = catalog;
        rollout.submit(compiled);
    }
}
