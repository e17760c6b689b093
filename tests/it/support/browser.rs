//! Headless Chromium, with a profile for each test.
//!
//! Nothing here sleeps for a fixed time: conditions are polled until [`WAIT_TIMEOUT`].

pub(crate) mod axe;
mod programs;
pub(crate) mod sizes;

use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::prelude::*;
use thirtyfour::{Capabilities, ChromeCapabilities, LoggingPrefsLogLevel};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::Site;
use super::page::Page;

/// Maximum wait for a condition.
const WAIT_TIMEOUT: Duration = Duration::from_secs(10);
/// Limits concurrent browsers, since test machines may have two cores. Two tests that each wait for a second one would
/// wait forever, so a test drops its browser before it opens another.
static MAX_BROWSERS: Semaphore = Semaphore::const_new(2);

const CHROMIUM_FLAGS: [&str; 10] = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--window-size=1000,800",
];

/// A running Chromium, which ends with the test.
pub(crate) struct Browser {
    // Drop order: the browser, its profile, its permit.
    driver: WebDriver,
    _profile: TempDir,
    _permit: SemaphorePermit<'static>,
    base: String,
}

impl Browser {
    /// Opens a browser on `site`.
    pub(crate) async fn open(site: &Site) -> Self {
        Self::start(site, &programs::chromium(), true).await
    }

    /// Opens the whole Chromium, if it is installed: the build without windows lacks what is outside of pages.
    pub(crate) async fn open_whole(site: &Site) -> Option<Self> {
        Some(Self::start(site, &programs::find_on_path("chromium")?, true).await)
    }

    /// Opens a browser with JavaScript disabled.
    pub(crate) async fn without_script(site: &Site) -> Self {
        Self::start(site, &programs::chromium(), false).await
    }

    async fn start(site: &Site, chromium: &str, script: bool) -> Self {
        let permit = MAX_BROWSERS.acquire().await.expect("the semaphore is never closed");
        let profile = tempfile::Builder::new().prefix("heartlist-chromium-").tempdir().unwrap();
        let capabilities = capabilities(chromium, &profile).expect("good capabilities");
        let driver = WebDriver::builder(programs::chromedriver(), capabilities).client(webdriver_client()).await;
        let driver = driver.unwrap_or_else(|error| {
            panic!("Chromium does not start: {error}. `script/test` brings what the browser tests need.")
        });
        let browser = Self { driver, _profile: profile, _permit: permit, base: site.base.clone() };
        browser.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": !script })).await;
        browser
    }

    /// Opens a path of the site.
    pub(crate) async fn go(&self, path: &str) {
        self.open_url(&format!("{}{path}", self.base)).await;
    }

    /// Opens a page of any site.
    pub(crate) async fn open_url(&self, url: &str) {
        // One that is under way may abort this navigation.
        if self.driver.goto(url).await.is_err() {
            self.driver.goto(url).await.unwrap();
        }
    }

    /// Shows a page that was requested elsewhere.
    pub(crate) async fn show_page(&self, page: &Page) {
        self.go("/about").await;
        let tree = self.devtools("Page.getFrameTree", json!({})).await;
        let shown = json!({ "frameId": tree["frameTree"]["frame"]["id"], "html": page.html });
        self.devtools("Page.setDocumentContent", shown).await;
        self.wait_for("document.readyState === 'complete' && document.styleSheets.length > 0").await;
    }

    /// Goes one page back.
    pub(crate) async fn back(&self) {
        self.driver.back().await.unwrap();
    }

    /// Loads the page anew.
    pub(crate) async fn reload(&self) {
        self.driver.refresh().await.unwrap();
    }

    /// The current address: without the origin if it is on the site.
    pub(crate) async fn location(&self) -> String {
        self.find_location().await.unwrap()
    }

    async fn find_location(&self) -> WebDriverResult<String> {
        let url = self.driver.current_url().await?.to_string();
        Ok(url.strip_prefix(&self.base).map_or_else(|| url.clone(), str::to_owned))
    }

    /// Waits until the location is `place`.
    pub(crate) async fn wait_for_location(&self, path: &str) {
        self.wait_until(&format!("at {path}"), async || {
            self.find_location().await.is_ok_and(|location| location == path)
        })
        .await;
    }

    /// Waits for an element and returns it.
    pub(crate) async fn find(&self, selector: &str) -> WebElement {
        self.wait_until(&format!("there is {selector}"), async || self.driver.find(By::Css(selector)).await.is_ok())
            .await;
        self.driver.find(By::Css(selector)).await.unwrap()
    }

    /// Waits until an element can be clicked, and clicks it.
    pub(crate) async fn click(&self, selector: &str) {
        let clicked = async || match self.driver.find(By::Css(selector)).await {
            Ok(element) => element.click().await.is_ok(),
            Err(_) => false,
        };
        self.wait_until(&format!("{selector} can be clicked"), clicked).await;
    }

    /// Types into a field.
    pub(crate) async fn type_text(&self, selector: &str, text: &str) {
        self.find(selector).await.send_keys(text).await.unwrap();
    }

