//! The file `app.json`, from which the Heroku Button and review apps create an app.

use serde_json::Value;

use super::variables::{VARIABLES, Variable};

/// Variables that are not set by hand on Heroku.
pub const NOT_ON_HEROKU: [&str; 5] = [
    // Heroku's router chooses the port.
    "PORT",
    // The router does not use loopback addresses.
    "HOST",
    // Set by the Postgres add-on.
    "DATABASE_URL",
    // A dyno has no private Postgres, and its disk is ephemeral.
    "HEARTLIST_DATA",
    "PG_BIN",
];

/// Variables that Heroku prompts for when an app is created. Review apps are demos and do not need them.
pub const PROMPTED_ON_HEROKU: [&str; 3] = ["BASE_URL", "SPOTIFY_CLIENT_ID", "SPOTIFY_CLIENT_SECRET"];

const SESSION_SECRET: &str = "SESSION_SECRET";

/// Returns the file's contents. Defaults are only described: a stored value would outlive a change of the default.
pub fn app_json() -> String {
    let on_heroku = VARIABLES.iter().filter(|variable| !NOT_ON_HEROKU.contains(&variable.name));
    let env: Vec<_> = on_heroku.map(env_entry).collect();
    let demo = [r#"        "DEMO": { "value": "1" }"#.to_owned(), secret_entry("        ", "")];
    let optional = PROMPTED_ON_HEROKU.map(|name| format!(r#"        "{name}": {{ "required": false }}"#));
    let review: Vec<_> = demo.into_iter().chain(optional).collect();
    TEMPLATE.replace("ENV", &env.join(",\n")).replace("REVIEW", &review.join(",\n"))
}

fn env_entry(variable: &Variable) -> String {
    let Variable { name, default, about } = variable;
    let description = |text: &str| format!(r#""description": {}"#, Value::from(text));
    if *name == SESSION_SECRET {
        return secret_entry("    ", &format!("{}, ", description(about)));
    }
    if PROMPTED_ON_HEROKU.contains(name) {
        return format!(r#"    "{name}": {{ {} }}"#, description(about));
    }
    format!(r#"    "{name}": {{ {}, "required": false }}"#, description(&format!("{about} Default: {default}.")))
}

fn secret_entry(indent: &str, fields: &str) -> String {
    format!(r#"{indent}"{SESSION_SECRET}": {{ {fields}"generator": "secret" }}"#)
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
    fn app_json_is_up_to_date() {
        let file = include_str!("../../app.json");
        assert_eq!(file, super::app_json(), "update it: cargo run -- app-json > app.json");
    }
}
