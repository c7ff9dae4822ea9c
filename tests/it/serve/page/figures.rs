//! The overview and the tags against the API: the same figures, in both languages.

use serde_json::Value as Json;

use super::{CATALOG, LANGUAGES, between, gym, page, seen};
use crate::serve::world::World;

/// A number as the page writes it.
pub(super) fn grouped(number: &Json) -> String {
    let digits = number.as_i64().expect("a number").unsigned_abs().to_string();
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    groups.iter().map(|group| std::str::from_utf8(group).expect("digits")).collect::<Vec<_>>().join(",")
}

/// `+12 −3`.
fn moved(figures: &Json) -> String {
    let sign = |sign: &str, number: &Json| {
        let text = grouped(number);
        if text == "0" { text } else { format!("{sign}{text}") }
    };
    format!("{} {}", sign("+", &figures["entered"]), sign("−", &figures["left"]))
}

fn figures(world: &World, tag: &str) -> Json {
    world.get(&format!("/v1/tags/{tag}/figures")).good()
}

#[test]
fn the_overview_has_the_figures_of_the_api() {
    let (world, _directory) = gym("overview");
    let list = world.get("/v1/tags").good();
    for language in LANGUAGES {
        let html = page(&world, "/", language);
        assert!(seen(&html).contains(&grouped(&list["entities"]["user"])), "{}", seen(&html));
        for tag in list["tags"].as_array().expect("tags") {
            let name = tag["tag"].as_str().expect("a name");
            let row = between(&html, &format!("data-tag=\"{name}\""), "</tr>");
            assert_eq!(between(row, "<td class=\"number size\">", "</td>"), grouped(&tag["size"]), "{name}");
            let title = tag["title"][language].as_str().unwrap_or(name);
            assert!(seen(row).contains(title), "{name}: {}", seen(row));
            let figures = figures(&world, name);
            let shown: Vec<String> = row
                .split("<span aria-hidden=\"true\">")
                .skip(1)
                .map(|cell| seen(cell.split("</td>").next().expect("a cell")))
                .collect();
            let expected = ["hour", "day", "week"].map(|span| moved(&figures[span]));
            assert_eq!(shown, expected, "{name}");
        }
    }
    // The groups within a group stand behind it, what has none at the end.
    let html = page(&world, "/", "en");
    let groups: Vec<&str> =
        html.split("colspan=\"6\">").skip(1).map(|piece| piece.split('<').next().unwrap_or_default()).collect();
    assert_eq!(groups, ["activity", "activity › level", "activity › risk", "Without a group"]);
}

#[test]
fn a_tag_has_the_figures_of_the_api() {
    let (world, _directory) = gym("tag");
    for tag in ["active", "churn_risk", "spend_level", "lifecycle", "vip"] {
        let (one, figures) = (world.get(&format!("/v1/tags/{tag}")).good(), figures(&world, tag));
        for language in LANGUAGES {
            let html = page(&world, &format!("/tags/{tag}"), language);
            assert_eq!(between(&html, "<dd class=\"size\">", "</dd>"), grouped(&one["size"]), "{tag}");
            for label in one["labels"].as_array().expect("labels") {
                let name = format!(">{}</bdi>", label["name"].as_str().expect("a name"));
                let row = between(between(&html, "id=\"labels\"", "</table>"), &name, "</tr>");
                assert_eq!(between(row, "<td class=\"number\">", "</td>"), grouped(&label["size"]), "{tag}: {name}");
            }
            let series = figures["series"].as_array().expect("steps");
            let chart = between(&html, "id=\"size-over-time\"", "</figure>");
            let table: Vec<&str> = chart
                .split("<td class=\"number\">")
                .skip(1)
                .map(|cell| cell.split('<').next().expect("a cell"))
                .collect();
            assert_eq!(table, series.iter().map(|step| grouped(&step["size"])).collect::<Vec<_>>(), "{tag}");
            let reasons = between(&html, "id=\"reasons\"", "id=\"members\"");
            let counts: Vec<&str> = reasons
                .split("<td class=\"number\">")
                .skip(1)
                .map(|cell| cell.split('<').next().expect("a cell"))
                .collect();
            let expected = figures["reasons"].as_array().expect("reasons").iter();
            assert_eq!(counts, expected.map(|reason| grouped(&reason["count"])).collect::<Vec<_>>(), "{tag}");
        }
    }
}

#[test]
fn a_tag_is_shown_as_it_is_written() {
    let (world, _directory) = gym("written");
    let html = page(&world, "/tags/active", "en");
    let written = between(&html, "<pre><code>", "</code></pre>").replace("&quot;", "\"").replace("&gt;", ">");
    let expected: Vec<&str> = CATALOG.lines().skip_while(|line| !line.starts_with("  active:")).take(7).collect();
    let expected: Vec<&str> = expected.iter().map(|line| &line[2..]).collect();
    assert_eq!(written.replace("&lt;", "<").replace("&amp;", "&"), expected.join("\n"));
    let html = page(&world, "/tags/vip", "en");
    assert_eq!(between(&html, "<pre><code>", "</code></pre>"), "vip: { manual: {} }");
}

#[test]
fn members_are_those_of_the_audience_that_the_page_leads_to() {
    let (world, _directory) = gym("members");
    for (tag, condition) in [("active", "tag.active"), ("lifecycle", "has(tag.lifecycle)"), ("vip", "has(tag.vip)")] {
        let html = page(&world, &format!("/tags/{tag}"), "en");
        let question = serde_json::json!({ "where": condition, "sample": 20 });
        let audience = world.post("/v1/audiences", &question).good();
        let list = between(&html, "<ul class=\"keys\">", "</ul>");
        let keys: Vec<String> = list.split("<li>").skip(1).map(seen).collect();
        let expected: Vec<&str> =
            audience["sample"].as_array().expect("keys").iter().filter_map(Json::as_str).collect();
        assert_eq!(keys, expected, "{tag}");
        assert!(keys.len() > 3, "{tag} has members");
    }
}

#[test]
fn the_forecast_is_the_one_of_the_api() {
    let (world, _directory) = gym("forecast");
    for tag in ["active", "lifecycle"] {
        let rows = world.get(&format!("/v1/forecast?tag={tag}")).good();
        let html = page(&world, &format!("/tags/{tag}/forecast"), "en");
        let says: Vec<String> = html
            .split("<p>")
            .filter(|piece| piece.contains(" have it now, "))
            .map(seen)
            .map(|text| text.split(". ").next().expect("a sentence").trim_end_matches('.').to_owned())
            .collect();
        let expected = rows["rows"].as_array().expect("rows").iter();
        let expected: Vec<String> = expected
            .map(|row| format!("{} have it now, {} in 30 days", grouped(&row["now"]), grouped(&row["then"])))
            .collect();
        assert_eq!(says.len(), expected.len(), "{tag}");
        for (says, expected) in says.iter().zip(&expected) {
            assert!(says.starts_with(expected), "{tag}: {says}");
        }
    }
}
