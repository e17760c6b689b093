//! The form for a heart's note and tags.

use crate::domain::annotation::AnnotationError;
use crate::web::views::sanitize_for_redisplay;

pub(crate) struct AnnotationForm {
    pub(crate) note: String,
    /// Comma-separated.
    pub(crate) tags: String,
    pub(crate) note_error: Option<String>,
    pub(crate) tags_error: Option<String>,
}

impl AnnotationForm {
    pub(crate) fn new(note: Option<&str>, tags: &[String]) -> Self {
        Self { note: note.unwrap_or_default().into(), tags: tags.join(", "), note_error: None, tags_error: None }
    }

    pub(crate) fn invalid(note: &str, tags: &str, error: AnnotationError) -> Self {
        Self {
            note: sanitize_for_redisplay(note),
            tags: sanitize_for_redisplay(tags),
            note_error: error.note.map(|error| error.to_string()),
            tags_error: error.tags.map(|error| error.to_string()),
        }
    }
}
