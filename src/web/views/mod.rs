//! Views that several pages share.

pub(crate) mod annotation_form;
pub(crate) mod layout;
pub(crate) mod pager;
pub(crate) mod playlist_card;
pub(crate) mod time;
pub(crate) mod zone;

use std::fmt;

use url::form_urlencoded::byte_serialize;

use crate::count::Count;
use crate::domain::annotation::fold_tag;

pub(crate) use self::annotation_form::AnnotationForm;
pub(crate) use self::layout::{Layout, absolute_url, preview_image_url, render_page};
pub(crate) use self::pager::{PageParam, Pager};
pub(crate) use self::playlist_card::{PlaylistCard, display_name, spotify_name};
pub(crate) use self::time::{DateView, TimeView, rfc3339};
pub(crate) use crate::count::count;

/// Replaces control characters, most of which HTML forbids, in text that is displayed again in a form field.
pub(crate) fn sanitize_for_redisplay(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// Links that add a tag to the search of a list.
pub(crate) struct TagLinks {
    /// The parts of the path around the tag, escaped for HTML once for all cards.
    pub(crate) before: String,
    pub(crate) after: String,
    /// Maximum length of a tag that the search has room for.
    pub(crate) max_tag_chars: usize,
    /// Tags that are searched for already, in folded form.
    pub(crate) searched: Vec<String>,
}

/// Links to all hearts with a tag.
pub(crate) fn tag_links() -> TagLinks {
    let before = "/hearts?q=tag%3A".into();
    TagLinks { before, after: String::new(), max_tag_chars: usize::MAX, searched: Vec::new() }
}

impl TagLinks {
    /// True if the search does not have the tag yet and has room for it.
    pub(crate) fn can_add(&self, tag: &str) -> bool {
        tag.chars().count() <= self.max_tag_chars
            && (self.searched.is_empty() || !self.searched.contains(&fold_tag(tag)))
    }

    pub(crate) fn path<'a>(&'a self, tag: &'a str) -> TagPath<'a> {
        TagPath { links: self, tag }
    }
}

/// The path of the link for a tag. Needs no HTML escaping.
pub(crate) struct TagPath<'a> {
    links: &'a TagLinks,
    tag: &'a str,
}

impl TagPath<'_> {
    fn write(&self, out: &mut (impl fmt::Write + ?Sized)) -> fmt::Result {
        let is_quoted = self.tag.contains(' ');
        out.write_str(&self.links.before)?;
        if is_quoted {
            out.write_str("%22")?;
        }
        byte_serialize(self.tag.as_bytes()).try_for_each(|part| out.write_str(part))?;
        if is_quoted {
            out.write_str("%22")?;
        }
        out.write_str(&self.links.after)
    }
}

impl_display!(TagPath<'_>);

impl askama::FastWritable for Count {
    fn write_into(&self, dest: &mut dyn fmt::Write, _: &dyn askama::Values) -> askama::Result<()> {
        Ok(self.write(dest)?)
    }
}
