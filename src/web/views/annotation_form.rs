//! The form for a heart's title, note and tags.

use std::collections::HashSet;

use crate::domain::annotation::{AnnotationError, fold_tag, parse_tags};
use crate::web::views::sanitize_for_redisplay;

pub(crate) struct AnnotationForm {
    pub(crate) title: String,
    pub(crate) note: String,
    /// Comma-separated.
    pub(crate) tags: String,
    pub(crate) title_error: Option<String>,
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
    pub(crate) fn new(title: Option<&str>, note: Option<&str>, tags: &[String]) -> Self {
        Self {
            title: title.unwrap_or_default().into(),
            note: note.unwrap_or_default().into(),
            tags: tags.join(", "),
            title_error: None,
            note_error: None,
            tags_error: None,
            suggestions: Vec::new(),
        }
    }

    pub(crate) fn invalid(title: &str, note: &str, tags: &str, error: AnnotationError) -> Self {
        Self {
            title: sanitize_for_redisplay(title),
            note: sanitize_for_redisplay(note),
            tags: sanitize_for_redisplay(tags),
            title_error: error.title.map(|error| error.to_string()),
            note_error: error.note.map(|error| error.to_string()),
            tags_error: error.tags.map(|error| error.to_string()),
            suggestions: Vec::new(),
        }
    }

    /// Suggests `tags`, unless they are in the field. Suggests none if the field is invalid: it may be very long, and
    /// each suggestion repeats it.
    pub(crate) fn with_suggestions(self, tags: Vec<String>) -> Self {
        let Some(present) = parse_tags(&self.tags).ok().filter(|_| self.tags_error.is_none()) else { return self };
        let folded: HashSet<_> = present.iter().map(|tag| fold_tag(tag)).collect();
        let new = tags.into_iter().filter(|tag| !folded.contains(&fold_tag(tag)));
        let before: String = present.iter().map(|tag| format!("{tag}, ")).collect();
        let suggestions = new.map(|tag| Suggestion { value: format!("{before}{tag}"), tag }).collect();
        Self { suggestions, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::annotation::Annotation;

    fn values(form: AnnotationForm) -> Vec<String> {
        form.with_suggestions(vec!["rain".into(), "Été".into()]).suggestions.into_iter().map(|s| s.value).collect()
    }

    #[test]
    fn suggestions_follow_the_tags_of_a_valid_field_alone() {
        for (tags, suggested) in [
            ("", &["rain", "Été"][..]),
            ("雨、#ete，sea ፣", &["雨, ete, sea, rain"]),
            ("Rain,été", &[]),
            ("a,b,c,d,e,f,g,h,i,j,k", &[]),
            (&"a,".repeat(32_000), &[]),
            (&"x".repeat(31), &[]),
            ("a\nb", &[]),
        ] {
            let error = match Annotation::parse("", &"x".repeat(281), tags) {
                Ok(_) => panic!("the note is too long"),
                Err(error) => error,
            };
            assert_eq!(values(AnnotationForm::invalid("", "", tags, error)), suggested, "{tags:.20}");
        }
        assert_eq!(values(AnnotationForm::new(None, None, &["sea".into()])), ["sea, rain", "sea, Été"]);
    }
}
