//! The coverage of a catalog by its tests: which tags, stages and bands entities entered and left.

use crate::catalog::Catalog;
use crate::cli::output::audiences::{Audience, Audiences};
use crate::model::TagChange;

#[derive(Clone, Copy, Debug, Default)]
struct AudienceCoverage {
    is_entered: bool,
    is_left: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Coverage {
    audiences: Audiences,
    /// By audience.
    seen: Vec<AudienceCoverage>,
}

impl Coverage {
    pub(crate) fn new(catalog: &Catalog) -> Self {
        let audiences = Audiences::new(catalog);
        Coverage { seen: vec![AudienceCoverage::default(); audiences.list().len()], audiences }
    }

    pub(crate) fn record(&mut self, change: &TagChange<'_>) {
        if let Some(entered) = self.audiences.find(change.tag, change.value) {
            self.seen[entered].is_entered = true;
        }
        if let Some(left) = self.audiences.find(change.tag, change.previous) {
            self.seen[left].is_left = true;
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.seen.iter().all(|seen| seen.is_entered && seen.is_left)
    }

    /// A line with the totals, then one line for each tag that is not fully covered.
    pub(crate) fn report(&self, catalog: &str) -> String {
        let seen: Vec<_> = self.audiences.list().iter().zip(&self.seen).collect();
        // The audiences of a tag are adjacent.
        let tags: Vec<_> = seen.chunk_by(|(a, _), (b, _)| a.tag == b.tag).collect();
        let gaps: Vec<(&str, String)> = tags.iter().filter_map(|tag| Some((&*tag[0].0.tag, gap(tag)?))).collect();
        let full = tags.len() - gaps.len();
        let width = gaps.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let mut text =
            format!("coverage of {catalog}: {full} of {} tags were entered and left in every way\n", tags.len());
        for (name, gap) in gaps {
            text.push_str(&format!("  {name:width$}  {gap}\n"));
        }
        text
    }
}

/// What no entity did with a tag: `never left`, or by band or stage.
fn gap(tag: &[(&Audience, &AudienceCoverage)]) -> Option<String> {
    let said = tag.iter().filter_map(|(audience, seen)| {
        let missing = match (seen.is_entered, seen.is_left) {
            (true, true) => return None,
            (true, false) => "never left",
            (false, _) => "never entered",
        };
        Some(audience.part.as_ref().map_or(missing.to_owned(), |part| format!("{part} {missing}")))
    });
    let said: Vec<String> = said.collect();
    (!said.is_empty()).then(|| said.join(", "))
}
