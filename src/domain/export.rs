//! Hearts on their way out.

use futures_util::{Stream, stream};

use super::takeout::ExportedHeart;
use super::{Caller, Result};
use crate::app::App;
use crate::db;

/// How many hearts are held in memory at once.
const STRETCH: i64 = 1000;

/// All hearts of the caller, newest first, some at a time. No connection to the database is held meanwhile:
/// whoever downloads slowly keeps nobody else waiting.
pub fn hearts(app: &App, caller: &Caller) -> impl Stream<Item = Result<Vec<ExportedHeart>>> + use<> {
    let (pool, user) = (app.db.clone(), caller.person.id);
    stream::try_unfold((pool, None::<ExportedHeart>), move |(pool, last)| async move {
        let some = db::import_export::export(&pool, user, last.as_ref(), STRETCH).await?;
        let last = some.last().cloned();
        Ok(last.map(|last| (some, (pool, Some(last)))))
    })
}
