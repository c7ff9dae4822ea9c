//! The JSON Schema of a catalog, so that editors complete and check while somebody types.

use schemars::generate::SchemaSettings;

use super::raw::RawCatalog;

/// Draft 7: what the YAML servers of editors understand.
pub fn json_schema() -> serde_json::Value {
    let generator = SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<RawCatalog>();
    schema.insert("title".to_owned(), "tagstream catalog".into());
    schema.insert("required".to_owned(), serde_json::json!(["version"]));
    schema.to_value()
}
