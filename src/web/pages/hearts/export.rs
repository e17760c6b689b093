//! Exports of hearts as CSV and JSON.

use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, TryStreamExt, stream};
use time::OffsetDateTime;

use crate::app::App;
use crate::domain::activity::{self, EventKind};
use crate::domain::import_export::{self, Format};
use crate::domain::{CurrentUser, Result};
use crate::web::error::AppError;
use crate::web::extract::current_user::SignedIn;
use crate::web::extract::device::Device;
use crate::web::extract::{Now, State};

pub(crate) async fn csv(
    app: State,
    Now(now): Now,
    SignedIn(user): SignedIn,
    Device(device): Device,
) -> std::result::Result<Response, AppError> {
    let file = download(&app, &user, Format::Csv, now).await?;
    activity::record(&app, user.id, EventKind::Exported, &device, now).await;
    Ok(file)
}

pub(crate) async fn json(
    app: State,
    Now(now): Now,
    SignedIn(user): SignedIn,
    Device(device): Device,
) -> std::result::Result<Response, AppError> {
    let file = download(&app, &user, Format::Json, now).await?;
    activity::record(&app, user.id, EventKind::Exported, &device, now).await;
    Ok(file)
}

async fn download(
    app: &App,
    user: &CurrentUser,
    format: Format,
    now: OffsetDateTime,
) -> std::result::Result<Response, AppError> {
    let mut hearts = Box::pin(import_export::export(app, user));
    // Waits for the first rows, so that a database that is down gives an error page and not half a file.
    let first = hearts.try_next().await?.unwrap_or_default();
    let begin = format.header(now) + &format.write(&first, true);
    let rest = hearts.map_ok(move |some| format.write(&some, false)).inspect_err(|error| {
        tracing::error!(%error, "an export broke off");
    });
    let end = stream::iter([Result::Ok(format.footer().to_owned())]);
    let body = Body::from_stream(stream::iter([Result::Ok(begin)]).chain(rest).chain(end));
    let (kind, ending) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
        Format::Json => ("application/json", "json"),
    };
    let name = format!("attachment; filename=\"heartlist-hearts-{}.{ending}\"", now.date());
    Ok(([(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, name.as_str())], body).into_response())
}
