//! The file `app.json`, from which Heroku's Button and review apps make an app.

use serde_json::Value;

use super::variables::{VARIABLES, Variable};

/// What nobody sets on Heroku, each with its reason.
pub const NOT_ON_HEROKU: [&str; 5] = [
    // The router says on which port it asks.
    "PORT",
    // It reaches a dyno by every address but loopback ones.
    "HOST",
    // The Postgres add-on sets it, and sets it anew when it changes.
    "DATABASE_URL",
    // A dyno brings no Postgres of its own, and what it writes to its disk is gone with it.
    "HEARTLIST_DATA",
    "PG_BIN",
];

/// What is asked for when an app is made. Not of review apps: they are demos, and know their address.
pub const ASKED_FOR: [&str; 3] = ["BASE_URL", "SPOTIFY_CLIENT_ID", "SPOTIFY_CLIENT_SECRET"];

const SECRET: &str = "SESSION_SECRET";

/// The whole file. Defaults are told and not set: a value that is set stays when the default becomes another.
pub fn app_json() -> String {
    let on_heroku = VARIABLES.iter().filter(|variable| !NOT_ON_HEROKU.contains(&variable.name));
    let env: Vec<_> = on_heroku.map(setting).collect();
    let made_up = [r#"        "DEMO": { "value": "1" }"#.to_owned(), generated("        ", "")];
    let not_asked = ASKED_FOR.map(|name| format!(r#"        "{name}": {{ "required": false }}"#));
    let review: Vec<_> = made_up.into_iter().chain(not_asked).collect();
    TEMPLATE.replace("ENV", &env.join(",\n")).replace("REVIEW", &review.join(",\n"))
}

fn setting(variable: &Variable) -> String {
    let Variable { name, default, about } = variable;
    let described = |text: &str| format!(r#""description": {}"#, Value::from(text));
    if *name == SECRET {
        return generated("    ", &format!("{}, ", described(about)));
    }
    if ASKED_FOR.contains(name) {
        return format!(r#"    "{name}": {{ {} }}"#, described(about));
    }
    format!(r#"    "{name}": {{ {}, "required": false }}"#, described(&format!("{about} Default: {default}.")))
}

fn generated(indent: &str, before: &str) -> String {
    format!(r#"{indent}"{SECRET}": {{ {before}"generator": "secret" }}"#)
}

const TEMPLATE: &str = r#"{
  "name": "Heartlist",
  "description": "Keep the Spotify playlists you love, in a database of your own",
  "keywords": ["rust", "axum", "spotify", "postgres"],
  "repository": "https://github.com/OWNER/heartlist",
  "success_url": "/",
  "buildpacks": [{ "url": "https://github.com/emk/heroku-buildpack-rust" }],
  "addons": [{ "plan": "heroku-postgresql:essential-0" }],
  "formation": { "web": { "quantity": 1, "size": "basic" } },
  "env": {
ENV
  },
  "environments": {
    "review": {
      "addons": [{ "plan": "heroku-postgresql:essential-0" }],
      "env": {
REVIEW
      }
    }
  }
}
"#;

#[cfg(test)]
mod tests {
    #[test]
    fn the_file_is_the_list() {
        let file = include_str!("../../app.json");
        assert_eq!(file, super::app_json(), "write it anew: cargo run -- app-json > app.json");
    }
}
