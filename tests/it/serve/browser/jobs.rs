//! What each page is for, done with the keyboard alone.

use serde_json::json;

use super::chromium::Chromium;
use super::site::Site;
use super::tab::{Look, Tab};

/// The size that the API has, as a page writes it.
fn size(site: &Site, condition: &str) -> String {
    site.world.post("/v1/audiences", &json!({ "where": condition })).good()["size"].to_string()
}

fn shows_size(size: &str) -> String {
    format!("document.querySelector('#answer .size')?.textContent === {size:?}")
}

#[test]
fn an_audience_is_written_with_completion_and_sent_as_a_link() {
    let (site, mut browser) = (Site::start("audience"), Chromium::start());
    for language in ["en-GB", "zh-CN"] {
        let mut tab = Tab::open(&mut browser, Look { language, ..Look::default() });
        tab.goto(&site.url("/audience"));
        tab.tab_to("#where");
        tab.write("act");
        tab.wait_for("document.activeElement.getAttribute('aria-expanded') === 'true'");
        tab.press("ArrowDown");
        tab.wait_for("document.getElementById(document.activeElement.getAttribute('aria-activedescendant')) !== null");
        tab.press("Enter");
        assert_eq!(tab.eval("document.activeElement.value"), "tag.active");
        tab.wait_for(&shows_size(&size(&site, "tag.active")));
        tab.write(" && workout");
        tab.wait_for("document.querySelector('#answer mark')?.textContent === 'workout'");
        tab.press("Escape");
        tab.write("s_30d > 5");
        let condition = "tag.active && workouts_30d > 5";
        tab.wait_for(&shows_size(&size(&site, condition)));
        // Nothing was sent yet but questions.
        assert_eq!(tab.eval("location.search"), "");
        tab.loads(|tab| tab.press("Enter"));
        assert_eq!(tab.eval("new URLSearchParams(location.search).get('where')"), condition);
        assert_eq!(tab.eval("document.querySelector('#answer .size').textContent"), size(&site, condition));
        tab.tab_to(".links a");
        tab.loads(|tab| tab.press("Enter"));
        assert!(tab.eval("new URLSearchParams(location.search).get('as_of')").as_str().is_some());
        tab.expect_no_trouble();
    }
}

#[test]
fn an_audience_needs_no_scripts() {
    let (site, mut browser) = (Site::start("no-scripts"), Chromium::start());
    let mut tab = Tab::open(&mut browser, Look { scripts: false, ..Look::default() });
    tab.goto(&site.url("/audience"));
    tab.tab_to("#where");
    tab.write("tag.active");
    tab.loads(|tab| tab.press("Enter"));
    assert_eq!(tab.eval("document.querySelector('#answer .size').textContent"), size(&site, "tag.active"));
    tab.goto(&site.url("/catalog"));
    tab.tab_to(".edit button");
    tab.loads(|tab| tab.press("Enter"));
    assert!(tab.text().contains("It would change no tag of anybody."), "{}", tab.text());
    tab.goto(&site.url("/live"));
    assert!(tab.text().contains("load the page again"), "{}", tab.text());
}

