//! The catalog: from YAML as written, through all its problems, to the checked and compiled form.
//!
//! What this module hands on ([`Catalog`]) is always right: names are resolved to ids, types agree, windows divide
//! into panes, the clock enters only linearly. Nobody behind it checks again.

mod compiled;
mod expr;

pub use compiled::{
    Aggregate, Attribute, AttributeId, AttributeType, Bands, CalendarUnit, Catalog, Condition, Counter, CounterId,
    InputMapping, KeyRule, KindRule, KindSet, Leaf, Pointer, PropertiesRule, Resolution, Source, Stage, Tag, TagId,
    TagKind, TimeUnit, Window,
};
pub use expr::{Arithmetic, Comparison, Expr, TextTest, TimeName};
