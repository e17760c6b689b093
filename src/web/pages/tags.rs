//! The user's tags: all of them with counts, renaming, merging, deleting.

use askama::Template;
use axum::Form;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use crate::domain::tags::{self, RenameResult, Tag};
use crate::web::error::{AppError, Result, counting_error};
use crate::web::extract::list_query::ListParams;
use crate::web::extract::{SignedIn, State};
use crate::web::flash::{self, Flash, RenamedTag};
use crate::web::pages::account::delete::ConfirmForm;
use crate::web::views::{Layout, render_page, sanitize_for_redisplay};

#[derive(Template)]
#[template(path = "tags/index.html")]
struct TagsPage {
    layout: Layout,
    tags: Vec<Tag>,
    is_by_name: bool,
    is_cut: bool,
    untagged: usize,
}

/// The most used tags first, or by name.
pub(crate) async fn index(app: State, layout: Layout, SignedIn(user): SignedIn, params: ListParams) -> Result {
    let mut list = tags::list(&app, &user).await.map_err(counting_error)?;
    let is_by_name = params.sort == "name";
    if is_by_name {
        list.sort_by_name(params.language);
    }
    Ok(render_page(&TagsPage {
        layout: layout.with_title("Tags", "hearts"),
        tags: list.tags,
        is_by_name,
        is_cut: list.is_cut,
        untagged: list.untagged,
    }))
}

#[derive(Template)]
#[template(path = "tags/edit.html")]
struct EditPage {
    layout: Layout,
    tag: Tag,
    /// Value of the field.
    name: String,
    error: Option<String>,
    /// The tag that has this name already.
    target: Option<Tag>,
    /// Whether visitors see the tag, and the target.
    are_shared: [bool; 2],
}

#[derive(Deserialize)]
pub(crate) struct EditParams {
    #[serde(default)]
    tag: String,
    /// The new name, if a tag with that name exists.
    #[serde(default)]
    to: String,
}

/// The forms for one tag. Says what would be merged if the new name is that of another tag.
pub(crate) async fn edit(
    app: State,
    layout: Layout,
    SignedIn(user): SignedIn,
    Query(params): Query<EditParams>,
) -> Result {
    let [tag, target] = tags::find(&app, &user, [&params.tag, &params.to]).await.map_err(counting_error)?;
    let tag = tag.ok_or_else(tag_not_found)?;
    let target = target.filter(|target| !tags::is_same(&target.name, &tag.name));
    let name = target.as_ref().map_or_else(|| tag.name.clone(), |target| target.name.clone());
    let are_shared = tags::are_shared(&app, &user, [&params.tag, &params.to]).await?;
    let title = if target.is_some() { "Merge tags: " } else { "Tag: " };
    let layout = layout.with_title(format!("{title}{}", tag.name), "hearts");
    Ok(render_page(&EditPage { layout, tag, name, error: None, target, are_shared }))
}

fn tag_not_found() -> AppError {
    let message = "None of your hearts has this tag. It may have been renamed or deleted in another tab.";
    AppError::new(StatusCode::NOT_FOUND, "No such tag", message).with_link("/tags", "My tags")
}

#[derive(Deserialize)]
pub(crate) struct RenameForm {
    #[serde(default)]
    tag: String,
    #[serde(default)]
    to: String,
    /// `yes` on the form that says what is merged.
    #[serde(default)]
    merge: String,
}

/// Renames a tag. If a tag with the new name exists, shows what would be merged first.
pub(crate) async fn rename(
    app: State,
    layout: Layout,
    SignedIn(user): SignedIn,
    Form(form): Form<RenameForm>,
) -> Result {
    let name = match tags::parse_name(&form.to) {
        Ok(name) => name,
        Err(error) => {
            let [tag] = tags::find(&app, &user, [&form.tag]).await.map_err(counting_error)?;
            let tag = tag.ok_or_else(tag_not_found)?;
            let are_shared = tags::are_shared(&app, &user, [&tag.name, ""]).await?;
            let layout = layout.with_title(format!("Tag – not renamed: {}", tag.name), "hearts");
            let (name, error) = (sanitize_for_redisplay(&form.to), Some(error.to_string()));
            let page = render_page(&EditPage { layout, tag, name, error, target: None, are_shared });
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    };
    Ok(match tags::rename(&app, &user, &form.tag, &name, form.merge == "yes").await.map_err(counting_error)? {
        RenameResult::Renamed(old) => flash::redirect("/tags", Flash::TagRenamed(RenamedTag { old, new: name })),
        RenameResult::Merged => flash::redirect("/tags", Flash::TagsMerged),
        RenameResult::NotFound => return Err(tag_not_found().with_nothing_saved()),
        RenameResult::Exists => Redirect::to(&merge_path(&form.tag, &name)).into_response(),
    })
}

fn merge_path(tag: &str, to: &str) -> String {
    format!("/tags/edit?{}", Serializer::new(String::new()).append_pair("tag", tag).append_pair("to", to).finish())
}

#[derive(Deserialize)]
pub(crate) struct DeleteForm {
    #[serde(default)]
    tag: String,
    #[serde(flatten)]
    confirm: ConfirmForm,
}

/// Takes a tag off all hearts.
pub(crate) async fn destroy(app: State, SignedIn(user): SignedIn, Form(form): Form<DeleteForm>) -> Result {
    if !form.confirm.is_confirmed() {
        return Ok(flash::redirect("/tags", Flash::NotConfirmed));
    }
    match tags::delete(&app, &user, &form.tag).await.map_err(counting_error)? {
        true => Ok(flash::redirect("/tags", Flash::TagDeleted)),
        false => Err(tag_not_found().with_nothing_saved()),
    }
}
