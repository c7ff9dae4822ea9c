//! Windows of counters: their length, and the panes that they are divided into.

use super::compiler::Compiler;
use crate::catalog::compiled::{CalendarUnit, Resolution, Window};
use crate::catalog::diagnostics::Span;
use crate::catalog::raw::{DurationMs, RawAgo, RawCalendarUnit, RawCounter, RawResolution, RawWindow};
use crate::catalog::yaml::Spanned;
use crate::model::{DAY_MS, HOUR_MS};

/// The most panes of a window (spec 3).
const PANES_MAX: i64 = 4_000;

impl Compiler<'_> {
    pub(super) fn window(&mut self, word: &str, raw: &RawCounter) -> Option<Window> {
        if let (Some(window), Some(calendar)) = (raw.window.key(), raw.calendar.key()) {
            self.report
                .error(
                    "two-windows",
                    window.max(calendar),
                    "a counter has one window; this has `window` and `calendar`",
                )
                .help(
                    "keep one: `window` is a length of time up to now, `calendar` the current day, week, month or year",
                )
                .related(window.min(calendar), "the first one");
            return None;
        }
        if raw.calendar.is_written() {
            self.no_resolution(raw, "a calendar window")?;
            return raw.calendar.value().map(|word| Window::Calendar(self.calendar_unit(*word)));
        }
        match raw.window.get() {
            None if raw.window.is_written() => None,
            None => {
                self.no_resolution(raw, "a counter without a window")?;
                Some(Window::Lifetime)
            }
            Some(Spanned { value: RawWindow::Lifetime, .. }) => {
                self.no_resolution(raw, "`window: lifetime`")?;
                Some(Window::Lifetime)
            }
            Some(Spanned { value: RawWindow::Calendar(word), .. }) => {
                self.no_resolution(raw, "a calendar window")?;
                Some(Window::Calendar(self.calendar_unit(*word)))
            }
            Some(Spanned { value: RawWindow::Rolling(window), span }) => self.rolling(word, raw, *window, *span),
        }
    }

    /// How many panes or calendar periods before the current window a counter's window lies.
    pub(super) fn ago(&mut self, word: &str, raw: &RawCounter, window: Window) -> Option<u32> {
        let Some(key) = raw.ago.key() else { return Some(0) };
        let ago = raw.ago.get()?;
        match word {
            "last" | "first" | "top" | "distinct" | "sessions" | "sequence" => {
                self.report
                    .error("unneeded-key", key, format!("`{word}` takes no `ago`"))
                    .help("`ago` goes with `count`, `active_days`, `sum`, `avg`, `min` and `max`");
                return None;
            }
            _ if raw.since.is_written() => {
                self.report
                    .error("unneeded-key", key, "a counter with `since` takes no `ago`")
                    .help("make two counters of it, one with `since` and one with `ago`");
                return None;
            }
            _ => {}
        }
        match (window, ago.value) {
            (Window::Lifetime, _) => {
                self.report.error("unneeded-key", key, "a counter without a window takes no `ago`").help(
                    "give it a `window`, as in `window: 7d, ago: 7d`, or a `calendar`, as in `calendar: week, ago: 1`",
                );
                None
            }
            (Window::Calendar(_), RawAgo::Periods(periods)) if (1..=PANES_MAX as u64).contains(&periods) => {
                Some(periods as u32)
            }
            (Window::Calendar(_), RawAgo::Periods(_)) => {
                let message = format!("`ago` lies between 1 and {PANES_MAX} beside `calendar`");
                self.report
                    .error("out-of-range", ago.span, message)
                    .help("`ago: 1` is the period before the current one");
                None
            }
            (Window::Calendar(_), RawAgo::Duration(_)) => {
                self.report
                    .error("wrong-type", ago.span, "beside `calendar`, `ago` is a number of periods")
                    .help("`ago: 1` is the period before the current one");
                None
            }
            (Window::Rolling { .. }, RawAgo::Periods(number)) => {
                self.report
                    .error("wrong-type", ago.span, "beside `window`, `ago` is a duration")
                    .help(format!("write {number}m, {number}h, {number}d or {number}w"));
                None
            }
            (Window::Rolling { panes, resolution }, RawAgo::Duration(distance)) => {
                self.panes_ago(raw, i64::from(panes), resolution, distance, ago.span)
            }
        }
    }

    fn panes_ago(
        &mut self,
        raw: &RawCounter,
        panes: i64,
        resolution: Resolution,
        distance: DurationMs,
        span: Span,
    ) -> Option<u32> {
        let (pane_ms, pane) = length(resolution);
        if distance.0 == 0 {
            let help = "for example `window: 7d, ago: 7d` for the seven days before the last seven";
            self.report.error("bad-window", span, "`ago` must be longer than 0").help(help);
            return None;
        }
        if distance.0 % pane_ms != 0 {
            let message = format!("{distance} is not a whole number of the window's {pane} panes");
            let help = near_multiples(distance, pane_ms, raw.resolution.is_written());
            self.report.error("bad-window", span, message).help(help);
            return None;
        }
        let back = distance.0 / pane_ms;
        if panes + back > PANES_MAX {
            let message = format!(
                "the window and what lies after it have {} panes of {pane}; at most {PANES_MAX} are allowed",
                panes + back
            );
            let whole = DurationMs((panes + back) * pane_ms);
            let help = match fitting(whole) {
                Some(pane) => format!("write `resolution: {pane}`"),
                None => "write a shorter `window` or `ago`".to_owned(),
            };
            self.report.error("too-many-panes", span, message).help(help);
            return None;
        }
        Some(back as u32)
    }

    fn calendar_unit(&self, word: RawCalendarUnit) -> CalendarUnit {
        match word {
            RawCalendarUnit::Day => CalendarUnit::Day,
            RawCalendarUnit::Week => CalendarUnit::Week(self.week_starts),
            RawCalendarUnit::Month => CalendarUnit::Month,
            RawCalendarUnit::Year => CalendarUnit::Year,
        }
    }

    fn no_resolution(&mut self, raw: &RawCounter, whose: &str) -> Option<()> {
        let Some(key) = raw.resolution.key() else { return Some(()) };
        self.report
            .error("unneeded-key", key, format!("{whose} is not cut into panes"))
            .help("`resolution` goes with a window such as `30d`: remove it");
        None
    }

    fn rolling(&mut self, word: &str, raw: &RawCounter, window: DurationMs, span: Span) -> Option<Window> {
        if window.0 == 0 {
            let help = "for example `30d`, `36h` or `1h30m`";
            self.report.error("bad-window", span, "a window must be longer than 0").help(help);
            return None;
        }
        let resolution = match raw.resolution.get() {
            Some(given) => {
                let resolution = resolution(given.value);
                if word == "active_days" && resolution != Resolution::Day {
                    self.report
                        .error("bad-resolution", given.span, "`active_days` counts whole days")
                        .help("write `1d`, or remove the line");
                    return None;
                }
                resolution
            }
            None if raw.resolution.is_written() => return None,
            None if word == "active_days" => Resolution::Day,
            None => default_resolution(window),
        };
        let (pane_ms, pane) = length(resolution);
        if window.0 % pane_ms != 0 {
            let message = format!("a window of {window} is not a whole number of {pane} panes");
            let help = match (raw.resolution.get(), word) {
                (None, "active_days") => "`active_days` counts whole days: write for example `7d`".to_owned(),
                _ => near_multiples(window, pane_ms, raw.resolution.is_written()),
            };
            self.report.error("bad-window", span, message).help(help);
            return None;
        }
        let panes = window.0 / pane_ms;
        if panes > PANES_MAX {
            let message = format!("a window of {window} has {panes} panes of {pane}; at most {PANES_MAX} are allowed");
            let help = match fitting(window) {
                Some(pane) => format!("write `resolution: {pane}`"),
                None => "write `window: lifetime`, or a shorter window".to_owned(),
            };
            self.report.error("too-many-panes", span, message).help(help);
            return None;
        }
        Some(Window::Rolling { panes: panes as u32, resolution })
    }
}

