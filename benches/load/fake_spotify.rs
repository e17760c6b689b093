//! The fake Spotify of the demo and the tests, on a port of its own.

use std::time::Duration;

use ::fake_spotify::{Endpoint, Fault, Owner, Playlist, Settings, User};
use anyhow::Result;
use tokio::net::TcpListener;
use url::Url;

pub(crate) const CLIENT_ID: &str = "heartlist-load";
pub(crate) const CLIENT_SECRET: &str = "a-client-secret-for-measuring-alone";

/// How many playlists each library has: two pages.
pub(crate) const LIBRARY: usize = 100;
/// The first of the playlists that all libraries share, so that there are popular ones.
pub(crate) const FIRST_SHARED: usize = LIBRARY / 2;

/// The server. It ends with the harness.
pub(crate) struct FakeSpotify {
    server: ::fake_spotify::FakeSpotify,
    /// Its address without a slash at the end.
    pub(crate) base: String,
}

impl FakeSpotify {
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let server = ::fake_spotify::FakeSpotify::new(Settings {
            base_url: Url::parse(&base)?,
            app_name: "Heartlist".into(),
            client_id: CLIENT_ID.into(),
            client_secret: CLIENT_SECRET.into(),
            redirect_uris: vec!["http://127.0.0.1/auth/spotify/callback".into()],
            other_clients: Vec::new(),
        });
        let router = ::fake_spotify::router(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { server, base })
    }

    /// Adds a person with a library of [`LIBRARY`] playlists. Returns the playlists' ids and names in order.
    pub(crate) fn add_person(&self, key: &str) -> Vec<(String, String)> {
        let mut person = User::with_library(key, LIBRARY);
        let owner = Owner { id: "shared.test".into(), display_name: Some("The Sharing Society".into()) };
        for (position, playlist) in person.library.iter_mut().enumerate().skip(FIRST_SHARED) {
            let name = playlist.as_ref().map_or("", |playlist| &playlist.name);
            *playlist = Some(Playlist::new(&format!("shared {position}"), name, &owner));
        }
        let playlists = person.playlists().into_iter().map(|playlist| (playlist.id.clone(), playlist.name.clone()));
        let playlists = playlists.collect();
        self.server.add_user(person);
        playlists
    }

    /// Changes every tenth playlist of a person's library.
    pub(crate) fn change_playlists(&self, key: &str) {
        self.server.update_user(key, |person| {
            person.library.iter_mut().step_by(10).flatten().for_each(|playlist| playlist.revision += 1);
        });
    }

    /// Delays every list of playlists.
    pub(crate) fn delay_lists(&self, delay: Duration) {
        self.server.inject_fault(Endpoint::MyPlaylists, Fault::Slow(delay), u32::MAX);
    }

    /// Ends the delay.
    pub(crate) fn end_delay(&self) {
        self.server.reset();
    }
}
