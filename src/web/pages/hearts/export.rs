//! Exports of hearts as CSV and JSON.

use axum::Extension;
use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, TryStreamExt, stream};
use time::OffsetDateTime;

use crate::app::App;
use crate::domain::activity::{self, EventKind};
use crate::domain::import_export::{self, Format};
use crate::domain::{self, CurrentUser};
use crate::web::error::Result;
use crate::web::extract::{Device, Now, SignedIn, State};

/// Sends the file and records the export. The route sets the format.
pub(crate) async fn show(
    app: State,
    Extension(format): Extension<Format>,
    Now(now): Now,
    SignedIn(user): SignedIn,
    Device(device): Device,
) -> Result {
    let file = download(&app, &user, format, now).await?;
    activity::record(&app, user.id, EventKind::Exported, &device, now).await;
    Ok(file)
}

/// Responds to HEAD without reading the hearts, and without recording an export.
pub(crate) async fn head(SignedIn(_): SignedIn) {}

async fn download(app: &App, user: &CurrentUser, format: Format, now: OffsetDateTime) -> Result {
    let mut hearts = Box::pin(import_export::export(app, user));
    // Awaits the first rows, so that an unreachable database results in an error page and not in a truncated file.
    let first = hearts.try_next().await?.unwrap_or_default();
    let header = format!("{}{}", format.header(now), format.write(&first, true));
    let rest = hearts.map_ok(move |chunk| format.write(&chunk, false)).inspect_err(|error| {
        tracing::error!(%error, "an export was cut off");
    });
    let footer = stream::iter([domain::Result::Ok(format.footer().to_owned())]);
    let body = Body::from_stream(stream::iter([domain::Result::Ok(header)]).chain(rest).chain(footer));
    Ok(file_response(format, now, body))
}

/// A file to download.
pub(crate) fn file_response(format: Format, now: OffsetDateTime, body: Body) -> Response {
    let (content_type, extension) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
        Format::Json => ("application/json", "json"),
    };
    let disposition = format!("attachment; filename=\"heartlist-hearts-{}.{extension}\"", now.date());
    ([(CONTENT_TYPE, content_type), (CONTENT_DISPOSITION, disposition.as_str())], body).into_response()
}
