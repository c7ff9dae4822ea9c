//! That the harness finds what is wrong: a page with every fault that it looks for.

use axum::Router;
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::get;
use tagstream::serve::ServeServer;

use super::axe::{expect_accessible, findings};
use super::chromium::Chromium;
use super::tab::{Colours, Look, PHONE, Tab};

const FAULTY: &str = r#"<!doctype html><html lang="en"><head><title>Faulty</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body { color: #ccc; background: #ddd; } @media (prefers-color-scheme: dark) { p { color: red; } }</style></head>
<body><main><h1>Faulty</h1><p>Pale</p><input id="field"><img src="/missing.png"><button id="last">Go on</button></main>
<script>
console.error("an error that is told");
document.getElementById("last").onclick = () => { document.title = "Pressed"; throw new Error("an error that is thrown"); };
fetch("/wrong");
</script></body></html>"#;

const SOUND: &str = r#"<!doctype html><html lang="en"><head><title>Sound</title><link rel="icon" href="data:,"></head>
<body><main><h1>Sound</h1><label for="field">Name</label> <input id="field"></main></body></html>"#;

fn server() -> ServeServer {
    let language = |headers: axum::http::HeaderMap| async move {
        let wanted =
            headers.get("accept-language").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        Html(SOUND.replace("Name", &wanted))
    };
    let router = Router::new()
        .route("/", get(|| async { Html(FAULTY) }))
        .route("/sound", get(language))
        .route("/wrong", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }));
    ServeServer::start("127.0.0.1:0".parse().expect("an address"), None, router).expect("a server")
}

#[test]
fn what_is_wrong_on_a_page_is_found() {
    let (server, mut browser) = (server(), Chromium::start());
    let mut tab = Tab::open(&mut browser, Look { colours: Colours::Dark, width: PHONE, ..Look::default() });
    tab.goto(&format!("http://{}/", server.address()));
    assert_eq!(tab.eval("getComputedStyle(document.querySelector('p')).color"), "rgb(255, 0, 0)");
    assert_eq!(tab.eval("innerWidth"), PHONE);
    let found = findings(&mut tab).join("\n");
    for rule in ["color-contrast", "image-alt", "label"] {
        assert!(found.contains(&format!("\"{rule}\"")), "{rule} is not found:\n{found}");
    }
    tab.tab_to("#field");
    tab.write("héllo 你好");
    assert_eq!(tab.eval("document.activeElement.value"), "héllo 你好");
    tab.tab_to("#last");
    tab.press("Enter");
    tab.wait_for("document.title === 'Pressed'");
    let troubles = tab.take_troubles().join("\n");
    for trouble in ["an error that is told", "an error that is thrown", "404 \"http", "500 \"http"] {
        assert!(troubles.contains(trouble), "{trouble} is not told:\n{troubles}");
    }
}

#[test]
fn a_sound_page_is_without_findings_in_the_readers_language() {
    let (server, mut browser) = (server(), Chromium::start());
    for (language, scripts) in [("zh-CN", true), ("en-GB", false)] {
        let mut tab = Tab::open(&mut browser, Look { language, scripts, ..Look::default() });
        tab.goto(&format!("http://{}/sound", server.address()));
        assert!(tab.text().contains(language), "{}", tab.text());
        if scripts {
            expect_accessible(&mut tab);
        }
        tab.picture("sound");
    }
}
