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
            Expr::Attribute(id) => self.reported(&self.attributes[usize::from(id.0)].name, expr, reported),
            Expr::Counter(id) => self.reported(&self.counters[usize::from(id.0)].name, expr, reported),
            Expr::Time(of) => self.time_name(*of, reported),
            Expr::Calendar(function, of) => {
                self.reported(&format!("{}({})", function.name(), self.time(*of)), expr, reported);
            }
            Expr::Tag(id) => self.reported(&format!("tag.{}", self.tags[usize::from(id.0)]), expr, reported),
            Expr::Since { unit, of } => {
                self.reported(&format!("{}_since({})", unit.name(), self.time(*of)), expr, reported);
            }
            Expr::Until { unit, of } => {
                self.reported(&format!("{}_until({})", unit.name(), self.time(*of)), expr, reported);
            }
            Expr::Between { from, to, .. } => {
                self.time_name(*from, reported);
                self.time_name(*to, reported);
            }
            Expr::Share(name) => self.reported(&format!("share({name:?})"), expr, reported),
            _ => expr.for_each_operand(|operand| self.collect(operand, reported)),
        }
    }

    /// A time by itself; a constant is not reported, as a literal is not.
    fn time_name(&self, name: TimeName, reported: &mut Vec<ReportedValue>) {
        if !matches!(name, TimeName::Instant(_) | TimeName::Date(_)) {
            self.reported(&self.time(name), &Expr::Time(name), reported);
        }
    }

    fn reported(&self, label: &str, expr: &Expr, reported: &mut Vec<ReportedValue>) {
        if reported.iter().all(|reported| &*reported.label != label) {
            reported.push(ReportedValue { label: label.into(), expr: expr.clone() });
        }
    }

    fn time(&self, name: TimeName) -> String {
        match name {
            TimeName::Attribute(id) => self.attributes[usize::from(id.0)].name.to_string(),
            TimeName::Counter(id) => self.counters[usize::from(id.0)].name.to_string(),
            _ => name.builtin(),
        }
    }
}