fn resolution(word: RawResolution) -> Resolution {
    match word {
        RawResolution::Second => Resolution::Second,
        RawResolution::Minute => Resolution::Minute,
        RawResolution::Hour => Resolution::Hour,
        RawResolution::Day => Resolution::Day,
    }
}

fn default_resolution(window: DurationMs) -> Resolution {
    match window.0 {
        ms if ms <= HOUR_MS => Resolution::Second,
        ms if ms <= DAY_MS => Resolution::Minute,
        ms if ms <= 31 * DAY_MS => Resolution::Hour,
        _ => Resolution::Day,
    }
}

/// The length of a pane in milliseconds, and as the catalog writes it.
fn length(resolution: Resolution) -> (i64, &'static str) {
    match resolution {
        Resolution::Second => (1_000, "1s"),
        Resolution::Minute => (60_000, "1m"),
        Resolution::Hour => (HOUR_MS, "1h"),
        Resolution::Day => (DAY_MS, "1d"),
    }
}

const RESOLUTIONS: [Resolution; 4] = [Resolution::Second, Resolution::Minute, Resolution::Hour, Resolution::Day];

/// The finest resolution that divides a window into at most [`PANES_MAX`] panes.
fn fitting(window: DurationMs) -> Option<&'static str> {
    let fits = |pane_ms: i64| window.0 % pane_ms == 0 && window.0 / pane_ms <= PANES_MAX;
    RESOLUTIONS.into_iter().map(length).find(|(pane_ms, _)| fits(*pane_ms)).map(|(_, pane)| pane)
}

fn near_multiples(window: DurationMs, pane_ms: i64, is_given: bool) -> String {
    let below = window.0 / pane_ms * pane_ms;
    let above = DurationMs(below + pane_ms);
    let windows = if below > 0 { format!("{} or {above}", DurationMs(below)) } else { above.to_string() };
    match fitting(window) {
        Some(pane) if is_given => format!("write {windows}, or `resolution: {pane}`"),
        Some(pane) => format!("write {windows}, or add `resolution: {pane}`"),
        None => format!("write {windows}"),
    }
}