    /// Presses a key.
    pub(crate) async fn press_key(&self, key: impl Into<TypingData>) {
        self.wait_for_paint().await;
        self.driver.action_chain().send_keys(key).perform().await.unwrap();
    }

    /// Keys may be lost before the page was painted once.
    async fn wait_for_paint(&self) {
        self.wait_for("performance.getEntriesByName('first-contentful-paint').length > 0").await;
    }

    /// The visible text of an element.
    pub(crate) async fn text(&self, selector: &str) -> String {
        self.find(selector).await.text().await.unwrap()
    }

    /// Waits until the visible text of an element contains `words`.
    pub(crate) async fn wait_for_text(&self, selector: &str, words: &str) {
        let seen = format!("(document.querySelector({}) ?? {{innerText: ''}}).innerText", json!(selector));
        self.wait_until(&format!("{selector} says {words:?}"), async || {
            self.try_eval::<String>(&seen).await.is_ok_and(|text| text.contains(words))
        })
        .await;
    }

    /// Evaluates a JavaScript expression on the page.
    pub(crate) async fn eval<T: DeserializeOwned>(&self, expression: &str) -> T {
        self.try_eval(expression).await.unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    async fn try_eval<T: DeserializeOwned>(&self, expression: &str) -> WebDriverResult<T> {
        self.driver.execute(format!("return ({expression});"), Vec::new()).await?.convert()
    }

    /// Runs a script on the page.
    pub(crate) async fn run_script(&self, script: &str) {
        self.driver.execute(script, Vec::new()).await.unwrap();
    }

    /// Waits until a JavaScript expression is true.
    pub(crate) async fn wait_for(&self, expression: &str) {
        let expression = &format!("Boolean({expression})");
        self.wait_until(expression, async || self.try_eval(expression).await.unwrap_or(false)).await;
    }

    /// Waits until `probe` returns true, which takes an error of the driver for false: a navigation aborts what is asked
    /// meanwhile. On timeout, fails with the text of the page.
    pub(crate) async fn wait_until(&self, what: &str, probe: impl AsyncFn() -> bool) {
        let start = Instant::now();
        while !probe().await {
            if start.elapsed() > WAIT_TIMEOUT {
                let page: String = self.eval("document.body.innerText").await;
                panic!("never happened: {what}\nat {}\n{page}", self.location().await);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Sends a command of the Chrome DevTools Protocol.
    pub(crate) async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let response = self.driver.cdp().send_raw(command, parameters).await;
        response.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// Sets the size of the window.
    pub(crate) async fn set_window_size(&self, width: u32, height: u32) {
        self.emulate_screen(width, height, 1, false).await;
    }

    /// Emulates a screen with a device pixel ratio of `density`.
    pub(crate) async fn emulate_screen(&self, width: u32, height: u32, density: u32, mobile: bool) {
        let screen = json!({ "width": width, "height": height, "deviceScaleFactor": density, "mobile": mobile });
        self.devtools("Emulation.setDeviceMetricsOverride", screen).await;
    }

    /// Opens another tab and switches to it; returns the previous one.
    pub(crate) async fn new_tab(&self) -> WindowHandle {
        let left = self.driver.window().await.unwrap();
        let tab = self.driver.new_tab().await.unwrap();
        self.switch_to_tab(&tab).await;
        left
    }

    /// Switches to a tab and brings it to the front.
    pub(crate) async fn switch_to_tab(&self, tab: &WindowHandle) {
        self.driver.switch_to_window(tab.clone()).await.unwrap();
        self.devtools("Page.bringToFront", json!({})).await;
    }

    /// Console errors since the last call: script errors, policy violations, failed loads. Not the one for a view
    /// transition that the page skips: on a busy machine Chromium now and then reports it although it is handled.
    pub(crate) async fn console_errors(&self) -> Vec<String> {
        let log = self.driver.browser_log().await.unwrap();
        let errors = log.into_iter().filter(|entry| entry.level != "INFO").map(|entry| entry.message);
        errors.filter(|message| !message.ends_with("DOMException: Transition was skipped")).collect()
    }
}

/// Keeps no idle connections: at the end the browser is quit from another thread, which cannot use them.
fn webdriver_client() -> reqwest::Client {
    reqwest::Client::builder().pool_max_idle_per_host(0).timeout(6 * WAIT_TIMEOUT).build().unwrap()
}

fn capabilities(chromium: &str, profile: &TempDir) -> WebDriverResult<ChromeCapabilities> {
    let mut capabilities = DesiredCapabilities::chrome();
    // The name by which chromedriver knows the build without windows.
    if chromium.ends_with("headless-shell") {
        AsMut::<Capabilities>::as_mut(&mut capabilities).set("browserName", "chrome-headless-shell")?;
    }
    capabilities.set_binary(chromium)?;
    for flag in CHROMIUM_FLAGS {
        capabilities.add_arg(flag)?;
    }
    capabilities.add_arg(&format!("--user-data-dir={}", profile.path().display()))?;
    capabilities.set_browser_log_level(LoggingPrefsLogLevel::All)?;
    Ok(capabilities)
}
