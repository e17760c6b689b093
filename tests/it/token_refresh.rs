//! Refreshing of access tokens, and the end of the consent.

use std::time::Duration;

use fake_spotify::{Endpoint, Fault};
use futures_util::future::join_all;
use heartlist::db::sessions::{lease, load_value, replace_value};
use heartlist::ids::{Secret, TokenHash};
use heartlist::vault::Vault;
use serde_json::Value;

use crate::support::visitor::approve;
use crate::support::{SESSION_SECRET, Site};

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test]
async fn single_use_refresh_tokens_survive_fifty_expiries() {
    let mut site = Site::open().await;
    site.spotify.update_switches(|switches| switches.rotate_refresh_tokens = true);
    let ada = site.sign_in("ada").await;
    let page = ada.open("/now-playing").await;
    ada.submit(approve(&ada.submit(page.form("main form")).await, "ada")).await;
    let second = site.start_second_process().await;
    let bought = site.spotify.request_count(Endpoint::Token);
    let requests = site.spotify.request_count(Endpoint::CurrentlyPlaying);
    for expiry in 1..=50 {
        site.advance(Duration::from_secs(3601));
        let requests = (0..20).map(|n| {
            let address = if n % 2 == 0 { "/now-playing".to_owned() } else { format!("{second}/now-playing") };
            let ada = &ada;
            async move { ada.get(&address).await }
        });
        for page in join_all(requests).await {
            assert!(page.status == 200 && page.html.contains("Nothing is playing"), "{expiry}: {}", page.html);
        }
        assert_eq!(site.spotify.request_count(Endpoint::Token) - bought, expiry);
    }
    assert_eq!(site.spotify.request_count(Endpoint::CurrentlyPlaying) - requests, 1000);
    let account = ada.open("/account").await;
    assert!(account.status == 200 && account.text("main").contains("will ask for your consent again"));
    assert_eq!(site.count("select count(*) from sessions where user_id is not null").await, 1);
}

/// Spotify has voided the old refresh token by then.
#[tokio::test]
async fn renewed_token_survives_a_database_that_fails_once() {
    let site = Site::open().await;
    site.spotify.update_switches(|switches| switches.rotate_refresh_tokens = true);
    let ada = site.sign_in("ada").await;
    let page = ada.open("/now-playing").await;
    ada.submit(approve(&ada.submit(page.form("main form")).await, "ada")).await;
    let fail = "create sequence failures;
        create function fail_once() returns trigger language plpgsql as $$ begin
            if nextval('failures') = 1 then raise sqlstate '57P01'; end if;
            return new;
        end $$;
        create trigger fail_once before update on sessions for each row
        when (old.leased_until is not null and new.leased_until is null) execute function fail_once()";
    sqlx::raw_sql(fail).execute(&site.db).await.unwrap();
    for _ in 0..2 {
        site.advance(Duration::from_secs(3601));
        let page = ada.open("/now-playing").await;
        assert!(page.status == 200 && page.html.contains("Nothing is playing"), "{}", page.html);
    }
    assert!(site.count("select last_value from failures").await > 1);
}

#[tokio::test]
async fn loose_answers_to_refresh_are_read() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let loose: [fn(&mut Value); 4] = [
        |token| token["expires_in"] = "3600".into(),
        |token| token["expires_in"] = 1e300.into(),
        |token| drop(token.as_object_mut().unwrap().remove("token_type")),
        |token| token["scope"] = serde_json::json!(["playlist-read-private", "playlist-read-collaborative"]),
    ];
    for (at, change) in loose.into_iter().enumerate() {
        site.advance(DAY);
        site.spotify.inject_fault(Endpoint::Token, Fault::Rewritten(change), 1);
        let page = ada.open("/playlists").await;
        assert!(page.status == 200 && !page.has("[role=alert]"), "{at}: {}", page.text("main"));
    }
}

