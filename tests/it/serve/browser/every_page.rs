//! Each page in both languages and both colours, wide and on a phone: nothing goes wrong, axe-core finds nothing serious, and
//! nothing is wider than the screen. Pictures of all of them are kept under target/.
//!
//! `TAGSTREAM_PICTURES` names a folder for those that the documentation shows.

use std::path::Path;

use super::axe::expect_accessible;
use super::chromium::Chromium;
use super::site::Site;
use super::tab::{Colours, Look, PHONE, Tab, WIDE};

const AUDIENCE: &str = "/audience?where=tag.active&by=tag.lifecycle&by=tag.spend_level&with=tag.churn_risk\
                        &with=tag.lifecycle%20%3D%3D%20%22new%22&from=2026-01-20T00%3A00%3A00Z";

const PAGES: [(&str, &str); 10] = [
    ("overview", "/"),
    ("tag", "/tags/active"),
    ("tag-stages", "/tags/lifecycle"),
    ("person", "/entities/user/u-3"),
    ("erase", "/entities/erase?kind=user&key=u-3"),
    ("audience", AUDIENCE),
    ("audience-wrong", "/audience?where=tag.actve%20%26%26%20workouts_30%20%3E%203"),
    ("catalog", "/catalog"),
    ("live", "/live"),
    ("live-filtered", "/live?tag=lifecycle&where=tag.active"),
];

/// What the documentation shows: page and look.
const SHOWN: [(&str, &str); 6] = [
    ("overview", "en-light"),
    ("tag", "en-light"),
    ("person", "zh-dark"),
    ("audience", "en-light"),
    ("catalog", "zh-dark"),
    ("live", "en-light"),
];
const SHOWN_HEIGHT: u64 = 1_000;

fn visit(site: &Site, name: &str, look: Look) {
    let mut browser = Chromium::start();
    let mut tab = Tab::open(&mut browser, look);
    for (page, path) in PAGES {
        tab.goto(&site.url(path));
        assert_eq!(tab.eval("document.documentElement.lang"), look.language[..2], "{path}");
        let ground = tab.eval("getComputedStyle(document.body).backgroundColor");
        assert_eq!(ground == "rgb(255, 255, 255)", look.colours == Colours::Light, "{path}: {ground}");
        tab.wait_for("document.querySelector('[aria-busy=true]') === null");
        let widths = "[document.documentElement.scrollWidth, innerWidth].join(' of ')";
        let fits = tab.eval("document.documentElement.scrollWidth <= innerWidth");
        assert!(fits == true, "{path} is too wide: {}", tab.eval(widths));
        expect_accessible(&mut tab);
        tab.picture(&format!("{page}-{name}"));
        if let Some(folder) = std::env::var_os("TAGSTREAM_PICTURES").filter(|_| SHOWN.contains(&(page, name))) {
            tab.picture_in(Path::new(&folder), page, SHOWN_HEIGHT);
        }
        tab.expect_no_trouble();
    }
}

#[test]
fn in_english_light_and_wide() {
    visit(
        &Site::friendly("en-light"),
        "en-light",
        Look { language: "en-GB", colours: Colours::Light, width: WIDE, scripts: true },
    );
}

#[test]
fn in_chinese_dark_and_wide() {
    visit(
        &Site::friendly("zh-dark"),
        "zh-dark",
        Look { language: "zh-CN", colours: Colours::Dark, width: WIDE, scripts: true },
    );
}

#[test]
fn in_english_dark_on_a_phone() {
    visit(
        &Site::start("en-dark-phone"),
        "en-dark-phone",
        Look { language: "en-US", colours: Colours::Dark, width: PHONE, scripts: true },
    );
}

#[test]
fn in_chinese_light_on_a_phone() {
    visit(
        &Site::start("zh-light-phone"),
        "zh-light-phone",
        Look { language: "zh-TW", colours: Colours::Light, width: PHONE, scripts: true },
    );
}
