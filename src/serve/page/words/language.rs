//! Which language a reader gets: the one that was switched to, or else the one that the browser asks for.

use std::collections::BTreeMap;

/// A language of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    English,
    Chinese,
}

impl Language {
    pub const ALL: [Language; 2] = [Language::English, Language::Chinese];

    /// As HTML and the catalog's titles name it.
    pub fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh",
        }
    }

    /// What ends a sentence.
    pub fn full_stop(self) -> &'static str {
        match self {
            Language::English => ".",
            Language::Chinese => "。",
        }
    }

    /// What stands between the parts of a sentence.
    pub fn comma(self) -> &'static str {
        match self {
            Language::English => ", ",
            Language::Chinese => "，",
        }
    }

    /// What its readers call it.
    pub fn own_name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::Chinese => "中文",
        }
    }

    /// The language of a tag such as `zh-Hant-HK`.
    pub fn of_tag(tag: &str) -> Option<Language> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Language::ALL.into_iter().find(|language| primary.eq_ignore_ascii_case(language.code()))
    }

    /// The most wanted language of a header `Accept-Language` that the page has; English without one.
    pub fn of_accepted(header: &str) -> Language {
        let weighed = header.split(',').filter_map(|range| {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let weight = parameters.trim().strip_prefix("q=").map_or(Some(1.0), |weight| weight.parse::<f32>().ok());
            let language = Language::of_tag(tag.trim())?;
            Some((language, weight.filter(|weight| *weight > 0.0)?))
        });
        // Of equals the first one.
        let best = weighed.reduce(|best, next| if next.1 > best.1 { next } else { best });
        best.map_or(Language::English, |(language, _)| language)
    }

    /// The title of something that has titles by language: in this one, without a language, in any, or its name.
    pub fn title<'a>(self, titles: &'a BTreeMap<String, String>, name: &'a str) -> &'a str {
        let own = titles.iter().find(|(tag, _)| Language::of_tag(tag) == Some(self));
        let title = own.map(|(_, title)| title).or_else(|| titles.get("")).or_else(|| titles.values().next());
        title.map_or(name, String::as_str)
    }
}
