//! The settings of the schema registry: where it is, who asks, and whom to trust.

use std::path::PathBuf;

use super::InputFormat;
use super::check::{AlreadyReported, Checker};

/// What a client of the schema registry needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaRegistrySettings {
    /// Without a slash at the end. One or more: the next one is asked where one does not answer.
    pub urls: Vec<String>,
    /// A file with `user:password` or a token in one line; `None`: anybody may ask.
    pub credentials: Option<PathBuf>,
    /// The certificates to trust, in PEM format; `None`: the system's.
    pub ca: Option<PathBuf>,
}

impl Checker<'_> {
    pub(super) fn input_format(&mut self) -> Option<InputFormat> {
        let is_confluent = self.choice("input.format", &[("json", false), ("confluent", true)])?;
        let urls = self.registry_urls()?;
        let (credentials, ca) = (self.given_path("schema_registry.credentials"), self.given_path("schema_registry.ca"));
        if !is_confluent {
            return Some(InputFormat::Json);
        }
        if !cfg!(feature = "registry") {
            return self.bad("input.format", "\"json\": this build has no client of a schema registry");
        }
        if urls.is_empty() {
            return self.bad(
                "schema_registry.url",
                "the address of a schema registry, such as http://registry:8081, for `input.format = \"confluent\"`",
            );
        }
        Some(InputFormat::Confluent(SchemaRegistrySettings { urls, credentials, ca }))
    }

    fn registry_urls(&mut self) -> Option<Vec<String>> {
        let text = match self.text("schema_registry.url") {
            Ok(text) => text.unwrap_or_default(),
            Err(AlreadyReported) => return None,
        };
        let urls: Vec<String> = text.split(',').map(|url| url.trim().trim_end_matches('/').to_owned()).collect();
        let is_url = |url: &String| {
            let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
            host.is_some_and(|host| !host.is_empty() && !host.contains([' ', '?', '#']))
        };
        match text.trim() {
            "" => Some(Vec::new()),
            address if address.contains('@') => {
                self.user_in_address("schema_registry.url", "schema_registry.credentials")
            }
            _ if urls.iter().all(is_url) => Some(urls),
            _ => self.bad("schema_registry.url", "one address or several, such as http://registry:8081"),
        }
    }
}
