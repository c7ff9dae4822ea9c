//! Bands of a number: names, increasing bounds, a margin.

use super::compiler::Compiler;
use super::names::{check_label, check_unique};
use crate::catalog::compiled::Bands;
use crate::catalog::raw::{RawBand, RawNumber, RawTag};
use crate::catalog::yaml::Spanned;
use crate::model::Number;

impl Compiler<'_> {
    pub(super) fn bands(&mut self, raw: &RawTag, bands: &[Spanned<RawBand>]) -> Option<Bands> {
        let before = self.report.errors();
        let names: Vec<Spanned<String>> = bands
            .iter()
            .filter_map(|band| self.required(&band.value.name, "name", band.span, "a band", "what the tag is then"))
            .collect();
        names.iter().for_each(|name| check_label("a band", name, self.report));
        check_unique("bands", names.iter(), self.report);
        let bounds = self.bounds(raw, bands);
        let margin = match raw.margin.get() {
            Some(margin) if margin.value.0 > Number::ZERO => margin.value.0,
            Some(margin) => {
                self.report
                    .error("out-of-range", margin.span, "a margin must be more than 0")
                    .help("without a margin a band is left as soon as its bound is passed: remove the line");
                Number::ZERO
            }
            None => Number::ZERO,
        };
        let is_fine = self.report.errors() == before && (raw.margin.get().is_some() || !raw.margin.is_written());
        let names = names.into_iter().map(|name| name.value.into()).collect();
        is_fine.then_some(Bands { names, bounds: bounds?, margin })
    }

    /// Reports a margin without bands.
    pub(super) fn margin_needs_bands(&mut self, raw: &RawTag) {
        if !raw.bands.is_written()
            && let Some(margin) = raw.margin.key()
        {
            self.report
                .error("unneeded-key", margin, "`margin` has no meaning without `bands`")
                .help("a margin keeps a value in its band until it is well past the bound");
        }
    }

    /// The increasing bounds of all bands except the last.
    fn bounds(&mut self, raw: &RawTag, bands: &[Spanned<RawBand>]) -> Option<Vec<Number>> {
        let Some((last, front)) = bands.split_last() else {
            let span = raw.bands.key().unwrap_or_default();
            self.report
                .error("bad-bands", span, "`bands` is empty")
                .help("a band looks like `{ name: low, below: 100 }`");
            return None;
        };
        if let Some(below) = last.value.below.key() {
            self.report
                .error("bad-bands", below, "the last band has no `below`: it takes all that is left")
                .help("remove it, or add a last band such as `{ name: high }`");
        }
        let mut bounds: Vec<&Spanned<RawNumber>> = Vec::new();
        for band in front {
            let Some(below) = band.value.below.get() else {
                if !band.value.below.is_written() {
                    self.report
                        .error("bad-bands", band.span, "only the last band can do without `below`")
                        .help("say up to where the band reaches: `below: 100`");
                }
                return None;
            };
            if let Some(before) = bounds.last().filter(|before| before.value.0 >= below.value.0) {
                self.report
                    .error("bad-bands", below.span, "the bounds of bands must increase")
                    .help(format!("write a number greater than {}", before.value.0))
                    .related(before.span, "the bound before");
                return None;
            }
            bounds.push(below);
        }
        Some(bounds.into_iter().map(|bound| bound.value.0).collect())
    }
}
