//! The catalog's time zone.

use jiff::tz::TimeZone;

use super::names::nearest;
use super::problems::Report;
use super::read::At;

/// UTC where none is given, or an unknown one (which is reported).
pub fn compile(name: Option<&At<String>>, report: &mut Report) -> TimeZone {
    let Some(name) = name else { return TimeZone::UTC };
    if let Ok(zone) = TimeZone::get(&name.value) {
        return zone;
    }
    let known: Vec<String> = jiff::tz::db().available().map(|zone| zone.as_str().to_owned()).collect();
    let ends_alike = |zone: &&String| {
        let city = zone.rsplit('/').next().unwrap_or(zone);
        city.eq_ignore_ascii_case(&name.value.replace(' ', "_"))
    };
    let help = known
        .iter()
        .find(ends_alike)
        .map(String::as_str)
        .or_else(|| nearest(&name.value, known.iter().map(String::as_str)))
        .map_or("write an IANA name such as `Europe/Berlin` or `UTC`".to_owned(), |zone| {
            format!("did you mean `{zone}`?")
        });
    report.error("unknown-timezone", name.span, format!("unknown time zone `{}`", name.value)).help(help);
    TimeZone::UTC
}
