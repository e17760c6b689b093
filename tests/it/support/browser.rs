//! A real browser: Chromium without a window, each test with a profile of its own.
//!
//! Nothing here waits a fixed time: what is looked for may take until [`PATIENCE`] ends.

pub(crate) mod axe;
mod programs;
pub(crate) mod sizes;

use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, LoggingPrefsLogLevel};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::Site;
use super::page::Page;

/// How long something that is on its way may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many browsers run at once: they are heavy, and computers that test may have two cores.
static PLACES: Semaphore = Semaphore::const_new(2);

const FLAGS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1000,800",
];

/// Somebody with Chromium; it ends with the test, however that ends.
pub(crate) struct Browser {
    // In this order they are dropped: the browser, what it wrote, its place.
    driver: WebDriver,
    _profile: TempDir,
    _place: SemaphorePermit<'static>,
    base: String,
}

impl Browser {
    /// Opens a browser on `site`.
    pub(crate) async fn open(site: &Site) -> Self {
        Self::start(site, true).await
    }

    /// Opens a browser that runs no page's script.
    pub(crate) async fn without_script(site: &Site) -> Self {
        Self::start(site, false).await
    }

    async fn start(site: &Site, script: bool) -> Self {
        let place = PLACES.acquire().await.expect("the semaphore is never closed");
        let profile = tempfile::Builder::new().prefix("heartlist-chromium-").tempdir().unwrap();
        let wishes = capabilities(&profile, script).expect("good capabilities");
        let driver = WebDriver::builder(programs::chromedriver(), wishes).client(client()).await;
        let driver = driver.unwrap_or_else(|error| {
            panic!("Chromium does not start: {error}. `script/test` brings what the browser tests need.")
        });
        Self { driver, _profile: profile, _place: place, base: site.base.clone() }
    }

    /// Opens a path of the site.
    pub(crate) async fn go(&self, path: &str) {
        self.driver.goto(format!("{}{path}", self.base)).await.unwrap();
    }

    /// Shows an answer that came another way, with the site's files.
    pub(crate) async fn show_page(&self, page: &Page) {
        self.go("/about").await;
        let tree = self.devtools("Page.getFrameTree", json!({})).await;
        let shown = json!({ "frameId": tree["frameTree"]["frame"]["id"], "html": page.html });
        self.devtools("Page.setDocumentContent", shown).await;
        self.wait_for("document.readyState === 'complete' && document.styleSheets.length > 1").await;
    }

    /// Goes one page back.
    pub(crate) async fn back(&self) {
        self.driver.back().await.unwrap();
    }

    /// Loads the page anew.
    pub(crate) async fn reload(&self) {
        self.driver.refresh().await.unwrap();
    }

    /// Where the browser is: path, query and fragment on the site, or the whole address elsewhere.
    pub(crate) async fn location(&self) -> String {
        let url = self.driver.current_url().await.unwrap().to_string();
        url.strip_prefix(&self.base).map_or_else(|| url.clone(), str::to_owned)
    }

    /// Waits until the browser is at `place`.
    pub(crate) async fn wait_for_location(&self, place: &str) {
        self.wait_until(&format!("at {place}"), async || self.location().await == place).await;
    }

    /// The element at a CSS selector, as soon as there is one.
    pub(crate) async fn find(&self, selector: &str) -> WebElement {
        self.wait_until(&format!("there is {selector}"), async || self.driver.find(By::Css(selector)).await.is_ok())
            .await;
        self.driver.find(By::Css(selector)).await.unwrap()
    }

    /// Clicks with the mouse, as soon as that is possible.
    pub(crate) async fn click(&self, selector: &str) {
        let clicked = async || match self.driver.find(By::Css(selector)).await {
            Ok(element) => element.click().await.is_ok(),
            Err(_) => false,
        };
        self.wait_until(&format!("{selector} can be clicked"), clicked).await;
    }

    /// Presses a key where the focus is.
    pub(crate) async fn press_key(&self, key: Key) {
        self.driver.action_chain().send_keys(key).perform().await.unwrap();
    }

    /// Types a letter where the focus is.
    pub(crate) async fn press_letter(&self, letter: char) {
        self.driver.action_chain().send_keys(letter).perform().await.unwrap();
    }

