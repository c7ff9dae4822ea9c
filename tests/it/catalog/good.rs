//! Catalogs that are right, and what they compile to.

use tagstream::catalog::load;

#[test]
fn the_example_of_the_contract() {
    let loaded = load("spec.yaml", include_str!("good/spec.yaml"));
    println!("{:#?}", loaded.problems);
    println!("{:#?}", loaded.catalog.unwrap());
}
