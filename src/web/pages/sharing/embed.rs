//! The card of a public page that other sites show in a frame.

use askama::Template;
use html_escape::encode_double_quoted_attribute;

use crate::web::assets::ASSETS;
use crate::web::error::{AppError, Result};
use crate::web::extract::{Now, State};
use crate::web::middleware::security_headers::Embeddable;
use crate::web::pages::sharing::request::{SharedPageRequest, not_shared};
use crate::web::views::{PlaylistCard, absolute_url};

/// Number of hearts on the card, which fill its height.
const MAX_HEARTS: usize = 5;
const WIDTH: u32 = 360;
const HEIGHT: u32 = 440;

#[derive(Template)]
#[template(path = "sharing/embed.html")]
struct EmbedPage {
    owner: String,
    cards: Vec<PlaylistCard>,
    total: usize,
    page_url: String,
    css: &'static str,
}

pub(crate) async fn show(app: State, Now(now): Now, request: SharedPageRequest) -> Result {
    let shared = request.load(&app, (1, true), now).await?;
    if !shared.embeddable {
        return Err(not_shared());
    }
    let page = EmbedPage {
        owner: shared.owner,
        total: shared.hearts.total,
        cards: shared.hearts.entries.into_iter().take(MAX_HEARTS).map(PlaylistCard::from).collect(),
        page_url: absolute_url(&app, &request.root),
        css: &ASSETS.embed_css,
    };
    let mut response = request.respond("text/html; charset=utf-8", page.render().map_err(AppError::internal)?);
    response.extensions_mut().insert(Embeddable);
    Ok(response)
}

/// Returns the HTML that shows the card on another site. Its sandbox allows links that open a tab, and nothing else.
pub(crate) fn embed_code(page_url: &str, owner: &str) -> String {
    let title = format!("{owner}’s hearts");
    format!(
        r#"<iframe src="{page_url}/embed" title="{}" width="{WIDTH}" height="{HEIGHT}" loading="lazy" sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>"#,
        encode_double_quoted_attribute(&title)
    )
}

#[cfg(test)]
mod tests {
    use super::embed_code;

    #[test]
    fn name_cannot_leave_the_attribute_of_the_embed_code() {
        let code = embed_code("https://hearts.example/u/ada", "\"><script>&");
        assert!(code.contains("title=\"&quot;&gt;&lt;script&gt;&amp;’s hearts\""), "{code}");
    }
}
