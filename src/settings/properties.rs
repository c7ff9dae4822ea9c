//! librdkafka properties as the user gave them: names may be printed, values never.

use std::collections::BTreeMap;
use std::fmt;

use super::Origin;

/// Values by librdkafka's own property names.
#[derive(Clone, Default)]
pub struct Properties(BTreeMap<String, Property>);

#[derive(Clone)]
struct Property {
    value: String,
    origin: Origin,
}

impl Properties {
    pub fn insert(&mut self, name: String, value: String, origin: Origin) {
        self.0.insert(name, Property { value, origin });
    }

    /// Names and values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, property)| (name.as_str(), property.value.as_str()))
    }

    pub fn origin(&self, name: &str) -> Option<&Origin> {
        self.0.get(name).map(|property| &property.origin)
    }

    /// Whether the value of a property of this name is a secret, which must not be in an argument list.
    pub fn is_secret(name: &str) -> bool {
        const MARKS: [&str; 8] =
            ["password", "secret", "token", "passphrase", "assertion", ".pem", "private", "sasl.oauthbearer.config"];
        MARKS.iter().any(|mark| name.contains(mark))
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.keys().map(|name| (name, "…"))).finish()
    }
}
