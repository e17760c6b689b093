//! The made-up Spotify of the demo and the tests, on a port of its own.

use std::time::Duration;

use anyhow::Result;
use heartlist::standin::{self, Endpoint, Fault, Listener, Settings, World};
use tokio::net::TcpListener;
use url::Url;

pub(crate) const CLIENT_ID: &str = "heartlist-load";
pub(crate) const CLIENT_SECRET: &str = "a-client-secret-for-measuring-alone";

/// A made-up Spotify that ends with the harness.
pub(crate) struct Standin {
    world: World,
    /// Where it is, no slash at the end.
    pub(crate) base: String,
}

impl Standin {
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let world = World::new(Settings {
            base: Url::parse(&base)?,
            client_id: CLIENT_ID.into(),
            client_secret: CLIENT_SECRET.into(),
            redirect_uris: vec!["http://127.0.0.1/auth/spotify/callback".into()],
            elsewhere: Vec::new(),
        });
        let router = standin::router(world.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { world, base })
    }

    /// Lets somebody with so many playlists move in, and gives the playlists' ids in order.
    pub(crate) fn add(&self, key: &str, playlists: usize) -> Vec<String> {
        let listener = Listener::with_library(key, playlists);
        let ids = listener.playlists().into_iter().map(|playlist| playlist.id.clone()).collect();
        self.world.add_listener(listener);
        ids
    }

    /// Lets every list of playlists take so long.
    pub(crate) fn slow(&self, wait: Duration) {
        self.world.fault(Endpoint::MyPlaylists, Fault::Slow(wait), u32::MAX);
    }

    /// Answers at once again.
    pub(crate) fn mend(&self) {
        self.world.mend();
    }
}
