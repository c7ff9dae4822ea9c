//! What a metric can be, and the set of all of them: the only file that knows the package behind it.

use std::time::Duration;

use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, Opts, Registry, TextEncoder,
};

/// The format of [`Instruments::text`].
pub const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A number that only grows.
#[derive(Clone, Debug)]
pub struct Total(IntCounter);

impl Total {
    pub fn inc(&self) {
        self.0.inc();
    }

    pub fn add(&self, more: u64) {
        self.0.inc_by(more);
    }

    /// Takes over what somebody else has counted; less than it has changes nothing.
    pub fn raise_to(&self, total: u64) {
        self.0.inc_by(total.saturating_sub(self.0.get()));
    }
}

/// A [`Total`] for each combination of label values.
#[derive(Clone, Debug)]
pub struct Totals(IntCounterVec);

impl Totals {
    /// The values stand in the order of the labels.
    pub fn of(&self, labels: &[&str]) -> Total {
        Total(self.0.with_label_values(labels))
    }

    /// Has it show from now on, be it 0: what first happens later is a rise then.
    pub fn show(&self, labels: &[&str]) {
        let _ = self.of(labels);
    }
}

/// A number that goes up and down.
#[derive(Clone, Debug)]
pub struct Level(Gauge);

impl Level {
    pub fn set(&self, value: f64) {
        self.0.set(value);
    }
}

/// A [`Level`] for each combination of label values.
#[derive(Clone, Debug)]
pub struct Levels(GaugeVec);

impl Levels {
    pub fn set(&self, labels: &[&str], value: f64) {
        self.0.with_label_values(labels).set(value);
    }

    /// Forgets all of them: what is not set again does not show any more.
    pub fn clear(&self) {
        self.0.reset();
    }
}

/// How long something took, in buckets.
#[derive(Clone, Debug)]
pub struct Durations(Histogram);

impl Durations {
    pub fn observe(&self, took: Duration) {
        self.0.observe(took.as_secs_f64());
    }
}

/// What documentation has to say of a metric.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Described {
    pub name: String,
    /// As in the text format: `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    pub labels: Vec<String>,
    pub help: String,
}

/// All metrics of a process, its own ones (`process_…`) among them.
///
/// Names are constants: one that is not valid, or is there twice, is a bug that shows when any test makes a set.
#[derive(Debug)]
pub struct Instruments {
    registry: Registry,
    described: Vec<Described>,
}

impl Instruments {
    pub fn new() -> Self {
        let mut instruments = Instruments { registry: Registry::new(), described: Vec::new() };
        let process = ProcessCollector::for_self();
        for desc in process.desc() {
            let kind = if desc.fq_name.ends_with("_total") { "counter" } else { "gauge" };
            instruments.described.push(described(desc, kind));
        }
        instruments.registry.register(Box::new(process)).expect("nothing is registered before it");
        instruments
    }

    pub fn total(&mut self, name: &str, help: &str) -> Total {
        Total(self.add("counter", IntCounter::new(name, help)))
    }

    pub fn totals(&mut self, name: &str, labels: &[&str], help: &str) -> Totals {
        Totals(self.add("counter", IntCounterVec::new(Opts::new(name, help), labels)))
    }

    pub fn level(&mut self, name: &str, help: &str) -> Level {
        Level(self.add("gauge", Gauge::new(name, help)))
    }

    pub fn levels(&mut self, name: &str, labels: &[&str], help: &str) -> Levels {
        Levels(self.add("gauge", GaugeVec::new(Opts::new(name, help), labels)))
    }

    /// The buckets' upper bounds are seconds.
    pub fn durations(&mut self, name: &str, bounds: &[f64], help: &str) -> Durations {
        let options = HistogramOpts::new(name, help).buckets(bounds.to_vec());
        Durations(self.add("histogram", Histogram::with_opts(options)))
    }

    fn add<C: Collector + Clone + 'static>(&mut self, kind: &'static str, made: prometheus::Result<C>) -> C {
        let made = made.expect("names and labels are valid");
        self.described.extend(made.desc().into_iter().map(|desc| described(desc, kind)));
        self.registry.register(Box::new(made.clone())).expect("names differ");
        made
    }

    pub fn described(&self) -> &[Described] {
        &self.described
    }

    /// All of them as Prometheus reads them, in [`TEXT_FORMAT`].
    pub fn text(&self) -> String {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text).expect("a vector takes every byte");
        String::from_utf8(text).expect("names, labels and help texts are UTF-8")
    }
}

fn described(desc: &prometheus::core::Desc, kind: &'static str) -> Described {
    Described { name: desc.fq_name.clone(), kind, labels: desc.variable_labels.clone(), help: desc.help.clone() }
}
