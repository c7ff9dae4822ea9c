//! The values that a change reports when an expression caused it (spec 6, `because`).

use crate::catalog::compiled::{Attribute, Condition, Counter, Expr, ReportedValue, TimeName};

/// The names of attributes, counters and tags by id, for labels.
pub(super) struct NamesById<'a> {
    pub attributes: &'a [Attribute],
    pub counters: &'a [Counter],
    pub tags: &'a [String],
}

impl NamesById<'_> {
    /// The expression with the values that it reports, in its order, each once.
    pub(super) fn condition(&self, expr: Expr) -> Condition {
        let mut reported = Vec::new();
        self.collect(&expr, &mut reported);
        Condition { expr, reported }
    }

    fn collect(&self, expr: &Expr, reported: &mut Vec<ReportedValue>) {
        match expr {
            Expr::Literal(_) | Expr::Property(_) | Expr::EventType => {}
            Expr::Attribute(id) => self.reported(&self.attributes[usize::from(id.0)].name, expr, reported),
            Expr::Counter(id) => self.reported(&self.counters[usize::from(id.0)].name, expr, reported),
            Expr::Time(of) => self.reported(self.time(*of), expr, reported),
            Expr::Tag(id) => self.reported(&format!("tag.{}", self.tags[usize::from(id.0)]), expr, reported),
            Expr::Since { unit, of } => {
                self.reported(&format!("{}_since({})", unit.name(), self.time(*of)), expr, reported);
            }
            Expr::Until { unit, of } => {
                self.reported(&format!("{}_until({})", unit.name(), self.time(*of)), expr, reported);
            }
            Expr::Between { from, to, .. } => {
                self.reported(self.time(*from), &Expr::Time(*from), reported);
                self.reported(self.time(*to), &Expr::Time(*to), reported);
            }
            Expr::Negate(x) | Expr::Abs(x) | Expr::Not(x) | Expr::Has(x) | Expr::Contains(x, _) => {
                self.collect(x, reported);
            }
            Expr::Arithmetic(_, sides)
            | Expr::Compare { sides, .. }
            | Expr::And(sides)
            | Expr::Or(sides)
            | Expr::Text(_, sides) => sides.iter().for_each(|side| self.collect(side, reported)),
            Expr::Conditional(parts) => parts.iter().for_each(|part| self.collect(part, reported)),
            Expr::In(x, list) => {
                self.collect(x, reported);
                list.iter().for_each(|item| self.collect(item, reported));
            }
        }
    }

    fn reported(&self, label: &str, expr: &Expr, reported: &mut Vec<ReportedValue>) {
        if reported.iter().all(|reported| &*reported.label != label) {
            reported.push(ReportedValue { label: label.into(), expr: expr.clone() });
        }
    }

    fn time(&self, name: TimeName) -> &str {
        match name {
            TimeName::Attribute(id) => &self.attributes[usize::from(id.0)].name,
            TimeName::Counter(id) => &self.counters[usize::from(id.0)].name,
            TimeName::FirstSeen => "first_seen",
            TimeName::LastSeen => "last_seen",
            TimeName::Event => "time",
        }
    }
}
