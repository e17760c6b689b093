//! Filters above the lists, and the completion of tags.

use std::time::Duration;

use thirtyfour::Key;

use super::open_as_ada_with_heart;
use crate::support::Site;

#[tokio::test]
async fn filters_follow_what_is_typed_and_scroll_in_their_line() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    browser.emulate_screen(360, 780, 2, true).await;
    browser.go("/hearts").await;
    let widths = "(f => [f.scrollWidth > f.clientWidth, f.getBoundingClientRect().height < 60, \
        document.documentElement.scrollWidth])(document.querySelector('.filters'))";
    assert_eq!(
        browser.eval::<(bool, bool, u32)>(widths).await,
        (true, true, 360),
        "one line, and the page is no wider"
    );
    browser.type_text("#q", "is:untagged").await;
    browser.wait_for_text(".filters [aria-current]", "Untagged").await;
    assert!(browser.eval::<bool>("document.activeElement === q").await, "the field keeps the focus");
    browser.click(".filters [aria-current]").await;
    browser.wait_for_location("/hearts").await;
    assert!(!browser.eval::<bool>("!!document.querySelector('.filters [aria-current]')").await);
}

#[tokio::test]
async fn tags_are_completed_after_a_comma() {
    let site = Site::open().await;
    let browser = open_as_ada_with_heart(&site).await;
    let other = "insert into user_hearts (user_id, playlist_id, hearted_at, tags, tags_folded)
                 values (1, repeat('A', 22), '2020-01-01', '{rain,sea,雪}', '{rain,sea,雪}')";
    sqlx::query(other).execute(&site.db).await.unwrap();
    sqlx::query("update user_hearts set tags = '{x}', tags_folded = '{x}' where tags = '{}'")
        .execute(&site.db)
        .await
        .unwrap();
    site.advance(Duration::from_secs(310)); // tags are suggested as they were within five minutes
    browser.go("/hearts").await;
    browser.click(".edit-link").await;
    let field = browser.find(".annotation [name=tags]").await;
    let options = async || {
        let values = "[...document.querySelector('.annotation [name=tags]').list.options].filter(o => !o.disabled).map(o => o.value)";
        browser.eval::<Vec<String>>(values).await
    };
    field.click().await.unwrap();
    assert_eq!(options().await, ["x, rain", "x, sea", "x, 雪"]);
    for (typed, completed) in [
        (" y", &["rain", "sea", "雪"][..]),
        (",r", &["x y,rain", "x y,sea", "x y,雪"]),
        ("ain、s", &["x y,rain、sea", "x y,rain、雪"]),
        ("ea، ", &["x y,rain、sea، 雪"]),
    ] {
        browser.press_key(Key::End).await;
        field.send_keys(typed).await.unwrap();
        assert_eq!(options().await, completed, "{typed}");
    }
}
