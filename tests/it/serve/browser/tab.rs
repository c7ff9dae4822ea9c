//! A page as a reader sees it.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::chromium::{Chromium, PATIENCE};

/// The width of a screen on a table, and of a phone.
pub const WIDE: u32 = 1_200;
pub const PHONE: u32 = 375;
/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    Light,
    Dark,
}

/// How a reader reads.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// As `Accept-Language` has it.
    pub language: &'static str,
    pub colours: Colours,
    pub width: u32,
    /// Whether pages may run scripts.
    pub scripts: bool,
}

impl Default for Look {
    fn default() -> Self {
        Look { language: "en-GB", colours: Colours::Light, width: WIDE, scripts: true }
    }
}

/// A tab with cookies of its own.
pub struct Tab<'b> {
    browser: &'b mut Chromium,
    session: String,
    context: String,
    /// The number of loaded pages.
    loads: usize,
    /// What the console says as an error, and what could not be loaded.
    troubles: Vec<String>,
}

impl<'b> Tab<'b> {
    pub fn open(browser: &'b mut Chromium, look: Look) -> Self {
        let text = |answer: &Json, name: &str| answer[name].as_str().expect("a text").to_owned();
        let context = text(&browser.call(None, "Target.createBrowserContext", json!({})), "browserContextId");
        let target =
            browser.call(None, "Target.createTarget", json!({ "url": "about:blank", "browserContextId": context }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = text(&browser.call(None, "Target.attachToTarget", attach), "sessionId");
        let mut tab = Tab { browser, session, context, loads: 0, troubles: Vec::new() };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            tab.call(&format!("{domain}.enable"), json!({}));
        }
        let agent = tab.eval("navigator.userAgent");
        tab.call("Emulation.setUserAgentOverride", json!({ "userAgent": agent, "acceptLanguage": look.language }));
        let colours = if look.colours == Colours::Dark { "dark" } else { "light" };
        let features = json!([
            { "name": "prefers-color-scheme", "value": colours }, { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        tab.call("Emulation.setEmulatedMedia", json!({ "features": features }));
        tab.call("Emulation.setScriptExecutionDisabled", json!({ "value": !look.scripts }));
        let is_phone = look.width < 600;
        let size = json!({ "width": look.width, "height": 800, "deviceScaleFactor": 1, "mobile": is_phone });
        tab.call("Emulation.setDeviceMetricsOverride", size);
        tab
    }

    fn call(&mut self, method: &str, parameters: Json) -> Json {
        let session = self.session.clone();
        self.browser.call(Some(&session), method, parameters)
    }

    /// Takes in what the browser has told up to now, or up to an instant.
    fn listen(&mut self, until: Instant) -> bool {
        let Some(event) = self.browser.next_event(until) else { return false };
        if event["sessionId"] != self.session {
            return true;
        }
        let parameters = &event["params"];
        let trouble = match event["method"].as_str().unwrap_or_default() {
            "Page.loadEventFired" => {
                self.loads += 1;
                return true;
            }
            "Runtime.exceptionThrown" => parameters["exceptionDetails"].to_string(),
            "Runtime.consoleAPICalled" if parameters["type"] == "error" => parameters["args"].to_string(),
            "Log.entryAdded" if parameters["entry"]["level"] == "error" => parameters["entry"].to_string(),
            "Network.responseReceived" if parameters["response"]["status"].as_u64() >= Some(400) => {
                format!("{} {}", parameters["response"]["status"], parameters["response"]["url"])
            }
            // What a page itself gives up, or leaves behind when another one comes, is no fault.
            "Network.loadingFailed" if parameters["canceled"] != true => parameters.to_string(),
            "Inspector.targetCrashed" => "the page has crashed".to_owned(),
            _ => return true,
        };
        self.troubles.push(trouble);
        true
    }

    /// Does something that leads to another page, and waits until that is there.
    pub fn loads(&mut self, act: impl FnOnce(&mut Self)) {
        while self.listen(Instant::now()) {}
        let before = self.loads;
        act(self);
        let until = Instant::now() + PATIENCE;
        while self.loads == before {
            assert!(self.listen(until) || Instant::now() < until, "no page is loaded: {:#?}", self.troubles);
        }
    }

    pub fn goto(&mut self, url: &str) {
        self.loads(|tab| {
            let answer = tab.call("Page.navigate", json!({ "url": url }));
            assert!(answer["errorText"].is_null(), "{url}: {}", answer["errorText"]);
        });
    }

    /// The value of an expression of JavaScript.
    pub fn eval(&mut self, expression: &str) -> Json {
        let asked = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", asked);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// Waits until an expression of JavaScript is true.
    pub fn wait_for(&mut self, expression: &str) {
        let until = Instant::now() + PATIENCE;
        while self.eval(&format!("Boolean({expression})")) != true {
            assert!(Instant::now() < until, "still not: {expression}\n{}", self.text());
            std::thread::sleep(LOOK);
        }
    }

    /// What a reader can read.
    pub fn text(&mut self) -> String {
        self.eval("document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// Presses a key by its name: `Tab`, `Enter`, `Escape`, `ArrowDown`, `Shift+Tab`.
    pub fn press(&mut self, name: &str) {
        let (modifiers, key) = name.strip_prefix("Shift+").map_or((0, name), |key| (8, key));
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            "Escape" => (27, ""),
            " " => (32, " "),
            "End" => (35, ""),
            "Home" => (36, ""),
            "ArrowUp" => (38, ""),
            "ArrowDown" => (40, ""),
            "Backspace" => (8, ""),
            other => panic!("a key {other} is not known here"),
        };
        let mut event = json!({
            "type": if text.is_empty() { "rawKeyDown" } else { "keyDown" },
            "key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers,
        });
        if !text.is_empty() {
            event["text"] = text.into();
        }
        self.call("Input.dispatchKeyEvent", event.clone());
        event["type"] = "keyUp".into();
        self.call("Input.dispatchKeyEvent", event);
    }

    /// Types a text, key by key.
    pub fn write(&mut self, text: &str) {
        for letter in text.chars() {
            let letter = letter.to_string();
            self.call("Input.dispatchKeyEvent", json!({ "type": "keyDown", "text": letter, "key": letter }));
            self.call("Input.dispatchKeyEvent", json!({ "type": "keyUp", "key": letter }));
        }
    }

    /// Goes on with the key Tab until an element has the focus, which has to be shown.
    pub fn tab_to(&mut self, selector: &str) {
        for _ in 0..300 {
            if self.eval(&format!("document.activeElement?.matches({}) ?? false", json!(selector))) == true {
                let outline = self.eval("getComputedStyle(document.activeElement).outlineStyle");
                assert_ne!(outline, "none", "nothing shows that {selector} has the focus");
                return;
            }
            self.press("Tab");
        }
        panic!("no key leads to {selector}:\n{}", self.text());
    }

    /// Keeps a picture of the whole page in a folder under target/.
    pub fn picture(&mut self, name: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
        self.picture_in(&folder, name, u64::MAX);
    }

    /// Keeps a picture of the page, down to a height.
    pub fn picture_in(&mut self, folder: &Path, name: &str, height_max: u64) {
        let size = self.call("Page.getLayoutMetrics", json!({}))["cssContentSize"].clone();
        let height = size["height"].as_u64().expect("a height").min(height_max);
        let clip = json!({ "x": 0, "y": 0, "width": size["width"], "height": height, "scale": 1 });
        let asked = json!({ "format": "webp", "quality": 70, "captureBeyondViewport": true, "clip": clip });
        let picture = self.call("Page.captureScreenshot", asked);
        let bytes = decoded(picture["data"].as_str().expect("a picture"));
        std::fs::create_dir_all(folder).expect("a folder");
        std::fs::write(folder.join(format!("{name}.webp")), bytes).expect("a file");
    }

    /// What has gone wrong since the last call.
    pub fn take_troubles(&mut self) -> Vec<String> {
        while self.listen(Instant::now()) {}
        std::mem::take(&mut self.troubles)
    }

    /// Nothing may have gone wrong.
    pub fn expect_no_trouble(&mut self) {
        let troubles = self.take_troubles();
        assert!(troubles.is_empty(), "{troubles:#?}");
    }
}

impl Drop for Tab<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.expect_no_trouble();
        self.browser.call(None, "Target.disposeBrowserContext", json!({ "browserContextId": self.context }));
    }
}

/// The bytes of a text in Base64.
fn decoded(text: &str) -> Vec<u8> {
    let digit = |letter: u8| match letter {
        b'A'..=b'Z' => u32::from(letter - b'A'),
        b'a'..=b'z' => u32::from(letter - b'a') + 26,
        b'0'..=b'9' => u32::from(letter - b'0') + 52,
        b'+' => 62,
        _ => 63,
    };
    let letters: Vec<u8> = text.bytes().filter(|letter| *letter != b'=').collect();
    let bytes = letters.chunks(4).flat_map(|four| {
        let value = four.iter().enumerate().fold(0, |value, (at, letter)| value | digit(*letter) << (18 - 6 * at));
        value.to_be_bytes()[1..four.len()].to_vec()
    });
    bytes.collect()
}
