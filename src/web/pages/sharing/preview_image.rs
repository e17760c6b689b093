//! The picture that other sites show for a link to a shared page (`og:image`).

use axum::http::{HeaderName, HeaderValue};
use png::{BitDepth, ColorType, Encoder, EncodingError};
use tokio::sync::Semaphore;
use zeno::{Mask, Transform};

use super::lettering::{outlines, to_drawable, wrap};
use crate::count::pluralize;
use crate::web::error::{AppError, Result};
use crate::web::extract::{Now, State};
use crate::web::pages::sharing::request::SharedPageRequest;

const WIDTH: usize = 1200;
const HEIGHT: usize = 630;
const MARGIN: f32 = 80.0;
/// Width of title and count, left of the heart.
const TEXT_WIDTH: f32 = 640.0;
/// Font sizes, each with the number of lines that there is room for.
const TITLE_SIZES: &[(f32, usize)] = &[(112.0, 2), (96.0, 2), (80.0, 3), (64.0, 4)];
const COUNT_SIZES: &[(f32, usize)] = &[(42.0, 2)];
/// Height of a line, in font sizes.
const LINE_HEIGHT: f32 = 1.08;
/// The icon of hearts, 24 units wide.
const HEART: &str = "M12 20.3 4.6 13a5 5 0 0 1 7.1-7.1l.3.3.3-.3A5 5 0 0 1 19.4 13z";

/// Limit on pictures that are drawn at the same time, of a megabyte each.
static DRAWINGS: Semaphore = Semaphore::const_new(2);

pub(crate) async fn show(app: State, Now(now): Now, request: SharedPageRequest) -> Result {
    let page = request.load(&app, (1, false), now).await?;
    let permit = DRAWINGS.acquire().await.map_err(AppError::internal)?;
    let drawing = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        draw(&page.owner, page.tag.as_deref(), page.hearts.total).encode()
    });
    let picture = drawing.await.map_err(AppError::internal)?.map_err(AppError::internal)?;
    let mut response = request.respond("image/png", picture);
    // Some sites load the picture from here, instead of a copy of their own.
    let policy = HeaderValue::from_static("cross-origin");
    response.headers_mut().insert(HeaderName::from_static("cross-origin-resource-policy"), policy);
    Ok(response)
}

/// A name or a tag that the font cannot draw is left out.
fn draw(owner: &str, tag: Option<&str>, total: usize) -> Picture {
    let title = match to_drawable(owner) {
        Some(owner) => fit(&owner, |owner| format!("{owner}’s hearts"), TITLE_SIZES),
        None => fit("", |_| "Hearts on Spotify playlists".into(), TITLE_SIZES),
    };
    let playlists = pluralize(total, "playlist");
    let subtitle = match tag.map(to_drawable) {
        Some(Some(tag)) => fit(&tag, |tag| format!("{playlists} tagged “{tag}”"), COUNT_SIZES),
        Some(None) => fit("", |_| format!("{playlists} with one tag"), COUNT_SIZES),
        None => fit("", |_| playlists.clone(), COUNT_SIZES),
    };
    let mut picture = Picture::new();
    picture.fill(HEART, Transform::scale(2.5, 2.5).then_translate(MARGIN - 8.0, 52.0), Ink::Accent);
    picture.write("Heartlist", 46.0, (MARGIN + 60.0, 98.0), Ink::Text);
    picture.fill(HEART, Transform::scale(20.0, 20.0).then_translate(702.0, 68.0), Ink::Accent);
    let mut baseline = HEIGHT as f32 - MARGIN;
    for ((size, lines), ink, space) in [(subtitle, Ink::Muted, 40.0), (title, Ink::Text, 0.0)] {
        for line in lines.iter().rev() {
            picture.write(line, size, (MARGIN, baseline), ink);
            baseline -= size * LINE_HEIGHT;
        }
        baseline -= space;
    }
    picture
}

/// Returns the sentence about `name` in the largest of `sizes` in which there is room for it. For the smallest, the
/// name is cut as far as necessary.
fn fit(name: &str, sentence: impl Fn(&str) -> String, sizes: &[(f32, usize)]) -> (f32, Vec<String>) {
    let lines = |name: &str, (size, max_lines): (f32, usize)| {
        Some((size, wrap(&sentence(name), TEXT_WIDTH * 1000.0 / size, max_lines)?))
    };
    let cut = || {
        let cuts = name.char_indices().rev().map(|(end, _)| format!("{}…", name[..end].trim_end()));
        sizes.last().and_then(|smallest| cuts.filter_map(|name| lines(&name, *smallest)).next())
    };
    sizes.iter().find_map(|size| lines(name, *size)).or_else(cut).unwrap_or_default()
}

/// A colour on the background.
#[derive(Clone, Copy)]
enum Ink {
    Text,
    Muted,
    Accent,
}

