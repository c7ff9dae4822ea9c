//! Writing a catalog: block maps outside, flow inside, every text in double quotes.

use serde_json::Value;

/// The catalog as a YAML text.
pub fn write(catalog: &Value) -> String {
    let mut text = String::new();
    for (name, section) in catalog.as_object().expect("a map") {
        match section.as_object() {
            Some(entries) if matches!(name.as_str(), "entities" | "attributes" | "counters" | "tags") => {
                text += &format!("{name}:\n");
                for (own, entry) in entries {
                    text += &format!("  {own}: {}\n", flow(entry));
                }
            }
            _ => text += &format!("{name}: {}\n", flow(section)),
        }
    }
    text
}

fn flow(value: &Value) -> String {
    match value {
        Value::Object(entries) => {
            let entries: Vec<String> = entries.iter().map(|(name, own)| format!("{name}: {}", flow(own))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        scalar => scalar.to_string(),
    }
}
