//! The accessibility checker axe-core.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Browser;

const AXE: &str = include_str!("../../axe/axe.min.js");
/// The rules to hold: WCAG 2.2 A and AA, and what its authors call good practice.
const RULES: &str = "{ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], resultTypes: ['violations'] }";

/// A rule that a page breaks.
#[derive(Debug, Deserialize)]
pub(crate) struct Violation {
    pub(crate) id: String,
    nodes: Vec<Value>,
}

/// Opens `path` and fails if axe-core finds a violation.
pub(crate) async fn assert_accessible_page(browser: &Browser, path: &str) {
    browser.go(path).await;
    assert_accessible(browser, path).await;
}

/// Runs axe-core on the page that is shown.
pub(crate) async fn violations(browser: &Browser) -> Vec<Violation> {
    if browser.eval("typeof axe === 'undefined'").await {
        browser.run_script(AXE).await;
    }
    browser.eval(&format!("axe.run(document, {RULES}).then(result => result.violations)")).await
}

/// Checks the current page, which failures call `path`.
pub(crate) async fn assert_accessible(browser: &Browser, path: &str) {
    // An open menu lies over the page, whose links below it count as too small.
    browser.eval::<()>("document.querySelectorAll('details').forEach(d => { d.open = !d.matches('.menu'); })").await;
    for (width, mobile) in [(360, true), (1280, false)] {
        browser.emulate_screen(width, 800, 1, mobile).await;
        for scheme in ["light", "dark"] {
            let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }, { "name": "prefers-reduced-motion", "value": "reduce" }] });
            browser.devtools("Emulation.setEmulatedMedia", features).await;
            let violations = violations(browser).await;
            assert!(violations.is_empty(), "{path}, {width} px, {scheme}: {}", describe(&violations));
        }
    }
    for n in 0..browser.eval::<usize>("document.querySelectorAll('.menu').length").await {
        browser.eval::<()>(&format!("void (document.querySelectorAll('.menu')[{n}].open = true)")).await;
        let mut violations = violations(browser).await;
        violations.retain(|violation| violation.id != "target-size");
        assert!(violations.is_empty(), "{path}, menu {n}: {}", describe(&violations));
    }
}

fn describe(violations: &[Violation]) -> String {
    let lines = violations.iter().map(|broken| {
        let first = broken.nodes.first().and_then(|node| node["html"].as_str()).unwrap_or_default();
        format!("\n{} in {} places, first: {first}", broken.id, broken.nodes.len())
    });
    lines.collect()
}