#[test]
fn an_edit_shows_its_problems_as_it_is_written_and_then_its_preview() {
    let (site, mut browser) = (Site::start("edit"), Chromium::start());
    let mut tab = Tab::open(&mut browser, Look::default());
    tab.goto(&site.url("/catalog"));
    tab.tab_to("#text");
    tab.eval("document.activeElement.setSelectionRange(0, 0)");
    tab.write("nonsense: 1");
    tab.press("Enter");
    tab.wait_for("document.querySelector('#problems mark')?.textContent === 'nonsense'");
    tab.tab_to("#problems .place");
    tab.press("Enter");
    assert_eq!(tab.eval("document.activeElement.id + document.activeElement.selectionStart"), "text0");
    // The line is taken back, and a number is changed.
    tab.eval("document.activeElement.setSelectionRange(0, 'nonsense: 1\\n'.length)");
    tab.press("Backspace");
    tab.wait_for("document.querySelector('#problems mark') === null");
    tab.eval("(() => { const at = document.activeElement.value.indexOf('>= 3'); document.activeElement.setSelectionRange(at + 3, at + 4); })()");
    tab.write("6");
    tab.wait_for("!document.querySelector('#problems').textContent.includes('the same')");
    tab.tab_to(".edit button");
    tab.loads(|tab| tab.press("Enter"));
    let other = crate::serve::page::CATALOG.replace("workouts_30d >= 3", "workouts_30d >= 6");
    let preview = site.world.ask("POST", "/v1/catalog/preview", &[], &other).good();
    let after = preview["rows"][0]["after"].to_string();
    assert_eq!(tab.eval("document.querySelector('tr[data-tag=active] td:nth-of-type(2)').textContent"), after);
    tab.tab_to("#preview summary");
    tab.press("Enter");
    tab.wait_for("document.querySelector('#preview details').open");
}

#[test]
fn changes_come_by_themselves_and_wait_while_the_list_is_paused() {
    let (mut site, mut browser) = (Site::start("live"), Chromium::start());
    let mut tab = Tab::open(&mut browser, Look { language: "zh-CN", ..Look::default() });
    tab.goto(&site.url("/live?tag=vip"));
    tab.wait_for("document.getElementById('state').textContent === document.getElementById('state').dataset.connected");
    site.tag_is_set("u-3");
    site.tag_is_set("u-5");
    let first = "document.querySelector('#changes li').textContent";
    tab.wait_for(&format!("{first}.includes('u-5')"));
    tab.tab_to("#pause");
    tab.press("Enter");
    tab.wait_for("document.getElementById('pause').getAttribute('aria-pressed') === 'true'");
    site.tag_is_set("u-7");
    tab.wait_for("document.getElementById('waiting').textContent.includes('1')");
    assert_eq!(tab.eval(&format!("{first}.includes('u-7')")), false);
    tab.press("Enter");
    tab.wait_for(&format!("{first}.includes('u-7')"));
    assert_eq!(tab.eval("document.querySelectorAll('#changes > li').length <= 100"), true);
    // What came is told politely.
    tab.wait_for("document.getElementById('announcement').textContent !== ''");
    // A hostile key stays a text.
    site.tag_is_set("<img src=x onerror=alert(1)>");
    tab.wait_for(&format!("{first}.includes('<img src=x onerror=alert(1)>')"));
}

#[test]
fn a_tag_is_found_in_the_overview_and_a_person_by_key() {
    let (site, mut browser) = (Site::start("overview"), Chromium::start());
    let mut tab = Tab::open(&mut browser, Look::default());
    tab.goto(&site.url("/"));
    tab.tab_to("#filter");
    tab.write("activ");
    tab.wait_for("document.querySelector('tr[data-tag=vip]').closest('[hidden]') !== null");
    tab.tab_to("tr[data-tag=active] a");
    tab.loads(|tab| tab.press("Enter"));
    assert_eq!(tab.eval("location.pathname"), "/tags/active");
    tab.wait_for("document.querySelector('[data-include] #forecast') !== null");
    tab.press("Home");
    tab.tab_to("#search-key");
    tab.write("u-3");
    tab.loads(|tab| tab.press("Enter"));
    assert_eq!(tab.eval("location.pathname"), "/entities/user/u-3");
    // A manual tag is set: the command is written.
    tab.tab_to("#act [name=note]");
    tab.write("asked by the shop");
    tab.tab_to("#act button[value=set]");
    tab.loads(|tab| tab.press("Enter"));
    assert!(tab.eval("document.querySelector('.notice[role=status]') !== null") == true, "{}", tab.text());
    tab.tab_to("#erase button");
    tab.loads(|tab| tab.press("Enter"));
    assert_eq!(tab.eval("location.pathname"), "/entities/erase");
    tab.tab_to("[name=sure]");
    tab.press(" ");
    assert_eq!(tab.eval("document.activeElement.checked"), true);
}
