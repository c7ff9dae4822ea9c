//! Where settings are written: the defaults, a file, the environment and flags; a later one overrides an earlier one.
//!
//! The crate `config` reads the file and the environment; each layer is then flattened to dotted keys, so that
//! `"sasl.username"` in quotes, the TOML table `[kafka.properties.sasl]` and `TAGSTREAM__KAFKA__PROPERTIES__SASL_USERNAME`
//! are one key whichever way they were written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use config::{ConfigError, Environment, File, FileFormat, Source, Value, ValueKind};

use super::keys;
use super::problem::{Fault, Origin, Problems};
use super::properties::Properties;

/// The prefix of the environment variables that are settings.
const PREFIX: &str = "TAGSTREAM";
/// The prefix of librdkafka's own property names.
pub(crate) const PROPERTIES: &str = "kafka.properties.";

/// The places to read from.
#[derive(Clone, Debug)]
pub struct Sources {
    pub file: ConfigFile,
    /// The environment's variables; only those of tagstream are used.
    pub environment: Vec<(String, String)>,
    /// `key=value`, as given with `-s`.
    pub flags: Vec<String>,
}

/// Which file to read.
#[derive(Clone, Debug)]
pub enum ConfigFile {
    /// One that the user named: it must exist.
    Named(PathBuf),
    /// One that is read if it is there.
    Default(PathBuf),
}

/// A value as it was written.
#[derive(Clone, Debug)]
pub(crate) struct RawEntry {
    pub value: ValueKind,
    pub origin: Origin,
}

/// Every setting that was written, by its dotted key.
pub(crate) type RawSettings = BTreeMap<String, RawEntry>;

/// Reads the layers in their order. `None`: the file cannot be read.
pub(crate) fn read(sources: &Sources, problems: &mut Problems) -> Option<RawSettings> {
    let mut raw = RawSettings::new();
    read_file(&sources.file, &mut raw, problems);
    if !problems.is_empty() {
        return None;
    }
    read_environment(&sources.environment, &mut raw, problems);
    for flag in &sources.flags {
        read_flag(flag, &mut raw, problems);
    }
    Some(raw)
}

fn read_file(file: &ConfigFile, raw: &mut RawSettings, problems: &mut Problems) {
    let path = match file {
        ConfigFile::Named(path) => path,
        ConfigFile::Default(path) if path.is_file() => path,
        ConfigFile::Default(_) => return,
    };
    let origin = Origin::File(path.clone());
    if !path.is_file() {
        problems.push("--config", None, Fault::Other(format!("no file at {}", path.display())));
        return;
    }
    match File::from(path.as_path()).format(FileFormat::Toml).collect() {
        Ok(table) => table.into_iter().for_each(|(key, value)| flatten(key, value, &origin, raw)),
        Err(error) => problems.push("--config", Some(origin), Fault::Other(toml_error(&error))),
    }
}

/// The file's syntax error. The line itself is left out: it may contain a secret.
fn toml_error(error: &ConfigError) -> String {
    let ConfigError::FileParse { cause, .. } = error else {
        return "not valid TOML".to_owned();
    };
    let text = cause.to_string();
    let place = text.lines().next().unwrap_or_default().trim_start_matches("TOML parse error ");
    let reason = text.lines().rfind(|line| !line.is_empty() && !line.contains('|')).unwrap_or_default();
    format!("not valid TOML {place}: {reason}")
}

fn flatten(key: String, value: Value, origin: &Origin, raw: &mut RawSettings) {
    match value.kind {
        ValueKind::Table(table) => {
            for (name, value) in table {
                flatten(format!("{key}.{name}"), value, origin, raw);
            }
        }
        value => {
            raw.insert(key, RawEntry { value, origin: origin.clone() });
        }
    }
}

fn read_environment(variables: &[(String, String)], raw: &mut RawSettings, problems: &mut Problems) {
    for (variable, _) in variables {
        if let Some(intended) = keys::intended_variable(variable) {
            let fault = Fault::Other(format!("{PREFIX} is followed by two underscores: {intended}"));
            problems.push(variable, None, fault);
        }
    }
    let environment = Environment::with_prefix(PREFIX)
        .prefix_separator("__")
        .separator("__")
        .try_parsing(false)
        .source(Some(variables.iter().cloned().collect()));
    let found = match environment.collect() {
        Ok(found) => found,
        Err(error) => {
            problems.push(PREFIX, None, Fault::Other(error.to_string()));
            return;
        }
    };
    for (key, value) in found {
        let variable = format!("{PREFIX}__{}", key.replace('.', "__").to_uppercase());
        let origin = Origin::Variable(variable);
        let Some(name) = key.strip_prefix(PROPERTIES) else {
            raw.insert(key, RawEntry { value: value.kind, origin });
            continue;
        };
        // librdkafka's names have dots where a variable's name cannot, and no underscores.
        let name = name.replace('_', ".");
        match name.strip_suffix(".file") {
            None => {
                raw.insert(format!("{PROPERTIES}{name}"), RawEntry { value: value.kind, origin });
            }
            Some(name) => read_secret(name, &value, origin, raw, problems),
        }
    }
}

/// A property whose value is in a file, such as a mounted secret.
fn read_secret(name: &str, path: &Value, origin: Origin, raw: &mut RawSettings, problems: &mut Problems) {
    let key = format!("{PROPERTIES}{name}");
    let ValueKind::String(path) = &path.kind else { return };
    match std::fs::read_to_string(Path::new(path)) {
        Ok(text) => {
            let value = ValueKind::String(text.trim_end_matches(['\r', '\n']).to_owned());
            raw.insert(key, RawEntry { value, origin });
        }
        Err(error) => problems.push(key, Some(origin), Fault::Other(format!("cannot read {path}: {error}"))),
    }
}

fn read_flag(flag: &str, raw: &mut RawSettings, problems: &mut Problems) {
    let Some((key, value)) = flag.split_once('=') else {
        let found = format!("\"{flag}\"");
        problems.push("-s", None, Fault::Bad { found, expected: "key=value".to_owned() });
        return;
    };
    let key = key.trim();
    if let Some(name) = key.strip_prefix(PROPERTIES)
        && Properties::is_secret(name)
    {
        let variable = format!("{PREFIX}__KAFKA__PROPERTIES__{}_FILE", name.replace('.', "_").to_uppercase());
        let advice = format!("a secret in the arguments can be read by others; give {variable} the path of a file");
        problems.push(key, Some(Origin::Flag), Fault::Other(advice));
        return;
    }
    let value = ValueKind::String(value.to_owned());
    raw.insert(key.to_owned(), RawEntry { value, origin: Origin::Flag });
}
