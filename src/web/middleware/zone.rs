//! The reader's time zone, which the script stores in a cookie.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::App;
use crate::web::cookies::{self, CookieKind};
use crate::web::views::zone;

/// Shows times in the zone that the cookie names.
pub(crate) async fn show_local_times(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let name = cookies::name(&app, CookieKind::Zone);
    let zone = cookies::read(request.headers(), &name).and_then(zone::parse);
    zone::with_zone(zone, next.run(request)).await
}
