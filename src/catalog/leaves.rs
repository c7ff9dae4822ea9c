//! What has to be shown of an expression when it decided something (spec 6, `because`).

use super::compiled::{Attribute, Condition, Counter, Leaf};
use super::expr::{Expr, TimeName};

/// The names behind the ids, for labels.
pub struct Labels<'a> {
    pub attributes: &'a [Attribute],
    pub counters: &'a [Counter],
    pub tags: &'a [String],
}

impl Labels<'_> {
    /// The expression with its leaves: in order of mention, each once.
    pub fn condition(&self, expr: Expr) -> Condition {
        let mut leaves = Vec::new();
        self.collect(&expr, &mut leaves);
        Condition { expr, leaves }
    }

    fn collect(&self, expr: &Expr, leaves: &mut Vec<Leaf>) {
        match expr {
            Expr::Literal(_) | Expr::Property(_) | Expr::Kind => {}
            Expr::Attribute(id) => self.leaf(&self.attributes[usize::from(id.0)].name, expr, leaves),
            Expr::Counter(id) => self.leaf(&self.counters[usize::from(id.0)].name, expr, leaves),
            Expr::Time(of) => self.leaf(self.time(*of), expr, leaves),
            Expr::Tag(id) => self.leaf(&format!("tag.{}", self.tags[usize::from(id.0)]), expr, leaves),
            Expr::Since { unit, of } => {
                self.leaf(&format!("{}_since({})", unit.name(), self.time(*of)), expr, leaves);
            }
            Expr::Until { unit, of } => {
                self.leaf(&format!("{}_until({})", unit.name(), self.time(*of)), expr, leaves);
            }
            Expr::Between { from, to, .. } => {
                self.leaf(self.time(*from), &Expr::Time(*from), leaves);
                self.leaf(self.time(*to), &Expr::Time(*to), leaves);
            }
            Expr::Negate(x) | Expr::Abs(x) | Expr::Not(x) | Expr::Has(x) | Expr::Contains(x, _) => {
                self.collect(x, leaves);
            }
            Expr::Arithmetic(_, sides)
            | Expr::Compare { sides, .. }
            | Expr::And(sides)
            | Expr::Or(sides)
            | Expr::Text(_, sides) => sides.iter().for_each(|side| self.collect(side, leaves)),
            Expr::Conditional(parts) => parts.iter().for_each(|part| self.collect(part, leaves)),
            Expr::In(x, list) => {
                self.collect(x, leaves);
                list.iter().for_each(|item| self.collect(item, leaves));
            }
        }
    }

    fn leaf(&self, label: &str, expr: &Expr, leaves: &mut Vec<Leaf>) {
        if leaves.iter().all(|leaf| &*leaf.label != label) {
            leaves.push(Leaf { label: label.into(), expr: expr.clone() });
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
