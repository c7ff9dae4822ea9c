//! The names of the settings, and suggestions for unknown names.

/// All keys, except librdkafka's own below `kafka.properties`.
pub(crate) const KEYS: [&str; 49] = [
    "catalog",
    "kafka.brokers",
    "kafka.application",
    "kafka.group_protocol",
    "kafka.properties",
    "input.topics",
    "input.start",
    "input.partitioned_by",
    "input.format",
    "schema_registry.url",
    "schema_registry.credentials",
    "schema_registry.ca",
    "output.changes",
    "output.format",
    "output.tags",
    "service.instance",
    "service.workers",
    "service.commit_interval",
    "service.delivery",
    "service.idle_grace",
    "service.outage_after",
    "service.max_change",
    "service.max_waiting_mb",
    "service.watch_catalog",
    "state.directory",
    "state.snapshot_interval",
    "http.listen",
    "serve.listen",
    "serve.partitions",
    "serve.directory",
    "serve.history",
    "serve.tokens",
    "serve.requests_a_second",
    "serve.audit",
    "serve.certificate",
    "serve.key",
    "serve.service",
    "push.url",
    "push.secret",
    "push.credentials",
    "push.ca",
    "push.group",
    "push.start",
    "push.format",
    "push.batch",
    "push.timeout",
    "push.give_up_after",
    "push.listen",
    "scoring.library",
];

/// The known key that is most similar to an unknown one, if one is similar enough.
pub(crate) fn nearest(key: &str) -> Option<String> {
    const ALIKE_MIN: f64 = 0.75;
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    KEYS.iter()
        .map(|known| {
            let whole = strsim::jaro_winkler(key, known);
            let tail = strsim::jaro_winkler(&last(key), &last(known));
            (*known, whole.max(tail))
        })
        .filter(|(_, alike)| *alike >= ALIKE_MIN)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(known, _)| known.to_owned())
}

/// The intended variable, for one with a single underscore behind the prefix that is meant for tagstream. Not all are:
/// Kubernetes sets `TAGSTREAM_SERVICE_HOST` and the like where a service has that name.
pub(crate) fn intended_variable(variable: &str) -> Option<String> {
    let rest = variable.strip_prefix("TAGSTREAM_").filter(|rest| !rest.starts_with('_'))?;
    let name = rest.to_ascii_lowercase();
    if let Some(key) = KEYS.iter().find(|key| key.replace('.', "_") == name.replace("__", "_")) {
        return Some(format!("TAGSTREAM__{}", key.replace('.', "__").to_uppercase()));
    }
    let (section, _) = name.split_once("__")?;
    let is_section = KEYS.iter().filter_map(|key| key.split_once('.')).any(|(known, _)| known == section);
    is_section.then(|| format!("TAGSTREAM__{rest}"))
}