/// Shades of each ink, from the background to full coverage.
const SHADES: u8 = 64;
const BACKGROUND: [u8; 3] = [0xfb, 0xf8, 0xf4];
/// Colours of the light theme, in the order of [`Ink`].
const INKS: [[u8; 3]; 3] = [[0x25, 0x1b, 0x1c], [0x69, 0x5b, 0x5b], [0xb4, 0x23, 0x4f]];

/// Indexes into the palette of shades.
struct Picture(Vec<u8>);

impl Picture {
    fn new() -> Self {
        Self(vec![0; WIDTH * HEIGHT])
    }

    fn write(&mut self, line: &str, size: f32, (x, baseline): (f32, f32), ink: Ink) {
        let scale = size / 1000.0;
        for (outline, offset) in outlines(line).0 {
            let transform = Transform::scale(scale, -scale).then_translate(x + offset * scale, baseline);
            self.fill(outline, transform, ink);
        }
    }

    fn fill(&mut self, outline: &str, transform: Transform, ink: Ink) {
        let (mask, bounds) = Mask::new(outline).transform(Some(transform)).render();
        let rows = mask.chunks_exact(bounds.width.max(1) as usize).zip(bounds.top..);
        for (coverage, (x, y)) in rows.flat_map(|(row, y)| row.iter().zip((bounds.left..).map(move |x| (x, y)))) {
            let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { continue };
            if x < WIDTH && y < HEIGHT && *coverage >= 4 {
                let shade = ink as u8 * SHADES + coverage / 4;
                let pixel = &mut self.0[y * WIDTH + x];
                *pixel = shade.max(*pixel);
            }
        }
    }

    fn encode(&self) -> Result<Vec<u8>, EncodingError> {
        let mix = |ink: u8, background: u8, shade: u8| {
            let (ink, background, shade) = (u32::from(ink), u32::from(background), u32::from(shade));
            ((background * (63 - shade) + ink * shade + 31) / 63) as u8
        };
        let shades = INKS.iter().flat_map(|ink| (0..SHADES).map(move |shade| (ink, shade)));
        let palette = shades.flat_map(|(ink, shade)| [0, 1, 2].map(|i| mix(ink[i], BACKGROUND[i], shade)));
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, WIDTH as u32, HEIGHT as u32);
        encoder.set_color(ColorType::Indexed);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_palette(palette.collect::<Vec<u8>>());
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.0)?;
        writer.finish()?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Number of pixels in each ink's shades.
    fn pixels(owner: &str, tag: Option<&str>, total: usize) -> [usize; 3] {
        let picture = draw(owner, tag, total);
        let count = |ink: u8| picture.0.iter().filter(|pixel| **pixel != 0 && **pixel / SHADES == ink).count();
        [0, 1, 2].map(count)
    }

    #[test]
    fn colours_are_those_of_the_light_theme() {
        let css = include_str!("../../../../static/css/tokens.css");
        let names = ["background", "text", "text-muted", "accent"];
        for (name, [r, g, b]) in names.into_iter().zip([BACKGROUND].into_iter().chain(INKS)) {
            let token = format!("--color-{name}: light-dark(#{r:02x}{g:02x}{b:02x},");
            assert!(css.contains(&token), "{token}");
        }
    }

    #[test]
    fn text_without_glyphs_is_left_out() {
        let nameless = pixels("雨", None, 12);
        for name in ["🎧", "Ada 雨", "مريم", "Ж", "x\u{302}\u{323}", "\u{feff}", "\u{e000}", ""] {
            assert_eq!(pixels(name, None, 12), nameless, "{name}");
        }
        assert_ne!(pixels("Ada", None, 12), nameless);
        assert_eq!(pixels("Ada", Some("雨"), 12), pixels("Ada", Some("🎧"), 12));
        assert_eq!(pixels("E\u{301}va\u{200d}\n \u{a0}L", None, 1), pixels("Éva L", None, 1));
    }

    #[test]
    fn long_names_are_cut_where_the_heart_begins() {
        let long = "Wind and rain ".repeat(8);
        for name in ["W".repeat(100), "é-".repeat(50), long.clone(), "…".repeat(100)] {
            let (size, lines) = fit(&name, |name| format!("{name}’s hearts"), TITLE_SIZES);
            assert!(
                size == 64.0 && (2..=4).contains(&lines.len()) && lines.join("").ends_with("…’s hearts"),
                "{lines:?}"
            );
        }
        let [_, muted, accent] = pixels(&long, Some(&long), usize::MAX);
        assert!(muted > 1000 && accent == pixels("", None, 0)[2], "nothing is written over a heart");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn any_name_can_be_drawn(owner in any::<String>(), tag in any::<Option<String>>(), total: usize) {
            let [text, muted, accent] = pixels(&owner, tag.as_deref(), total);
            prop_assert!(text > 1000 && muted > 1000 && accent > 1000);
        }

        #[test]
        fn latin_names_are_written_left_of_the_heart(owner in "[ -~¡-ſ]{1,100}") {
            prop_assert_eq!(pixels(&owner, None, 1)[2], pixels("", None, 1)[2]);
        }
    }
}
