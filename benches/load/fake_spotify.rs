//! The fake Spotify of the demo and the tests, on its own port.

use std::time::Duration;

use ::fake_spotify::{Endpoint, Fault, Owner, Playlist, Settings, User};
use anyhow::Result;
use tokio::net::TcpListener;
use url::Url;

pub(crate) const CLIENT_ID: &str = "heartlist-load";
pub(crate) const CLIENT_SECRET: &str = "a-client-secret-for-measuring-alone";

/// Playlists in each library: two pages.
pub(crate) const LIBRARY_SIZE: usize = 100;
/// Position of the first playlist that all libraries share. Shared ones become popular.
pub(crate) const FIRST_SHARED: usize = LIBRARY_SIZE / 2;

/// A running server. It ends with the harness.
pub(crate) struct FakeSpotify {
    server: ::fake_spotify::FakeSpotify,
    /// Its address without a trailing slash.
    pub(crate) base_url: String,
}

impl FakeSpotify {
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let server = ::fake_spotify::FakeSpotify::new(Settings {
            base_url: Url::parse(&base_url)?,
            app_name: "Heartlist".into(),
            client_id: CLIENT_ID.into(),
            client_secret: CLIENT_SECRET.into(),
            redirect_uris: vec!["http://127.0.0.1/auth/spotify/callback".into()],
            other_clients: Vec::new(),
        });
        let router = ::fake_spotify::router(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { server, base_url })
    }

    /// Adds a user with a library of [`LIBRARY_SIZE`] playlists. Returns the playlists' ids and names in order.
    pub(crate) fn add_user(&self, key: &str) -> Vec<(String, String)> {
        let mut user = User::with_library(key, LIBRARY_SIZE);
        let owner = Owner { id: "shared.test".into(), display_name: Some("The Sharing Society".into()) };
        for (position, playlist) in user.library.iter_mut().enumerate().skip(FIRST_SHARED) {
            let name = playlist.as_ref().map_or("", |playlist| &playlist.name);
            *playlist = Some(Playlist::new(&format!("shared {position}"), name, &owner));
        }
        let playlists = user.playlists().into_iter().map(|playlist| (playlist.id.clone(), playlist.name.clone()));
        let playlists = playlists.collect();
        self.server.add_user(user);
        playlists
    }

    /// Changes every tenth playlist of a user's library.
    pub(crate) fn change_playlists(&self, key: &str) {
        self.server.update_user(key, |user| {
            user.library.iter_mut().step_by(10).flatten().for_each(|playlist| playlist.revision += 1);
        });
    }

    /// Delays every page of a library until [`Self::end_delay`].
    pub(crate) fn delay_lists(&self, delay: Duration) {
        self.server.inject_fault(Endpoint::MyPlaylists, Fault::Slow(delay), u32::MAX);
    }

    pub(crate) fn end_delay(&self) {
        self.server.reset();
    }
}
