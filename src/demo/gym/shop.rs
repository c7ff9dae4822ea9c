//! The items that the gym's shop sells.

use fastrand::Rng;

/// An item for sale.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    pub name: &'static str,
    pub category: &'static str,
    pub cents: i64,
    /// How often it is bought, relative to the others.
    weight: u32,
}

const fn item(name: &'static str, category: &'static str, cents: i64, weight: u32) -> Item {
    Item { name, category, cents, weight }
}

const SHELF: [Item; 10] = [
    item("shake", "nutrition", 450, 30),
    item("energy_bar", "nutrition", 290, 20),
    item("protein_1kg", "nutrition", 3_990, 10),
    item("towel", "gear", 1_290, 10),
    item("gloves", "gear", 2_490, 8),
    item("bottle", "gear", 1_690, 8),
    item("shoes", "gear", 8_990, 5),
    item("shirt", "gear", 3_490, 8),
    item("massage", "service", 5_500, 6),
    item("coach_5x", "service", 24_900, 3),
];

/// A random item; cheap items are more frequent than expensive ones.
pub(crate) fn pick(rng: &mut Rng) -> Item {
    let total: u32 = SHELF.iter().map(|item| item.weight).sum();
    let mut ticket = rng.u32(..total);
    for item in SHELF {
        if ticket < item.weight {
            return item;
        }
        ticket -= item.weight;
    }
    SHELF[0]
}