    /// The text that is seen of an element.
    pub(crate) async fn text(&self, selector: &str) -> String {
        self.find(selector).await.text().await.unwrap()
    }

    /// Waits until the text that is seen of an element contains `words`.
    pub(crate) async fn wait_for_text(&self, selector: &str, words: &str) {
        let seen = format!("(document.querySelector({}) ?? {{innerText: ''}}).innerText", json!(selector));
        self.wait_until(&format!("{selector} says {words:?}"), async || {
            self.eval::<String>(&seen).await.contains(words)
        })
        .await;
    }

    /// The value of a JavaScript expression on the page.
    pub(crate) async fn eval<T: DeserializeOwned>(&self, expression: &str) -> T {
        let answer = self.driver.execute(format!("return ({expression});"), Vec::new()).await;
        answer.unwrap_or_else(|error| panic!("{expression}: {error}")).convert().unwrap()
    }

    /// Runs a script on the page, as a file of its own would run.
    pub(crate) async fn run_script(&self, script: &str) {
        self.driver.execute(script, Vec::new()).await.unwrap();
    }

    /// Waits until a JavaScript expression is true.
    pub(crate) async fn wait_for(&self, expression: &str) {
        self.wait_until(expression, async || self.eval::<bool>(&format!("Boolean({expression})")).await).await;
    }

    /// Waits until `probe` says yes; fails with what is on the page when it never does.
    pub(crate) async fn wait_until(&self, what: &str, probe: impl AsyncFn() -> bool) {
        let start = Instant::now();
        while !probe().await {
            if start.elapsed() > PATIENCE {
                let page: String = self.eval("document.body.innerText").await;
                panic!("never happened: {what}\nat {}\n{page}", self.location().await);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A command of the Chrome DevTools Protocol.
    pub(crate) async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let answer = self.driver.cdp().send_raw(command, parameters).await;
        answer.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// A desktop's window of so many pixels.
    pub(crate) async fn set_window_size(&self, width: u32, height: u32) {
        self.emulate_screen(width, height, 1, false).await;
    }

    /// A screen of so many pixels, each of `density` times as many dots; a phone's when `mobile`.
    pub(crate) async fn emulate_screen(&self, width: u32, height: u32, density: u32, mobile: bool) {
        let screen = json!({ "width": width, "height": height, "deviceScaleFactor": density, "mobile": mobile });
        self.devtools("Emulation.setDeviceMetricsOverride", screen).await;
    }

    /// Opens another tab and turns to it; gives the tab that was left.
    pub(crate) async fn new_tab(&self) -> WindowHandle {
        let left = self.driver.window().await.unwrap();
        let tab = self.driver.new_tab().await.unwrap();
        self.switch_to_tab(&tab).await;
        left
    }

    /// Turns to a tab, so that it is the one in front.
    pub(crate) async fn switch_to_tab(&self, tab: &WindowHandle) {
        self.driver.switch_to_window(tab.clone()).await.unwrap();
        self.devtools("Page.bringToFront", json!({})).await;
    }

    /// What the browser has complained of since last asked: errors, refusals of the content policy, lost files.
    pub(crate) async fn console_errors(&self) -> Vec<String> {
        let log = self.driver.browser_log().await.unwrap();
        log.into_iter().filter(|entry| entry.level != "INFO").map(|entry| entry.message).collect()
    }
}

/// Keeps no connection: when a test ends, the browser is quit from another thread, which could not use one.
fn client() -> reqwest::Client {
    reqwest::Client::builder().pool_max_idle_per_host(0).timeout(6 * PATIENCE).build().unwrap()
}

fn capabilities(profile: &TempDir, script: bool) -> WebDriverResult<ChromeCapabilities> {
    let mut wishes = DesiredCapabilities::chrome();
    wishes.set_binary(&programs::chromium())?;
    for flag in FLAGS {
        wishes.add_arg(flag)?;
    }
    wishes.add_arg(&format!("--user-data-dir={}", profile.path().display()))?;
    wishes.set_browser_log_level(LoggingPrefsLogLevel::All)?;
    if !script {
        wishes.add_experimental_option("prefs", json!({ "profile.managed_default_content_settings.javascript": 2 }))?;
    }
    Ok(wishes)
}