/// A token whose lifetime is not said is refreshed after minutes, not after the hour of most tokens.
#[tokio::test]
async fn missing_token_lifetime_counts_as_short() {
    let site = Site::open().await;
    let missing: [fn(&mut Value); 3] = [
        |token| drop(token.as_object_mut().unwrap().remove("expires_in")),
        |token| token["expires_in"] = "soon".into(),
        |token| token["expires_in"] = 0.into(),
    ];
    for change in missing {
        site.spotify.inject_fault(Endpoint::Token, Fault::Rewritten(change), 1);
        let ada = site.sign_in("ada").await;
        let bought = site.spotify.request_count(Endpoint::Token);
        ada.open("/playlists").await;
        assert_eq!(site.spotify.request_count(Endpoint::Token), bought, "it lives for a while");
        site.advance(Duration::from_secs(11 * 60));
        ada.open("/playlists").await;
        assert_eq!(site.spotify.request_count(Endpoint::Token), bought + 1);
    }
}

#[tokio::test]
async fn expiring_consent_is_announced_two_weeks_ahead() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let form = "main form:has(input[value=renew-consent])";
    site.advance(DAY * 167);
    assert!(!ada.open("/playlists").await.has(form));
    site.advance(DAY * 2);
    let page = ada.open("/playlists").await;
    let day = ada.open("/account").await.text("section[aria-labelledby=identities] > p > time");
    let text = page.text(&format!("{form} p"));
    assert!(day.starts_with(&page.text(&format!("{form} time"))[..4]), "{day} {text}");
    assert!(text.starts_with("Spotify will ask for your consent again on ") && text.ends_with(". You can do it now."));
    assert!(!page.has("[role=alert]"), "it is quiet");

    let consent = ada.submit(page.form(form)).await;
    let back = ada.submit(approve(&consent, "ada")).await;
    assert_eq!((back.url.path(), back.has(form)), ("/playlists", false));
    assert_eq!(back.flash().unwrap(), "Spotify is connected again.");
    site.advance(DAY * 100);
    let page = ada.open("/playlists").await;
    assert!(page.count("li.card") == 12 && !page.has(form) && !page.has("[role=alert]"));
}

#[tokio::test]
async fn consent_past_its_expiry_date_ends_any_day_now() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    ada.open("/playlists").await;
    // The last access token is issued just before the consent ends.
    site.advance(DAY * 182 - Duration::from_secs(600));
    ada.open("/playlists").await;
    site.advance(Duration::from_secs(900));
    let page = ada.open("/playlists").await;
    assert!(page.text("main").contains("consent again any day now"), "{}", page.text("main"));
}

/// The provider answers after the lease has ended: another process has refreshed the token meanwhile, and the late
/// error must not delete it.
#[tokio::test]
async fn refresh_that_lost_its_lease_changes_nothing() {
    let site = Site::open().await;
    site.sign_in("ada").await;
    let key: Vec<u8> =
        sqlx::query_scalar("select id_hash from sessions where user_id is not null").fetch_one(&site.db).await.unwrap();
    let (key, vault) = (TokenHash(key.try_into().unwrap()), Vault::new(&Secret::new(SESSION_SECRET)));
    let (begun, pool) = (time::OffsetDateTime::UNIX_EPOCH, site.pool(1));
    let (slow, next) = (begun + Duration::from_secs(20), begun + Duration::from_secs(40));
    let lease = async |until, now| lease::<Value>(&pool, &vault, (key, until), "grant", now).await.unwrap();
    let grant = async || load_value::<Value>(&pool, &vault, key, "grant").await.unwrap().unwrap().value;
    assert!(lease(slow, begun).await.unwrap().value.is_some(), "the lease shows what it is for");
    assert!(lease(next, begun).await.is_none(), "one at a time");
    assert_eq!(lease(next, slow).await.unwrap().value, grant().await, "and the next when the time is over");

    let late = replace_value::<Value>(&pool, &vault, (key, slow), "grant", None).await.unwrap();
    assert!(!late && grant().await.is_some());
    let new = serde_json::json!("new");
    assert!(replace_value(&pool, &vault, (key, next), "grant", Some(&new)).await.unwrap());
    assert_eq!(grant().await, Some(new));
}
