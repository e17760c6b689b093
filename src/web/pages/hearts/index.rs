//! The user's hearts.

use askama::Template;

use crate::domain::hearts::{self, HeartList};
use crate::domain::{renewal, tags};
use crate::web::error::Result;
use crate::web::extract::list_query::{ListParams, ListView};
use crate::web::extract::list_spec::HEARTS;
use crate::web::extract::{Now, SignedIn, State};
use crate::web::views::{Layout, Pager, PlaylistCard, render_page};

#[derive(Template)]
#[template(path = "hearts/index.html")]
struct HeartsPage {
    layout: Layout,
    list: ListView,
    /// Whether Spotify can be asked.
    can_refresh: bool,
    /// Number of hearts that Spotify has not shown for a week.
    stale: usize,
    cards: Vec<PlaylistCard>,
    pager: Pager,
    current_path: String,
}

/// Does not call Spotify.
pub(crate) async fn index(
    app: State,
    Now(now): Now,
    layout: Layout,
    SignedIn(user): SignedIn,
    params: ListParams,
) -> Result {
    let list = ListView::new(&params, &HEARTS, &user.displays);
    let tags = tags::suggest(&app, &user, now).await?;
    let HeartList { hearts, total_hearts } = hearts::list(&app, &user, &list.query()).await?;
    let pager = Pager::new(&hearts, list.path())?;
    let stale = renewal::count_stale(&app, &user, &hearts.entries, now).await?;
    let matches = hearts.total;
    let with_name_date = |playlist| PlaylistCard::with_name_date(playlist, now).viewed_by(&user);
    let mut cards: Vec<_> = hearts.entries.into_iter().map(with_name_date).collect();
    if let Some(card) = cards.iter_mut().find(|card| Some(&card.id) == params.edit.as_ref()) {
        card.annotation_form = Some(card.annotation_form().with_suggestions(tags.clone()));
    }
    Ok(render_page(&HeartsPage {
        layout: layout.with_title(list.title("Hearts"), "hearts"),
        list: list.with_counts(total_hearts, matches).with_filters(tags),
        can_refresh: user.grant.is_some(),
        stale,
        current_path: pager.current_path(),
        pager,
        cards,
    }))
}
