//! What a bare status means to a visitor.

use std::time::Duration;

use axum::http::StatusCode;

use super::Fault;

/// The answer while more is asked at once than can be answered in time.
pub(in crate::web) async fn too_many(_: tower::BoxError) -> Fault {
    let mut fault = Fault::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "Busy right now",
        "Many people are here at once. Try again in a few seconds.",
    );
    fault.retry_after = Some(Duration::from_secs(5));
    fault.nothing_saved()
}

/// The fault that a status alone tells of.
pub(in crate::web) fn of_status(status: StatusCode) -> Fault {
    let (heading, what) = match status {
        StatusCode::FORBIDDEN => (
            "Refused",
            "This request came from another site, so it was not carried out. Open the page here and try again.",
        ),
        StatusCode::NOT_FOUND => ("Not found", "There is no page at this address."),
        StatusCode::METHOD_NOT_ALLOWED => {
            ("Not a page", "This address belongs to a button on one of our pages and cannot be opened by itself.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => ("Too large", "What was sent is larger than anything we ask for."),
        StatusCode::UNPROCESSABLE_ENTITY => {
            ("Something is not right", "Part of what was sent is missing, or is not what we asked for.")
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            ("Back in a moment", "We cannot reach our database right now. Nothing is lost. Try again in a few seconds.")
        }
        status if status.is_client_error() => ("That did not work", "We could not make sense of this request."),
        _ => ("Something broke", "The fault is ours, and it has been logged."),
    };
    let mut fault = Fault::new(status, heading, what);
    if status.is_client_error() || status == StatusCode::SERVICE_UNAVAILABLE {
        fault = fault.nothing_saved();
    } else {
        fault.saved = Some("If you were changing something, check whether it was saved before you try again.");
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        fault.retry_after = Some(Duration::from_secs(5));
    }
    if matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) {
        fault.saved = None;
    }
    fault
}
