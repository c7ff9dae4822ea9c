//! What the bitmaps of a partition say of a condition: who certainly fulfils it, and who may.

use roaring::RoaringBitmap;

use crate::catalog::{Comparison, Expr, TagDefinition, TagId};
use crate::model::Value;
use crate::serve::replica::PartitionView;

/// Two bounds of the entities for which a condition holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bounds {
    /// It holds for these.
    pub least: RoaringBitmap,
    /// It holds for no others.
    pub most: RoaringBitmap,
}

impl Bounds {
    fn exact(these: RoaringBitmap) -> Self {
        Bounds { most: these.clone(), least: these }
    }

    fn at_most(most: RoaringBitmap) -> Self {
        Bounds { least: RoaringBitmap::new(), most }
    }

    /// The bounds of a condition.
    pub(super) fn of(expr: &Expr, view: &PartitionView) -> Self {
        let all = || view.all().clone();
        match expr {
            Expr::Literal(Value::Bool(true)) => Bounds::exact(all()),
            Expr::Literal(_) => Bounds::exact(RoaringBitmap::new()),
            Expr::And(sides) => {
                let [a, b] = sides.each_ref().map(|side| Bounds::of(side, view));
                Bounds { least: a.least & b.least, most: a.most & b.most }
            }
            Expr::Or(sides) => {
                let [a, b] = sides.each_ref().map(|side| Bounds::of(side, view));
                Bounds { least: a.least | b.least, most: a.most | b.most }
            }
            Expr::Not(x) => {
                let x = Bounds::of(x, view);
                Bounds { least: all() - x.most, most: all() - x.least }
            }
            Expr::Conditional(parts) => {
                let [condition, then, other] = parts.each_ref().map(|part| Bounds::of(part, view));
                Bounds {
                    least: (&condition.least & then.least) | ((all() - &condition.most) & other.least),
                    most: (condition.most & then.most) | ((all() - condition.least) & other.most),
                }
            }
            Expr::Tag(id) if is_rule(view, *id) => Bounds::exact(view.with_tag(*id).clone()),
            Expr::Tag(id) => Bounds::at_most(view.with_tag(*id).clone()),
            Expr::Has(x) => match &**x {
                // A rule's tag is false where it is off, and never absent.
                Expr::Tag(id) if is_rule(view, *id) => Bounds::exact(all()),
                Expr::Tag(id) => Bounds::exact(view.with_tag(*id).clone()),
                _ => Bounds::at_most(all()),
            },
            Expr::Compare { op, sides, .. } => match (&sides[0], &sides[1]) {
                (Expr::Tag(id), Expr::Literal(value)) => compared(view, *id, *op, value),
                (Expr::Literal(value), Expr::Tag(id)) => compared(view, *id, op.mirrored(), value),
                _ => Bounds::at_most(all()),
            },
            Expr::In(x, list) => match &**x {
                Expr::Tag(id) => list.iter().fold(Bounds::exact(RoaringBitmap::new()), |bounds, item| {
                    let item = match item {
                        Expr::Literal(value) => compared(view, *id, Comparison::Equal, value),
                        _ => Bounds::at_most(all()),
                    };
                    Bounds { least: bounds.least | item.least, most: bounds.most | item.most }
                }),
                _ => Bounds::at_most(all()),
            },
            _ => Bounds::at_most(all()),
        }
    }
}

fn is_rule(view: &PartitionView, tag: TagId) -> bool {
    matches!(view.program().tag(tag).definition, TagDefinition::Rule { .. })
}

/// A tag compared with a literal. A comparison with an absent tag is false.
fn compared(view: &PartitionView, tag: TagId, op: Comparison, value: &Value) -> Bounds {
    let with = view.with_tag(tag);
    let definition = &view.program().tag(tag).definition;
    match (definition, value, op) {
        (TagDefinition::Rule { .. }, Value::Bool(is_on), Comparison::Equal | Comparison::NotEqual) => {
            let wants_on = *is_on == (op == Comparison::Equal);
            Bounds::exact(if wants_on { with.clone() } else { view.all() - with })
        }
        (TagDefinition::Rule { .. }, ..) => Bounds::at_most(view.all().clone()),
        (_, Value::String(label), Comparison::Equal | Comparison::NotEqual) => {
            let labels = definition.labels();
            let place = labels.iter().position(|known| **known == **label);
            match (place.and_then(|place| view.with_label(tag, place as u16)), op) {
                (Some(these), Comparison::Equal) => Bounds::exact(these.clone()),
                (Some(these), _) => Bounds::exact(with - these),
                (None, _) => Bounds::at_most(with.clone()),
            }
        }
        _ => Bounds::at_most(with.clone()),
    }
}
