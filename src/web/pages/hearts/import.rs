//! Imports of hearts from a file: the form and the report.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Form;
use axum::body::Bytes;
use axum::extract::multipart::{Multipart, MultipartError};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use time::OffsetDateTime;

use crate::app::App;
use crate::domain::CurrentUser;
use crate::domain::activity::{self, EventKind};
use crate::domain::heart_changes::{self, ChangeKind, LastImport};
use crate::domain::import_export::{self, Format, ImportError, ImportFile, ImportReport, IsCancelled};
use crate::web::error::{AppError, Result};
use crate::web::extract::{Device, Now, SignedIn, State};
use crate::web::flash::changes::ChangeFlash;
use crate::web::flash::{self, Flash};
use crate::web::views::{DateView, Layout, render_page};

pub(crate) const MAX_FILE_BYTES: usize = 5 * 1024 * 1024;
/// A file and the rest of the form.
pub(crate) const MAX_REQUEST_BYTES: usize = MAX_FILE_BYTES + 4096;
/// Limit on the time for reading a file. The largest takes a few seconds.
const PARSE_TIMEOUT: Duration = Duration::from_secs(15);
/// Maximum number of imports at the same time. Each takes up to 30 MB of memory.
pub(crate) const MAX_CONCURRENT: usize = 2;

#[derive(Template)]
#[template(path = "hearts/import.html")]
struct ImportPage {
    layout: Layout,
    error: Option<String>,
    report: Option<ImportReport>,
    max_megabytes: usize,
    /// The last import, if it can be taken back.
    last: Option<LastImportView>,
}

impl ImportPage {
    async fn load(app: &App, layout: Layout, user: &CurrentUser, now: OffsetDateTime) -> Result<Self> {
        let last = heart_changes::find_import(app, user, now).await?.map(LastImportView::from);
        Ok(Self { layout, error: None, report: None, max_megabytes: MAX_FILE_BYTES / 1024 / 1024, last })
    }
}

struct LastImportView {
    imported_at: DateView,
    /// Last day on which it can be taken back.
    until: DateView,
    hearts: usize,
    change: i64,
}

impl From<LastImport> for LastImportView {
    fn from(LastImport { imported_at, until, hearts, id }: LastImport) -> Self {
        Self { imported_at: DateView::from(imported_at), until: DateView::from(until), hearts, change: id }
    }
}

pub(crate) async fn show(app: State, Now(now): Now, layout: Layout, SignedIn(user): SignedIn) -> Result {
    Ok(render_page(&ImportPage::load(&app, layout.with_title("Import", "hearts"), &user, now).await?))
}

