//! What axe-core finds on a page.

use serde_json::{Value as Json, json};

use super::tab::Tab;
use crate::installed;

/// Nothing on the page may have an impact that is serious or critical.
pub fn expect_accessible(tab: &mut Tab<'_>) {
    let findings = findings(tab);
    assert!(findings.is_empty(), "{}:\n{}", tab.eval("location.href"), findings.join("\n"));
}

/// The rules that the page breaks, with the first places.
pub fn findings(tab: &mut Tab<'_>) -> Vec<String> {
    if tab.eval("typeof axe") != "object" {
        let file = installed::expect("axe-core-4.12.1/axe_playwright_python/axe.min.js");
        let script = std::fs::read_to_string(file).expect("axe-core");
        tab.eval(&format!("{script}; true"));
    }
    let found = tab.eval(
        "axe.run(document, { resultTypes: ['violations'] }).then((result) => result.violations.map((one) => ({ \
         rule: one.id, impact: one.impact, help: one.help, \
         places: one.nodes.slice(0, 3).map((node) => node.html + ' ' + node.failureSummary) })))",
    );
    let is_grave = |one: &&Json| [json!("serious"), json!("critical")].contains(&one["impact"]);
    let all = found.as_array().expect("violations");
    all.iter()
        .filter(is_grave)
        .map(|one| format!("{} ({}): {}\n{:#}", one["rule"], one["impact"], one["help"], one["places"]))
        .collect()
}
