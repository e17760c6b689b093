//! What all pages share.

use std::sync::Arc;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};
use time::OffsetDateTime;
use time::macros::format_description;

use super::assets::ASSETS;
use super::day::Day;
use super::error::Fault;
use super::hearts::words::Draft;
use super::next::SafePath;
use super::notice;
use super::session::Visitor;
use crate::app::App;
use crate::domain::{Caller, Playlist, playlists};
use crate::ids::PlaylistId;

/// The frame around every page.
#[derive(Clone)]
pub(super) struct Layout {
    pub(super) title: String,
    /// The name of who is signed in.
    pub(super) visitor: Option<String>,
    /// Whether that is known: not while the records are away.
    pub(super) known: bool,
    /// The entry of the menu that is this page.
    pub(super) section: &'static str,
    pub(super) demo: bool,
    /// Whether there is a page of most hearted playlists.
    pub(super) top: bool,
    pub(super) notice: Option<Notice>,
    pub(super) css: &'static str,
    pub(super) print: &'static str,
    /// The library first, then what builds on it.
    pub(super) scripts: &'static [String],
    pub(super) favicon: &'static str,
    /// Path and query of this page, or of the playlists where a visitor cannot be sent back to it.
    pub(super) path: String,
    /// What stands in the form for a link, which is on more pages than one.
    pub(super) link: LinkField,
    /// What was typed beside a heart and could not be kept.
    pub(super) draft: Option<Draft>,
    /// The playlist in a list of hearts whose note and tags are being edited.
    pub(super) editing: Option<String>,
}

/// The field for a link.
#[derive(Clone, Default)]
pub(super) struct LinkField {
    pub(super) typed: String,
    /// Why the playlist was not hearted.
    pub(super) refusal: Option<String>,
}

