//! What a test can check of how the code should read: purposes, sizes, names, and who may import whom.
//!
//! - [`sources`]: the sources, or those that a test makes up.
//! - [`tokens`]: their words and signs.
//! - [`paths`]: the paths that they name.
//! - [`files`]: purposes, sizes, names of files, how many stand side by side.
//! - [`packages`]: whose a package is.
//! - [`imports`]: the order of parts and of their rooms.
//! - [`names`]: names of types.
//! - [`purity`]: what the pure parts do without.
//! - `planted`: that each of these finds what it is for.

mod files;
mod imports;
mod names;
mod packages;
mod paths;
mod planted;
mod purity;
mod sources;
mod tokens;

use sources::{all_sources, expect_none};

#[test]
fn parts_import_only_what_comes_before_them() {
    expect_none(imports::parts_out_of_order(&all_sources()));
}

#[test]
fn the_core_is_pure() {
    expect_none(purity::impure(&all_sources()));
}

#[test]
fn rooms_import_only_what_comes_before_them() {
    expect_none(imports::rooms_out_of_order(&all_sources()));
}

#[test]
fn a_type_name_is_unique_within_its_part() {
    expect_none(names::doubled(&all_sources()));
}

#[test]
fn only_entities_have_a_kind() {
    expect_none(names::other_kinds(&all_sources()));
}

#[test]
fn no_folder_is_crowded() {
    expect_none(files::crowded(&all_sources()));
}
