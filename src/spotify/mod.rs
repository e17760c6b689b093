//! Spotify's Web API: a function for each endpoint we use. Only safe reads; nothing here writes.
//!
//! Facts: Spotify's reference and its changes of February 2026, read in autumn 2026. Answers come in two
//! regimes (`items` or `tracks`), with nulls and gaps; [`wire`] forgives what it can.

mod error;
pub mod wire;

use std::time::Duration;

use backon::{ConstantBuilder, Retryable};
use reqwest::redirect::Policy;
use serde::de::DeserializeOwned;
use url::Url;

use crate::ids::{PlaylistId, Secret};

pub use error::Error;
use wire::{CurrentlyPlaying, Me, Page, Playlist, Row};

/// How long Spotify may take for one answer. A visitor waits for it.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long to wait, at least, before the second try.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest answer that is read, in bytes.
const LONGEST: usize = 5 * 1024 * 1024;
/// Spotify's answers.
pub type Result<T> = std::result::Result<T, Error>;

/// How many entries one request may ask for; Spotify refuses more.
pub const PAGE: usize = 50;

/// Spotify's Web API at one base address.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
}

impl Client {
    /// A client for the API at `base`, such as `https://api.spotify.com/v1`.
    pub fn new(base: Url) -> Self {
        let agent = concat!("heartlist/", env!("CARGO_PKG_VERSION"));
        let client = reqwest::Client::builder()
            .user_agent(agent)
            .redirect(Policy::none())
            .connect_timeout(Duration::from_secs(3))
            .timeout(PATIENCE)
            .build();
        Self {
            http: client.expect("TLS can begin: it is installed at the start, and the system has ca-certificates"),
            base,
        }
    }

    /// Who the token belongs to.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a person who is not on the app's list of users.
    pub async fn me(&self, token: &Secret) -> Result<Me> {
        self.get(token, &["me"], &[]).await
    }

    /// A stretch of the person's playlists, owned and followed, in their own order; at most [`PAGE`].
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn my_playlists(&self, token: &Secret, offset: usize) -> Result<Page<Playlist>> {
        self.get(token, &["me", "playlists"], &stretch(offset)).await.and_then(listed)
    }

    /// One playlist, with its first items for its owner and collaborators.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a playlist that is gone, secret, or made by Spotify itself.
    pub async fn playlist(&self, token: &Secret, id: &PlaylistId) -> Result<Playlist> {
        self.get(token, &["playlists", id.as_str()], &[]).await
    }

    /// A stretch of a playlist's items; at most [`PAGE`].
    ///
    /// # Errors
    /// [`Error::Forbidden`] for who neither owns the playlist nor works on it.
    pub async fn items(&self, token: &Secret, id: &PlaylistId, offset: usize) -> Result<Page<Row>> {
        self.get(token, &["playlists", id.as_str(), "items"], &stretch(offset)).await.and_then(listed)
    }

    /// What the person plays now; none: nothing.
    ///
    /// # Errors
    /// [`Error::Forbidden`] without the scope `user-read-currently-playing`.
    pub async fn currently_playing(&self, token: &Secret) -> Result<Option<CurrentlyPlaying>> {
        // Without this, a podcast's episode comes as a null.
        let kinds = [("additional_types", "track,episode".to_owned())];
        self.get(token, &["me", "player", "currently-playing"], &kinds).await
    }

    /// Asks, and once more when the connection broke or Spotify stumbled: these are all safe reads.
    async fn get<T: DeserializeOwned>(&self, token: &Secret, path: &[&str], query: &[(&str, String)]) -> Result<T> {
        let once = ConstantBuilder::default().with_delay(PAUSE).with_max_times(1).with_jitter();
        let asked = (|| self.get_once(token, path, query)).retry(once).when(Error::may_pass);
        tokio::time::timeout(PATIENCE, asked).await.unwrap_or(Err(Error::TimedOut))
    }

    async fn get_once<T: DeserializeOwned>(
        &self,
        token: &Secret,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<T> {
        let mut url = self.base.clone();
        url.path_segments_mut().expect("the base is an http address").pop_if_empty().extend(path);
        let mut answer = self.http.get(url).query(query).bearer_auth(token.expose()).send().await?;
        let status = answer.status().as_u16();
        let wait = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > LONGEST {
                return Err(Error::Unreadable("an answer of more than 5 MB".into()));
            }
        }
        match status {
            200 => wire::read(&body),
            // No content: what could be something is nothing.
            204 => wire::read(b"null"),
            _ => Err(Error::of(status, wait, &body)),
        }
    }
}

/// A list that is none must not pass for an empty one: somebody's whole library would seem gone.
fn listed<T>(page: Page<T>) -> Result<Page<T>> {
    if page.items.is_some() { Ok(page) } else { Err(Error::Unreadable("a list without a list".into())) }
}

fn stretch(offset: usize) -> [(&'static str, String); 2] {
    [("limit", PAGE.to_string()), ("offset", offset.to_string())]
}