/// What was typed into a line, to stand in the field again; HTML has no room for most controls.
pub(super) fn typed_again(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// A sentence that is shown once.
#[derive(Clone)]
pub(super) struct Notice {
    /// Whether it interrupts.
    pub(super) alert: bool,
    pub(super) text: String,
    /// The playlist whose heart can be had back.
    pub(super) undo: Option<PlaylistId>,
}

impl Layout {
    /// The frame for a page that knows nobody.
    pub(super) fn bare(app: &App, path: &str) -> Self {
        Self {
            title: String::new(),
            visitor: None,
            known: true,
            section: "",
            demo: app.config.demo,
            top: app.config.top_page,
            notice: None,
            css: &ASSETS.css,
            print: &ASSETS.print,
            scripts: &ASSETS.scripts,
            favicon: &ASSETS.favicon,
            // What comes back from a provider carries a code, which must not be written into a page.
            path: SafePath::or_playlists(Some(path)).as_str().to_owned(),
            link: LinkField::default(),
            draft: None,
            editing: None,
        }
    }

    /// Names the page and its entry in the menu.
    pub(super) fn titled(mut self, title: impl Into<String>, section: &'static str) -> Self {
        self.title = title.into();
        if self.link.refusal.is_some() {
            self.title.push_str(" – not hearted");
        }
        if self.draft.is_some() {
            self.title.push_str(" – not saved");
        }
        self.section = section;
        self
    }

    /// Whether a list of hearts shows the form for the note and tags of `card`: asked for, or refused.
    pub(super) fn is_editing(&self, card: &Card) -> bool {
        let draft = self.draft.as_ref().map(|draft| draft.id.as_str());
        self.section == "hearts" && draft.or(self.editing.as_deref()) == Some(card.id.as_str())
    }

    /// What stands in the fields for the words of `card`: what was typed and refused, else what is kept.
    pub(super) fn words(&self, card: &Card) -> Draft {
        self.draft.clone().filter(|draft| draft.id == card.id).unwrap_or_else(|| Draft::of(card))
    }
}

impl FromRequestParts<Arc<App>> for Layout {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Fault> {
        let caller = Visitor::from_request_parts(parts, app).await?.caller;
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let notice = match notice::waiting(&parts.headers) {
            Some(said) => Some(told(app, caller.as_ref(), said).await),
            None => None,
        };
        Ok(Self { visitor: caller.map(|caller| caller.person.name), notice, ..Self::bare(app, path) })
    }
}

/// A notice in words. What a playlist is called is asked only where the notice is about one.
async fn told(app: &App, caller: Option<&Caller>, said: notice::Said) -> Notice {
    let mut text = said.notice.text(caller.map(|caller| caller.person.name.as_str()));
    let undo = said.about.filter(|_| said.notice == notice::Notice::Unhearted);
    if let (Some(caller), Some(id)) = (caller, &undo)
        && let Ok(known) = playlists::known(app, caller, id).await
    {
        let name = known.map_or_else(|| readable(id.as_str(), None), |known| Card::from(known).name);
        text = format!("{}: {name}.", text.trim_end_matches('.'));
    }
    Notice { alert: said.notice.is_alert(), text, undo }
}

/// A path of ours as others need it.
pub(super) fn absolute(app: &App, path: &str) -> String {
    format!("{}{path}", app.config.base_url.origin().ascii_serialization())
}

/// Where other sites find the picture that they show with a link to a page of ours.
pub(super) fn picture(app: &App) -> String {
    absolute(app, &ASSETS.card)
}

/// How long a page of fifty playlists is, in bytes.
const PAGE_BYTES: usize = 56 * 1024;

/// Fills a page.
pub(super) fn html(page: &impl Template) -> Response {
    text(page).map_or_else(|error| Fault::internal(error).into_response(), |text| Html(text).into_response())
}

/// The text of a page.
pub(super) fn text(page: &impl Template) -> askama::Result<String> {
    // Room for most pages at once, in place of copying each half of them over and over.
    let mut text = String::with_capacity(PAGE_BYTES);
    page.render_into(&mut text)?;
    Ok(text)
}

/// A number as people read it, such as `1,234`.
pub(super) fn count(number: impl std::fmt::Display) -> String {
    let digits = number.to_string();
    if digits.len() <= 3 {
        return digits;
    }
    let comma = |at: usize| at > 0 && (digits.len() - at).is_multiple_of(3);
    digits.chars().enumerate().flat_map(|(at, digit)| comma(at).then_some(',').into_iter().chain([digit])).collect()
}

/// A time as people and machines read it.
#[derive(Clone)]
pub(super) struct Moment {
    /// As HTML and RFC 3339 write it; a time of the day in UTC.
    pub(super) iso: String,
    pub(super) text: String,
}

impl Moment {
    /// A day, such as `21 Nov 2026`.
    pub(super) fn day(time: OffsetDateTime) -> Self {
        Self::of_day(time, time.format(format_description!("[day padding:none] [month repr:short] [year]")))
    }

    /// A day within a year, such as `21 May`.
    pub(super) fn coming_day(time: OffsetDateTime) -> Self {
        Self::of_day(time, time.format(format_description!("[day padding:none] [month repr:long]")))
    }

    /// A time of the day, such as `14:02 UTC`.
    pub(super) fn clock(time: OffsetDateTime) -> Self {
        Self::of(rfc3339(time), time.format(format_description!("[hour]:[minute] UTC")))
    }

    /// The time of the day, and the day with it once it is not today's.
    pub(super) fn recent(time: OffsetDateTime, now: OffsetDateTime) -> Self {
        if time.date() == now.date() { Self::clock(time) } else { Self::day_and_clock(time) }
    }

    /// Both, such as `22 Nov 2026, 14:02 UTC`.
    pub(super) fn day_and_clock(time: OffsetDateTime) -> Self {
        let shape = format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC");
        Self::of(rfc3339(time), time.format(shape))
    }

    fn of_day(time: OffsetDateTime, text: Result<String, time::error::Format>) -> Self {
        Self::of(time.date().to_string(), text)
    }

    fn of(iso: String, text: Result<String, time::error::Format>) -> Self {
        Self { iso, text: text.expect("a time has these parts") }
    }
}

/// A time in UTC, such as `2026-11-21T14:02:00Z`.
pub(super) fn rfc3339(time: OffsetDateTime) -> String {
    let iso = time.format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z"));
    iso.expect("a time has these parts")
}

/// A playlist in a list.
pub(super) struct Card {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) owner: Option<String>,
    pub(super) cover: Option<String>,
    pub(super) items: Option<i32>,
    pub(super) public: Option<bool>,
    pub(super) collaborative: bool,
    pub(super) hearted: bool,
    pub(super) hearted_at: Option<Day>,
    /// When it was first seen to have changed since it was hearted.
    pub(super) changed_at: Option<Day>,
    pub(super) gone_at: Option<Day>,
    /// From when its name is, once that is a while ago.
    pub(super) named_on: Option<Day>,
    pub(super) note: Option<String>,
    pub(super) tags: Vec<String>,
}

impl Card {
    /// A card for a page that never asks Spotify: it says how old its name is, from a day on.
    pub(super) fn dated(playlist: Playlist, now: OffsetDateTime) -> Self {
        let old = playlist.seen_at.filter(|seen| now - *seen > time::Duration::days(1));
        Self { named_on: old.map(Day::from), ..Self::from(playlist) }
    }
}

impl From<Playlist> for Card {
    fn from(playlist: Playlist) -> Self {
        Self {
            name: readable(&playlist.id, playlist.name),
            owner: playlist.owner_name,
            cover: playlist.cover_url,
            items: playlist.item_count,
            public: playlist.public,
            collaborative: playlist.collaborative,
            hearted: playlist.hearted_at.is_some(),
            hearted_at: playlist.hearted_at.map(Day::from),
            changed_at: playlist.changed_at.map(Day::from),
            gone_at: playlist.gone_at.map(Day::from),
            named_on: None,
            note: playlist.note,
            tags: playlist.tags,
            id: playlist.id,
        }
    }
}

/// Returns what a playlist is called, also where its name is empty or unknown.
pub(super) fn readable(id: &str, name: Option<String>) -> String {
    match name {
        Some(name) if !name.trim().is_empty() => name,
        Some(_) => "Untitled playlist".into(),
        // Spotify's own all begin alike, so the end tells them apart.
        None => format!("Playlist {}…{}", &id[..4], &id[id.len() - 4..]),
    }
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn a_count_has_a_comma_before_each_three_digits() {
        let read = [0, 999, 1000, 1_234_567].map(count);
        assert_eq!(read, ["0", "999", "1,000", "1,234,567"]);
    }
}
