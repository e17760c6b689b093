//! The form for a heart's title, note and tags.

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

use crate::domain::annotation::{Annotation, AnnotationError, fold_tag, parse_tags};
use crate::web::views::sanitize_for_redisplay;

#[derive(Default)]
pub(crate) struct AnnotationForm {
    pub(crate) title: String,
    pub(crate) note: String,
    /// Comma-separated.
    pub(crate) tags: String,
    pub(crate) title_error: Option<String>,
    pub(crate) note_error: Option<String>,
    pub(crate) tags_error: Option<String>,
    /// True if the fields hold what was typed and not saved.
    pub(crate) is_unsaved: bool,
    pub(crate) suggestions: Vec<Suggestion>,
    /// Version of the stored title, note and tags that the form is for.
    pub(crate) version: String,
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
            version: version(&(title, note, tags)),
            ..Self::default()
        }
    }

    /// Returns the form with what was typed instead.
    pub(crate) fn with_input(self, title: &str, note: &str, tags: &str) -> Self {
        let [title, note, tags] = [title, note, tags].map(sanitize_for_redisplay);
        Self { title, note, tags, is_unsaved: true, ..self }
    }

    pub(crate) fn with_error(self, error: Option<AnnotationError>) -> Self {
        Self {
            title_error: error.and_then(|error| error.title).map(|error| error.to_string()),
            note_error: error.and_then(|error| error.note).map(|error| error.to_string()),
            tags_error: error.and_then(|error| error.tags).map(|error| error.to_string()),
            ..self
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

impl From<&Annotation> for AnnotationForm {
    fn from(annotation: &Annotation) -> Self {
        Self::new(annotation.own_title(), annotation.note(), &annotation.tags())
    }
}

/// Returns 64 bits of the hash of a title, note and tags.
fn version(annotation: &(Option<&str>, Option<&str>, &[String])) -> String {
    let hash: [u8; 32] = Sha256::digest(format!("{annotation:?}")).into();
    hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(
                values(AnnotationForm::new(None, None, &[]).with_input("", "", tags).with_error(Some(error))),
                suggested,
                "{tags:.20}"
            );
        }
        assert_eq!(values(AnnotationForm::new(None, None, &["sea".into()])), ["sea, rain", "sea, Été"]);
    }
}
