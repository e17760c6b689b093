//! Buttons that are pressed again before the answer has come.

use sqlx::Executor as _;
use thirtyfour::Key;

use super::{open_as_ada, open_as_ada_with_heart};
use crate::support::Site;
use crate::support::browser::Browser;
use crate::support::rows::SIXTY_HEARTS;

/// Collects whether each form is sent, and sends none, so that the page stays. Collects the timers of forms that were
/// sent, too.
const COLLECT_SUBMITS: &str = "window.submits = [], window.releases = [], window.real_timer = setTimeout, \
    window.setTimeout = (act, after) => after === RESEND_TIME ? releases.push(act) : real_timer(act, after), \
    void addEventListener('submit', (event) => { submits.push(!event.defaultPrevented); event.preventDefault(); })";

/// Keeps lists of hearts waiting, but no change of them.
const SLOW_LISTS: &str = "begin; lock table playlists in access exclusive mode; select pg_sleep(2); commit";

/// Presses a button and returns whether its form is sent.
async fn is_sent(browser: &Browser, button: &str) -> bool {
    browser.eval::<()>(&format!("void document.querySelector(\"{button}\").click()")).await;
    browser.eval("submits.at(-1)").await
}

#[tokio::test]
async fn second_press_removes_hearts_once_and_keeps_their_undo() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    site.db.execute(SIXTY_HEARTS).await.unwrap();
    browser.go("/hearts?select=1").await;
    browser.click(".select-all").await;
    let press = "document.querySelector('#bulk [value=remove]').click()";
    let press_twice = format!("setTimeout(() => {press}, 200); setTimeout(() => {press}, 1000)");
    browser.run_script(&press_twice).await;
    sqlx::raw_sql(SLOW_LISTS).execute(&site.db).await.unwrap();
    browser.wait_for_text("main [role=status]", "50 hearts removed.").await;
    browser.click(".flash button").await;
    browser.wait_for_text("main [role=status]", "Undone for 50 hearts.").await;
    assert_eq!(site.count_hearts().await, 60);
    assert_eq!(browser.console_errors().await, [""; 0]);
}

#[tokio::test]
async fn form_is_sent_once_until_it_is_answered_or_fails() {
    let site = Site::open().await;
    let browser = open_as_ada(&site).await;
    site.db.execute(SIXTY_HEARTS).await.unwrap();
    site.db.execute("update user_hearts set removed_at = now()").await.unwrap();
    browser.go("/hearts/removed").await;
    browser.eval::<()>(COLLECT_SUBMITS).await;
    let restore = "li:first-child [value=restore]";
    assert!(is_sent(&browser, restore).await);
    assert!(!is_sent(&browser, restore).await);
    assert!(is_sent(&browser, "li:last-child [value=restore]").await, "another button");
    for page_stays in [
        "navigation.dispatchEvent(new Event('navigateerror'))",
        "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))",
        "releases.forEach((release) => release())",
    ] {
        assert!(is_sent(&browser, restore).await, "{page_stays}");
        assert!(!is_sent(&browser, restore).await, "{page_stays}");
        browser.eval::<()>(&format!("void {page_stays}")).await;
    }
    for (theme, expected) in [("dark", true), ("dark", false), ("light", true)] {
        assert_eq!(is_sent(&browser, &format!(".theme [value={theme}]")).await, expected, "{theme}");
    }
}

#[tokio::test]
async fn export_is_sent_each_time_and_refused_press_does_not_count() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    browser.go("/hearts?select=1").await;
    browser.eval::<()>(COLLECT_SUBMITS).await;
    let remove = "#bulk [value=remove]";
    assert!(!is_sent(&browser, remove).await, "nothing is selected");
    browser.click(".card:first-child > input").await;
    for (button, expected) in
        [("#bulk [value=export-csv]", true), ("#bulk [value=export-csv]", true), (remove, true), (remove, false)]
    {
        assert_eq!(is_sent(&browser, button).await, expected, "{button}");
    }
}

#[tokio::test]
async fn note_is_saved_once_however_long_enter_is_held() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    browser.go("/hearts").await;
    browser.click(".card:first-child .edit-link").await;
    browser.eval::<()>(COLLECT_SUBMITS).await;
    browser.type_text(".annotation [name=note]", "Mine").await;
    browser.press_key(Key::Enter).await;
    browser.press_key(Key::Enter).await;
    assert!(!is_sent(&browser, ".annotation form button").await, "the button for the same");
    assert_eq!(browser.eval::<Vec<bool>>("submits").await, [true, false, false]);
    browser.eval::<()>("void (document.querySelector('.annotation [name=note]').value = '')").await;
}
