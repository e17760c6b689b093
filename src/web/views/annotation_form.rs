//! The form for a heart's note and tags.

use crate::domain::annotation::AnnotationError;
use crate::domain::tags::is_same;
use crate::domain::text::is_visible;
use crate::web::views::sanitize_for_redisplay;

pub(crate) struct AnnotationForm {
    pub(crate) note: String,
    /// Comma-separated.
    pub(crate) tags: String,
    pub(crate) note_error: Option<String>,
    pub(crate) tags_error: Option<String>,
    pub(crate) suggestions: Vec<Suggestion>,
}

/// A tag that is not in the field yet. A browser completes a whole field, without separating its tags.
pub(crate) struct Suggestion {
    pub(crate) tag: String,
    /// The field with the tag added.
    pub(crate) value: String,
}

impl AnnotationForm {
    pub(crate) fn new(note: Option<&str>, tags: &[String]) -> Self {
        Self {
            note: note.unwrap_or_default().into(),
            tags: tags.join(", "),
            note_error: None,
            tags_error: None,
            suggestions: Vec::new(),
        }
    }

    pub(crate) fn invalid(note: &str, tags: &str, error: AnnotationError) -> Self {
        Self {
            note: sanitize_for_redisplay(note),
            tags: sanitize_for_redisplay(tags),
            note_error: error.note.map(|error| error.to_string()),
            tags_error: error.tags.map(|error| error.to_string()),
            suggestions: Vec::new(),
        }
    }

    /// Suggests `tags`, unless they are in the field.
    pub(crate) fn with_suggestions(self, tags: Vec<String>) -> Self {
        let present: Vec<_> = self.tags.split(',').filter(|tag| is_visible(tag)).map(str::trim).collect();
        let new = tags.into_iter().filter(|tag| !present.iter().any(|other| is_same(tag, other)));
        let value = |tag: &str| present.iter().copied().chain([tag]).collect::<Vec<_>>().join(", ");
        let suggestions = new.map(|tag| Suggestion { value: value(&tag), tag }).collect();
        Self { suggestions, ..self }
    }
}
