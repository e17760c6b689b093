//! Cover images drawn from a seed: five patterns, any hue, the same for the same seed.

use crate::params::Params;
use crate::seed::number_below;
use axum::extract::{Path, RawQuery};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::fmt::Write as _;

/// `GET /covers/{seed}?size=`: 404 if the seed begins with `expired`, because the addresses of real covers expire
/// within a day.
pub(crate) async fn show(Path(seed): Path<String>, RawQuery(query): RawQuery) -> Response {
    if seed.starts_with("expired") {
        return StatusCode::NOT_FOUND.into_response();
    }
    let params = Params::parse(query.as_deref().unwrap_or("")).ok();
    let size = params.and_then(|params| params.get("size")?.parse().ok());
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "public, max-age=86400"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, svg(&seed, size.unwrap_or(300))).into_response()
}

/// The image. It contains numbers derived from the seed but none of its text, which would allow injection.
fn svg(seed: &str, size: u16) -> String {
    let roll = |what: &str, sides| number_below(&format!("{what} of {seed}"), sides);
    // No greens: green is the colour of the real Spotify.
    let hue = (165 + roll("hue", 285)) % 360;
    let other = (hue + 35 + roll("distance", 130)) % 360;
    let (dark, light) = (22 + roll("dark", 16), 58 + roll("light", 18));
    let drawing = match roll("pattern", 5) {
        0 => rings(&roll),
        1 => hills(&roll, hue),
        2 => bars(&roll),
        3 => waves(&roll),
        _ => tiles(&roll, other),
    };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 300 300\" width=\"{size}\" height=\"{size}\">\
         <defs><linearGradient id=\"g\" gradientTransform=\"rotate({turn} .5 .5)\">\
         <stop offset=\"0\" stop-color=\"hsl({hue} 62% {dark}%)\"/>\
         <stop offset=\"1\" stop-color=\"hsl({other} 68% {light}%)\"/></linearGradient></defs>\
         <rect width=\"300\" height=\"300\" fill=\"url(#g)\"/>{drawing}</svg>",
        turn = roll("turn", 360),
    )
}

/// Concentric circles off the centre.
fn rings(roll: &impl Fn(&str, usize) -> usize) -> String {
    let (x, y) = (60 + roll("x", 180), 60 + roll("y", 180));
    let mut drawing = String::from("<g fill=\"none\" stroke=\"#fff\">");
    for ring in 0..7 {
        let radius = 14 + ring * (22 + roll("gap", 10));
        let (width, opacity) = (2 + (ring * 5 + roll("width", 7)) % 9, 70 - ring * 8);
        let _ = write!(
            drawing,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" stroke-width=\"{width}\" opacity=\".{opacity}\"/>"
        );
    }
    drawing + "</g>"
}

/// A sun behind three rows of hills.
fn hills(roll: &impl Fn(&str, usize) -> usize, hue: usize) -> String {
    let (x, y, radius) = (60 + roll("x", 180), 70 + roll("y", 60), 28 + roll("r", 30));
    let mut drawing = format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fill=\"#fff\" opacity=\".85\"/>");
    for hill in 0..3 {
        let top = 150 + hill * 45;
        let (left, right) = (roll(&format!("left {hill}"), 90), roll(&format!("right {hill}"), 90));
        let lightness = 34 - hill * 10;
        let _ = write!(
            drawing,
            "<path d=\"M0 {top}C80 {} 190 {} 300 {top}V300H0Z\" fill=\"hsl({hue} 50% {lightness}%)\" opacity=\".85\"/>",
            top - left,
            top + right - 30,
        );
    }
    drawing
}

/// Bars of an equaliser.
fn bars(roll: &impl Fn(&str, usize) -> usize) -> String {
    let mut drawing = String::from("<g fill=\"#fff\">");
    for bar in 0..9 {
        let height = 30 + roll(&format!("bar {bar}"), 190);
        let (x, y) = (24 + bar * 29, 150 - height / 2);
        let opacity = 35 + roll(&format!("light {bar}"), 55);
        let _ = write!(
            drawing,
            "<rect x=\"{x}\" y=\"{y}\" width=\"18\" height=\"{height}\" rx=\"9\" opacity=\".{opacity}\"/>"
        );
    }
    drawing + "</g>"
}

/// Six wavy lines.
fn waves(roll: &impl Fn(&str, usize) -> usize) -> String {
    let (swing, step) = (14 + roll("swing", 34), 34 + roll("step", 12));
    let mut drawing = String::from("<g fill=\"none\" stroke=\"#fff\" stroke-width=\"7\" stroke-linecap=\"round\">");
    for wave in 0..6 {
        let y = 46 + wave * step;
        let opacity = 85 - wave * 11;
        let _ = write!(drawing, "<path d=\"M-10 {y}q40 -{swing} 80 0t80 0t80 0t80 0\" opacity=\".{opacity}\"/>");
    }
    drawing + "</g>"
}

/// Quarter circles on a grid of four by four, each rotated.
fn tiles(roll: &impl Fn(&str, usize) -> usize, hue: usize) -> String {
    let mut drawing = String::new();
    for tile in 0..16 {
        let (x, y) = (tile % 4 * 75, tile / 4 * 75);
        let turn = roll(&format!("turn {tile}"), 4) * 90;
        let lightness = 40 + roll(&format!("tone {tile}"), 50);
        let _ = write!(
            drawing,
            "<path d=\"M0 0H75A75 75 0 0 1 0 75Z\" transform=\"translate({x} {y}) rotate({turn} 37.5 37.5)\" \
             fill=\"hsl({hue} 60% {lightness}%)\" opacity=\".8\"/>"
        );
    }
    drawing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_differ_by_seed_and_do_not_contain_it() {
        assert_eq!(svg("a", 300), svg("a", 300));
        let drawn: std::collections::HashSet<_> = (0..50).map(|i| svg(&i.to_string(), 60)).collect();
        assert_eq!(drawn.len(), 50);
        assert!(!svg("\"><script>alert(1)</script>", 60).contains("script"));
    }
}
