//! Each kind of Spotify fault in turn, while users view pages and add hearts.

use std::time::Duration;

use fake_spotify::{Endpoint, Fault};
use futures_util::future::join_all;
use futures_util::stream::{StreamExt as _, iter};
use reqwest::Method;

use crate::support::Site;

/// Pages that are requested at once. With more, they wait too long for a connection on a very busy machine.
const AT_ONCE: usize = 12;

fn all_faults() -> Vec<Fault> {
    let json = |body: &str| Fault::Status(200, body.to_owned(), "application/json");
    vec![
        Fault::Html502,
        Fault::Hang,
        Fault::Slow(Duration::from_millis(200)),
        Fault::Truncated,
        Fault::CutOff,
        Fault::Empty,
        Fault::NotJson,
        Fault::Unauthorized,
        Fault::Redirect("https://evil.example/".into()),
        Fault::Status(500, r#"{"error":{"status":500,"message":"Server error."}}"#.into(), "application/json"),
        Fault::Status(503, String::new(), "text/plain"),
        Fault::Status(403, "The user is not registered for this application.".into(), "text/plain"),
        Fault::Status(418, "short and stout".into(), "text/plain"),
        json("{}"),
        json("[]"),
        json("null"),
        json(r#"{"items":"many","total":-1,"next":7}"#),
        json(r#"{"items":[null,7,{"id":"short"},[]],"total":1e99,"next":"x"}"#),
        json(&format!("{}{}", "[".repeat(50_000), "]".repeat(50_000))),
        json(&"x".repeat(6_000_000)),
    ]
}

#[tokio::test]
async fn every_spotify_fault_leaves_pages_and_hearts_working() {
    for fault in all_faults() {
        let site = Site::open().await;
        let ada = site.sign_in("ada").await;
        let id = ada.open("/playlists").await.playlist_ids().remove(0);
        site.advance(Duration::from_secs(11 * 60));
        for endpoint in [Endpoint::MyPlaylists, Endpoint::Playlist, Endpoint::Items] {
            site.spotify.inject_fault(endpoint, fault.clone(), 10_000);
        }
        let paths = ["/playlists".to_owned(), format!("/playlists/{id}"), "/hearts".into(), "/account".into()];
        let views = (0..24).map(|n| {
            let (ada, path) = (&ada, &paths[n % 4]);
            async move { ada.get(path).await }
        });
        let path = format!("/heart/{id}");
        let (views, heart) =
            tokio::join!(iter(views).buffered(AT_ONCE).collect::<Vec<_>>(), ada.fetch(Method::PUT, &path));
        assert_eq!(heart.status, 200, "{fault:?}");
        for view in views {
            let kept = view.status == 200 && view.has("h1");
            assert!(kept, "{fault:?} {} {}: {}", view.url, view.status, view.html);
        }
    }
}

#[tokio::test]
async fn spotify_fault_on_first_view_is_never_a_500() {
    let views = all_faults().into_iter().map(|fault| async move {
        let site = Site::open().await;
        for endpoint in [Endpoint::MyPlaylists, Endpoint::Playlist] {
            site.spotify.inject_fault(endpoint, fault.clone(), 10_000);
        }
        let ada = site.visitor();
        let page = ada.sign_in("ada").await;
        let expected: &[u16] = match &fault {
            Fault::Slow(_) => &[200],
            Fault::Hang => &[504],
            Fault::Unauthorized => &[409],
            Fault::Status(403, ..) => &[403],
            _ => &[502],
        };
        assert!(expected.contains(&page.status), "{fault:?} {}: {}", page.status, page.html);
        assert!(page.has("nav a[href='/hearts']") && ada.open("/hearts").await.status == 200);
        // No retry is offered before Spotify's Retry-After has passed.
        let may_help = page.status >= 500 && page.header("retry-after").is_empty();
        assert_eq!(
            page.status != 200 && page.has("main a.button[href='/playlists']"),
            may_help,
            "{fault:?}: {}",
            page.html
        );
    });
    join_all(views).await;
}
