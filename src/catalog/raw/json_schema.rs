//! The JSON Schema of a catalog, with which editors complete and check it.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;

use super::catalog::RawCatalog;

/// The JSON Schema of a catalog.
pub fn catalog_schema() -> serde_json::Value {
    schema_of::<RawCatalog>("tagstream catalog", &["version"])
}

/// The schema of a type, in draft 7, which the YAML language servers of editors understand.
pub(crate) fn schema_of<T: JsonSchema>(title: &str, required: &[&str]) -> serde_json::Value {
    let generator = SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema.insert("required".to_owned(), serde_json::json!(required));
    schema.to_value()
}