pub(crate) async fn create(
    app: State,
    Now(now): Now,
    layout: Layout,
    (SignedIn(user), Device(device)): (SignedIn, Device),
    upload: Multipart,
) -> Result {
    let _permit = app.imports.try_acquire(user.id).ok_or_else(import_in_progress)?;
    let result = match parse_file(read_upload(upload).await?, now).await? {
        Ok(file) => import_export::import(&app, &user, file, now).await?.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let title = match &result {
        Ok(report) if report.added > 0 => {
            activity::record(&app, user.id, EventKind::Imported, &device, now).await;
            "Import – done"
        }
        Ok(_) => "Import – nothing imported",
        Err(_) => "Import – not imported",
    };
    let page = ImportPage::load(&app, layout.with_title(title, "hearts"), &user, now).await?;
    match result {
        Ok(report) => Ok(render_page(&ImportPage { report: Some(report), ..page })),
        Err(error) => {
            let page = render_page(&ImportPage { error: Some(error), ..page });
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct UndoImportForm {
    change: i64,
}

/// Undoes the last import, except for what the user has changed since.
pub(crate) async fn destroy(
    app: State,
    Now(now): Now,
    SignedIn(user): SignedIn,
    Form(form): Form<UndoImportForm>,
) -> Result {
    let undone = heart_changes::undo(&app, &user, ChangeKind::Import, form.change, now).await?;
    let message = undone.map_or(ChangeFlash::NotUndone, ChangeFlash::ImportUndone);
    Ok(flash::redirect("/hearts/import", Flash::Change(message)))
}

fn import_in_progress() -> AppError {
    let message = "Heartlist is still reading another file of yours. Try again when it is done.";
    let error = AppError::new(StatusCode::TOO_MANY_REQUESTS, "One import at a time", message);
    with_retry_link(error).with_retry_after(Duration::from_secs(10))
}

async fn parse_file(bytes: Bytes, now: OffsetDateTime) -> Result<Result<ImportFile, ImportError>> {
    let parsed = run_blocking(PARSE_TIMEOUT, move |is_cancelled| import_export::parse(&bytes, now, is_cancelled)).await;
    parsed?.ok_or_else(file_takes_too_long)
}

/// Runs `work` on a blocking thread, because a large file would block the executor. Cancels it after `timeout`, or when
/// this future is dropped because the client closed the connection. Returns `None` after the timeout.
async fn run_blocking<T: Send + 'static>(
    timeout: Duration,
    work: impl FnOnce(IsCancelled<'_>) -> T + Send + 'static,
) -> Result<Option<T>> {
    let request = Arc::new(());
    let observer = Arc::downgrade(&request);
    let work = tokio::task::spawn_blocking(move || work(&|| observer.strong_count() == 0));
    let result = tokio::time::timeout(timeout, work).await;
    drop(request);
    result.ok().transpose().map_err(AppError::internal)
}

/// Returns the content of the field `file`; empty without one.
async fn read_upload(mut upload: Multipart) -> Result<Bytes> {
    while let Some(mut field) = upload.next_field().await.map_err(upload_error)? {
        if field.name() == Some("file") {
            // The request is in memory as one chunk, which is not copied.
            let mut bytes = field.chunk().await.map_err(upload_error)?.unwrap_or_default();
            while let Some(chunk) = field.chunk().await.map_err(upload_error)? {
                bytes = [bytes, chunk].concat().into();
            }
            return if bytes.len() > MAX_FILE_BYTES { Err(file_too_large()) } else { Ok(bytes) };
        }
    }
    Ok(Bytes::new())
}

fn upload_error(error: MultipartError) -> AppError {
    let message = "Heartlist could not read the form. Try again.";
    with_retry_link(AppError::new(error.status(), "The file did not arrive", message))
}

fn file_takes_too_long() -> AppError {
    let message = "Reading this file takes too long. Split it into parts, or leave out the other columns.";
    with_retry_link(AppError::new(StatusCode::UNPROCESSABLE_ENTITY, "This file is too complicated", message))
}

pub(crate) fn file_too_large() -> AppError {
    let message = format!(
        "A file can be up to {} MB. Split a longer table in two, with the first line in both parts.",
        MAX_FILE_BYTES / 1024 / 1024
    );
    with_retry_link(AppError::new(StatusCode::PAYLOAD_TOO_LARGE, "This file is too large", message))
}

fn with_retry_link(error: AppError) -> AppError {
    error.with_nothing_saved().with_link("/hearts/import", "Choose another file")
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Work that ends when it is cancelled, and then reports it.
    fn endless() -> (impl FnOnce(IsCancelled<'_>) + Send + 'static, mpsc::Receiver<()>) {
        let (report, reports) = mpsc::channel();
        let work = move |is_cancelled: IsCancelled<'_>| {
            while !is_cancelled() {
                std::thread::yield_now();
            }
            report.send(()).unwrap();
        };
        (work, reports)
    }

    #[tokio::test]
    async fn reading_ends_at_its_deadline_and_with_its_request() {
        let (work, reports) = endless();
        assert!(run_blocking(Duration::from_millis(10), work).await.is_ok_and(|result| result.is_none()));
        reports.recv().unwrap();
        let (work, reports) = endless();
        let dropped = tokio::time::timeout(Duration::from_millis(10), run_blocking(Duration::MAX, work)).await;
        assert!(dropped.is_err());
        reports.recv().unwrap();
        assert!(run_blocking(Duration::MAX, |_| 7).await.is_ok_and(|result| result == Some(7)));
    }
}
