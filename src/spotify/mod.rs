//! Client for Spotify's Web API: a method for each endpoint. All but one are reads.
//!
//! Written against Spotify's reference and its changes of February 2026. Responses use either `items` or `tracks`,
//! with nulls and gaps; [`wire`] parses them leniently.

mod error;
pub mod pictures;
pub mod wire;

use std::fmt::Display;
use std::time::Duration;

use backon::{ConstantBuilder, Retryable};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use url::Url;

use crate::ids::{PlaylistId, Secret};

pub use error::Error;
use pictures::PictureHosts;
use wire::{CurrentlyPlaying, Embed, Me, Page, Playlist, PlaylistItem};

const HTTP_TIMEOUT: Duration = Duration::from_secs(8);
/// Short, because the form that adds hearts by link waits for it, and needs only the name.
const OEMBED_TIMEOUT: Duration = Duration::from_secs(3);
/// Minimum delay before the retry; jitter is added.
const RETRY_DELAY: Duration = Duration::from_millis(100);
const MAX_RESPONSE_BYTES: usize = 5 * 1024 * 1024;
pub type Result<T> = std::result::Result<T, Error>;

/// Spotify's maximum page size.
pub const PAGE_SIZE: usize = 50;

/// Returns the address of a playlist for people.
pub fn playlist_url(id: impl Display) -> String {
    format!("https://open.spotify.com/playlist/{id}")
}

#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    pub pictures: PictureHosts,
}

impl Client {
    /// `base` is, for example, `https://api.spotify.com/v1`.
    pub fn new(base: Url) -> Self {
        let agent = concat!("heartlist/", env!("CARGO_PKG_VERSION"));
        let client = reqwest::Client::builder()
            .user_agent(agent)
            .redirect(Policy::none())
            .connect_timeout(Duration::from_secs(3))
            .timeout(HTTP_TIMEOUT)
            .build();
        let http = client.expect("TLS is installed at the start, and the system has CA certificates");
        Self { http, pictures: PictureHosts::new(&base), base }
    }

    /// Returns the token's user.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if the user is not on the app's list of users.
    pub async fn me(&self, token: &Secret) -> Result<Me> {
        self.get(token, &["me"], &[]).await
    }

    /// Returns up to [`PAGE_SIZE`] of the user's playlists, owned and followed, in the user's own order.
    pub async fn my_playlists(&self, token: &Secret, offset: usize) -> Result<Page<Playlist>> {
        self.get(token, &["me", "playlists"], &page_query(offset)).await.and_then(require_items)
    }

    /// Returns a playlist; its owner and collaborators also get its first items.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is deleted, private, or made by Spotify itself.
    pub async fn playlist(&self, token: &Secret, id: &PlaylistId) -> Result<Playlist> {
        self.get(token, &["playlists", id.as_str()], &[]).await
    }

    /// Returns up to [`PAGE_SIZE`] items of a playlist.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if the user neither owns the playlist nor collaborates on it.
    pub async fn items(&self, token: &Secret, id: &PlaylistId, offset: usize) -> Result<Page<PlaylistItem>> {
        self.get(token, &["playlists", id.as_str(), "items"], &page_query(offset)).await.and_then(require_items)
    }

    /// Returns what the user is playing; `None` if nothing is.
    ///
    /// # Errors
    /// [`Error::Forbidden`] without the scope `user-read-currently-playing`.
    pub async fn currently_playing(&self, token: &Secret) -> Result<Option<CurrentlyPlaying>> {
        // Without this, Spotify returns episodes as null.
        let kinds = [("additional_types", "track,episode".to_owned())];
        self.get(token, &["me", "player", "currently-playing"], &kinds).await
    }

    /// Returns what Spotify's oEmbed service at `endpoint` knows of a playlist. Needs no token.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not public.
    pub async fn embed(&self, endpoint: &Url, id: &PlaylistId) -> Result<Embed> {
        let query = [("url", playlist_url(id))];
        let response = send(self.http.get(endpoint.clone()).query(&query));
        let body = tokio::time::timeout(OEMBED_TIMEOUT, response).await.unwrap_or(Err(Error::TimedOut))?;
        wire::parse(&body)
    }

    /// Saves a playlist in the user's library, which follows it. `uris` is a query parameter: Spotify answers 400 to a
    /// body, although its migration guide shows one.
    ///
    /// # Errors
    /// [`Error::Forbidden`] without the scopes; [`Error::NotFound`] if Spotify does not show the playlist.
    pub async fn save_to_library(&self, token: &Secret, id: &PlaylistId) -> Result<()> {
        let uris = [("uris", format!("spotify:playlist:{id}"))];
        retry_once(|| send(self.request(Method::PUT, token, &["me", "library"], &uris))).await.map(drop)
    }

    async fn get<T: DeserializeOwned>(&self, token: &Secret, path: &[&str], query: &[(&str, String)]) -> Result<T> {
        wire::parse(&retry_once(|| send(self.request(Method::GET, token, path, query))).await?)
    }

    fn request(&self, method: Method, token: &Secret, path: &[&str], query: &[(&str, String)]) -> RequestBuilder {
        let mut url = self.base.clone();
        url.path_segments_mut().expect("the base is an http URL").pop_if_empty().extend(path);
        self.http.request(method, url).query(query).bearer_auth(token.expose())
    }
}

/// Retries once if the connection broke or Spotify had an internal error, which is safe because all requests are
/// idempotent.
async fn retry_once<T, F: Future<Output = Result<T>>>(call: impl Fn() -> F) -> Result<T> {
    let once = ConstantBuilder::default().with_delay(RETRY_DELAY).with_max_times(1).with_jitter();
    let response = call.retry(once).when(Error::is_transient);
    tokio::time::timeout(HTTP_TIMEOUT, response).await.unwrap_or(Err(Error::TimedOut))
}

/// Returns the body of a successful response.
async fn send(request: RequestBuilder) -> Result<Vec<u8>> {
    let mut response = request.send().await?;
    let status = response.status().as_u16();
    let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_RESPONSE_BYTES {
            return Err(Error::InvalidResponse("more than 5 MB".into()));
        }
    }
    match status {
        200 => Ok(body),
        204 => Ok(b"null".to_vec()),
        _ => Err(Error::from_response(status, retry_after, &body)),
    }
}

/// Spotify sometimes omits `items`. Treat that as an error: read as an empty list it would wipe the library.
fn require_items<T>(page: Page<T>) -> Result<Page<T>> {
    if page.items.is_some() { Ok(page) } else { Err(Error::InvalidResponse("a list without items".into())) }
}

fn page_query(offset: usize) -> [(&'static str, String); 2] {
    [("limit", PAGE_SIZE.to_string()), ("offset", offset.to_string())]
}
