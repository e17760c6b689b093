//! The list of variables, as `--help` and `.env.example` print it.

use std::fmt::Write;

/// One environment variable.
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What holds when it is not set, in words.
    pub default: &'static str,
    /// What it does.
    pub about: &'static str,
}

/// Every variable the app reads, in the order in which people meet them.
pub const VARIABLES: &[Variable] = &[
    row("PORT", "8080", "The port to listen on."),
    row("HOST", "127.0.0.1, or 0.0.0.0 on Heroku", "The address to listen on."),
    row(
        "BASE_URL",
        "http://127.0.0.1:PORT",
        "Where browsers reach the app, such as https://my-hearts.herokuapp.com (Heroku shows it once the app is made: correct it there if it differs). Spotify refuses `localhost`, and http unless the host is a loopback address.",
    ),
    row(
        "DATABASE_URL",
        "a private Postgres in the data folder",
        "The database: postgres:// or postgresql://. Required on Heroku, where the Postgres add-on sets it. Not a pooler in transaction mode, such as the one in DATABASE_CONNECTION_POOL_URL.",
    ),
    row(
        "READ_DATABASE_URL",
        "none",
        "A read-only copy of the database (a follower), for reads that may be a moment old. Without it, or while it is down or lagging, the database itself is asked.",
    ),
    row(
        "DATABASE_CONNECTIONS",
        "8",
        "The most connections one process opens, and as many again to a follower. Heroku's smallest plan allows 20, and during a deployment two processes run.",
    ),
    row(
        "DISTRIBUTE",
        "off: plain Postgres",
        "Set to citus where DATABASE_URL names the coordinator of a Citus cluster: migrations then spread the tables over its nodes, once. docs/growth.md says when that helps.",
    ),
    row(
        "SESSION_SECRET",
        "made at the first start of the demo and kept in the data folder",
        "Encrypts sessions and the tokens in them: at least 32 random characters. Required outside the demo.",
    ),
    row(
        "SESSION_SECRET_OLD",
        "none",
        "Earlier secrets, separated by commas. They only decrypt; SESSION_SECRET encrypts.",
    ),
    row("SPOTIFY_CLIENT_ID", "none: demo mode", "Your Spotify app's client id. Without it the music is made up."),
    row("SPOTIFY_CLIENT_SECRET", "none", "Your Spotify app's client secret. Required with SPOTIFY_CLIENT_ID."),
    row(
        "SPOTIFY_ACCOUNTS_URL",
        "https://accounts.spotify.com",
        "Where people give their consent; /authorize and /api/token are appended.",
    ),
    row("SPOTIFY_API_URL", "https://api.spotify.com/v1", "Where playlists come from."),
    row(
        "GOOGLE_CLIENT_ID",
        "none",
        "Your Google app's client id. With it and its secret, people can sign in with Google too.",
    ),
    row("GOOGLE_CLIENT_SECRET", "none", "Your Google app's client secret. Required with GOOGLE_CLIENT_ID."),
    row("GOOGLE_ACCOUNTS_URL", "https://accounts.google.com", "Where Google asks people for their consent."),
    row("GOOGLE_TOKEN_URL", "https://oauth2.googleapis.com", "Where Google redeems codes."),
    row("GOOGLE_API_URL", "https://openidconnect.googleapis.com", "Where Google says who somebody is."),
    row(
        "GITHUB_CLIENT_ID",
        "none",
        "Your GitHub OAuth app's client id. With it and its secret, people can sign in with GitHub too.",
    ),
    row("GITHUB_CLIENT_SECRET", "none", "Your GitHub OAuth app's client secret. Required with GITHUB_CLIENT_ID."),
    row("GITHUB_ACCOUNTS_URL", "https://github.com", "Where GitHub asks people for their consent, and redeems codes."),
    row("GITHUB_API_URL", "https://api.github.com", "Where GitHub says who somebody is."),
    row(
        "FACEBOOK_CLIENT_ID",
        "none",
        "Your Facebook app's id. With it and its secret, people can sign in with Facebook too.",
    ),
    row("FACEBOOK_CLIENT_SECRET", "none", "Your Facebook app's secret. Required with FACEBOOK_CLIENT_ID."),
    row(
        "FACEBOOK_ACCOUNTS_URL",
        "https://www.facebook.com/v24.0",
        "Where Facebook asks people for their consent, with the Graph API's version.",
    ),
    row(
        "FACEBOOK_API_URL",
        "https://graph.facebook.com/v24.0",
        "Where Facebook redeems codes and says who somebody is, with the Graph API's version.",
    ),
    row(
        "X_CLIENT_ID",
        "none",
        "Your X app's OAuth 2.0 client id. With it and its secret, people can sign in with X too.",
    ),
    row("X_CLIENT_SECRET", "none", "Your X app's OAuth 2.0 client secret. Required with X_CLIENT_ID."),
    row("X_ACCOUNTS_URL", "https://x.com", "Where X asks people for their consent."),
    row("X_API_URL", "https://api.x.com", "Where X redeems codes and says who somebody is."),
    row(
        "OPERATOR_TOKEN",
        "none: /setup opens only where BASE_URL is a loopback address, on that computer",
        "Opens /setup and /metrics, sent as `Authorization: Bearer`: at least 32 random characters.",
    ),
    row("TOP_PAGE", "on", "Whether /top shows everybody which playlists have the most hearts: on or off."),
    row(
        "REGISTRATION",
        "open",
        "Who may join: open, invite (people the operator invites on /invites; the first person becomes the operator) or closed.",
    ),
    row(
        "SPOTIFY_LISTENERS",
        "none: no number shown",
        "How many listeners Spotify lets this app serve (five in development mode), for the landing page.",
    ),
    row(
        "TRUSTED_PROXY",
        "off, except on Heroku",
        "Set to 1 behind a proxy that appends the client's address to X-Forwarded-For; limits then go by that address.",
    ),
    row("SIGN_INS_PER_ADDRESS", "30", "How many sign-ins one address may start in ten minutes, in each process."),
    row(
        "HEARTS_PER_MINUTE",
        "60",
        "How many hearts one browser may add or remove in a minute, in each process; one address ten times as many.",
    ),
    row("LOG_FORMAT", "text on a terminal, json elsewhere", "The log format: text or json."),
    row(
        "RUST_LOG",
        "heartlist=info, and warnings from its libraries",
        "What is logged, for example `heartlist=debug`.",
    ),
    row(
        "DEMO",
        "on when there is no SPOTIFY_CLIENT_ID, except on Heroku",
        "Set to 1 to ask for demo mode explicitly, as Heroku requires (review apps).",
    ),
    row(
        "HEARTLIST_DATA",
        "/var/lib/heartlist as root, otherwise your data directory",
        "The folder for the private Postgres and the demo's secret.",
    ),
    row("PG_BIN", "searched for", "The folder with the Postgres programs (initdb, postgres) for the private one."),
];

const fn row(name: &'static str, default: &'static str, about: &'static str) -> Variable {
    Variable { name, default, about }
}

/// The variables as the foot of `--help`.
pub fn help() -> String {
    let mut text = String::from("Settings, read from the environment and from a file called .env:\n");
    for Variable { name, default, about } in VARIABLES {
        let _ = write!(text, "\n  {name}\n      {about}\n      Default: {default}\n");
    }
    text.push_str("\nAlso read as the system sets them: DYNO, HEROKU_APP_DEFAULT_DOMAIN_NAME and HEROKU_APP_NAME\n");
    text.push_str("(Heroku), HOME and XDG_DATA_HOME (your data directory), PATH (the Postgres programs).\n");
    text
}

/// The variables as the file `.env.example`.
pub fn example() -> String {
    let mut text = String::from("# Copy this file to .env and remove the # in front of what you want to set.\n");
    for Variable { name, default, about } in VARIABLES {
        let _ = write!(text, "\n# {about}\n# Default: {default}\n# {name}=\n");
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_file_is_the_list() {
        let file = include_str!("../../.env.example");
        assert_eq!(file, super::example(), "write it anew: cargo run -- example-settings > .env.example");
    }
}
