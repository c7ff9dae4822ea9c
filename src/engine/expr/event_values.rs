//! The values that an aggregate tells apart in an event.

use std::collections::HashSet;

use xxhash_rust::xxh3::Xxh3;

use super::event_filter::{elements, scalar, source};
use super::event_part::EventPart;
use crate::catalog::{InputMapping, Source};
use crate::model::{Number, Scalar};

/// Visits a value, or the elements of an array.
pub(crate) fn visit_values<'a>(of: Source, event: EventPart<'a>, mut visit: impl FnMut(Scalar<'a>)) {
    visit(source(of, event));
    elements(event.at(of), event).iter().for_each(|element| visit(scalar(*element, event)));
}

/// Visits the strings of an event that may be kept, each once, in the order in which they first stand.
pub(crate) fn visit_texts<'a>(of: Source, event: EventPart<'a>, input: &InputMapping, mut visit: impl FnMut(&'a str)) {
    /// Among this few, a scan is the quickest way to find a repeat, and needs no memory.
    const FEW: usize = 32;
    let mut few = [""; FEW];
    let mut many = HashSet::new();
    let mut count = 0;
    visit_values(of, event, |value| {
        let Scalar::String(text) = input.keepable(value) else {
            return;
        };
        if few[..count.min(FEW)].contains(&text) || count >= FEW && !many.insert(text) {
            return;
        }
        if count < FEW {
            few[count] = text;
        }
        count += 1;
        visit(text);
    });
}

/// Values that are equal in an expression have equal hashes; absent values and times have none.
pub(crate) fn hash_value(value: Scalar<'_>) -> Option<u64> {
    let mut hasher = Xxh3::new();
    match value {
        Scalar::Bool(b) => hasher.update(&[0, u8::from(b)]),
        Scalar::Number(number) => {
            // Adding zero makes −0 a 0.
            match (number, number.exact_f64()) {
                (Number::Integer(integer), None) => {
                    hasher.update(&[3]);
                    hasher.update(&integer.to_le_bytes());
                }
                (_, double) => {
                    hasher.update(&[1]);
                    hasher.update(&(double.unwrap_or(number.to_f64()) + 0.0).to_bits().to_le_bytes());
                }
            }
        }
        Scalar::String(text) => {
            hasher.update(&[2]);
            hasher.update(text.as_bytes());
        }
        Scalar::Absent | Scalar::Time(_) | Scalar::Date(_) => return None,
    }
    Some(hasher.digest())
}
