//! Counters, gauges and histograms, and the registry of all of them: the only file that knows the package behind them.

use std::time::Duration;

use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use prometheus::{Encoder, GaugeVec, HistogramOpts, IntCounter, IntCounterVec, Opts, Registry, TextEncoder};

/// The content type of the metrics: Prometheus' text format.
pub const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A number that only grows.
#[derive(Clone, Debug)]
pub struct Counter(IntCounter);

impl Counter {
    pub fn inc(&self) {
        self.0.inc();
    }

    pub fn add(&self, more: u64) {
        self.0.inc_by(more);
    }

    /// Takes over a count that is kept elsewhere; a lower value changes nothing.
    pub fn raise_to(&self, total: u64) {
        self.0.inc_by(total.saturating_sub(self.0.get()));
    }
}

/// A [`Counter`] for each combination of label values.
#[derive(Clone, Debug)]
pub struct CounterFamily(IntCounterVec);

impl CounterFamily {
    /// The values are in the order of the labels.
    pub fn of(&self, labels: &[&str]) -> Counter {
        Counter(self.0.with_label_values(labels))
    }

    /// Exports the series from now on, with 0, so that its first count is seen as an increase.
    pub fn create(&self, labels: &[&str]) {
        let _ = self.of(labels);
    }
}

/// A number that goes up and down.
#[derive(Clone, Debug)]
pub struct Gauge(prometheus::Gauge);

impl Gauge {
    pub fn set(&self, value: f64) {
        self.0.set(value);
    }
}

/// A [`Gauge`] for each combination of label values.
#[derive(Clone, Debug)]
pub struct GaugeFamily(GaugeVec);

impl GaugeFamily {
    pub fn set(&self, labels: &[&str], value: f64) {
        self.0.with_label_values(labels).set(value);
    }

    /// Removes all series: what is not set again is no longer exported.
    pub fn clear(&self) {
        self.0.reset();
    }
}

/// Durations, in buckets.
#[derive(Clone, Debug)]
pub struct Histogram(prometheus::Histogram);

impl Histogram {
    pub fn observe(&self, took: Duration) {
        self.0.observe(took.as_secs_f64());
    }
}

/// The description of a metric, for the documentation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricDescription {
    pub name: String,
    /// As in the text format: `counter`, `gauge` or `histogram`.
    pub metric_type: &'static str,
    pub labels: Vec<String>,
    pub help: String,
}

/// All metrics of a process, among them those of the process itself (`process_…`).
///
/// Names are constants: an invalid or repeated name is a bug, which every test that makes a registry finds.
#[derive(Debug)]
pub(crate) struct MetricRegistry {
    registry: Registry,
    descriptions: Vec<MetricDescription>,
}

impl MetricRegistry {
    pub(crate) fn new() -> Self {
        let mut metrics = MetricRegistry { registry: Registry::new(), descriptions: Vec::new() };
        let process = ProcessCollector::for_self();
        for desc in process.desc() {
            let metric_type = if desc.fq_name.ends_with("_total") { "counter" } else { "gauge" };
            metrics.descriptions.push(description(desc, metric_type));
        }
        metrics.registry.register(Box::new(process)).expect("nothing is registered before it");
        metrics
    }

    pub(crate) fn counter(&mut self, name: &str, help: &str) -> Counter {
        Counter(self.add("counter", IntCounter::new(name, help)))
    }

    pub(crate) fn counters(&mut self, name: &str, labels: &[&str], help: &str) -> CounterFamily {
        CounterFamily(self.add("counter", IntCounterVec::new(Opts::new(name, help), labels)))
    }

    pub(crate) fn gauge(&mut self, name: &str, help: &str) -> Gauge {
        Gauge(self.add("gauge", prometheus::Gauge::new(name, help)))
    }

    pub(crate) fn gauges(&mut self, name: &str, labels: &[&str], help: &str) -> GaugeFamily {
        GaugeFamily(self.add("gauge", GaugeVec::new(Opts::new(name, help), labels)))
    }

    /// The buckets' upper bounds are seconds.
    pub(crate) fn histogram(&mut self, name: &str, bounds: &[f64], help: &str) -> Histogram {
        let options = HistogramOpts::new(name, help).buckets(bounds.to_vec());
        Histogram(self.add("histogram", prometheus::Histogram::with_opts(options)))
    }

    fn add<C: Collector + Clone + 'static>(&mut self, metric_type: &'static str, made: prometheus::Result<C>) -> C {
        let made = made.expect("names and labels are valid");
        self.descriptions.extend(made.desc().into_iter().map(|desc| description(desc, metric_type)));
        self.registry.register(Box::new(made.clone())).expect("names differ");
        made
    }

    pub(crate) fn descriptions(&self) -> &[MetricDescription] {
        &self.descriptions
    }

    /// All of them as Prometheus reads them, in [`TEXT_FORMAT`].
    pub(crate) fn text(&self) -> String {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text).expect("a vector takes every byte");
        String::from_utf8(text).expect("names, labels and help texts are UTF-8")
    }
}

fn description(desc: &prometheus::core::Desc, metric_type: &'static str) -> MetricDescription {
    MetricDescription {
        name: desc.fq_name.clone(),
        metric_type,
        labels: desc.variable_labels.clone(),
        help: desc.help.clone(),
    }
}
