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
        "Where browsers reach the app. Spotify refuses `localhost`, and http unless the host is a loopback address.",
    ),
    row(
        "DATABASE_URL",
        "a private Postgres in the data folder",
        "The database: postgres:// or postgresql://. Required on Heroku, where the Postgres add-on sets it. No pooler in transaction mode, such as DATABASE_CONNECTION_POOL_URL names.",
    ),
    row(
        "DATABASE_CONNECTIONS",
        "8",
        "The most connections one process takes. Heroku's smallest plan has 20, and during a deployment two serve.",
    ),
    row(
        "SESSION_SECRET",
        "made at the first start of the demo and kept in the data folder",
        "Seals sessions and the tokens in them: at least 32 characters of chance. Required outside the demo.",
    ),
    row(
        "SESSION_SECRET_OLD",
        "none",
        "Earlier secrets, with commas between them: what they sealed still opens while SESSION_SECRET seals anew.",
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
        "OPERATOR_TOKEN",
        "none: /setup opens only on the computer that serves",
        "Opens the page /setup from afar, sent as `Authorization: Bearer`: at least 32 characters of chance.",
    ),
    row("TOP_PAGE", "on", "Whether /top shows everybody which playlists have the most hearts: on or off."),
    row("LOG_FORMAT", "text on a terminal, json elsewhere", "How a line of the log looks: text or json."),
    row("RUST_LOG", "heartlist=info, and warnings of its libraries", "What is logged, for example `heartlist=debug`."),
    row(
        "DEMO",
        "on when there is no SPOTIFY_CLIENT_ID, except on Heroku",
        "Set to 1 to ask for demo mode by name, which Heroku needs (review apps).",
    ),
    row(
        "HEARTLIST_DATA",
        "/var/lib/heartlist as root, else your data directory",
        "The folder of the private Postgres and the demo's secret.",
    ),
    row("PG_BIN", "looked for", "The folder of the Postgres programs (initdb, postgres) to use for the private one."),
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
    let mut text = String::from("# Copy this file to .env and remove the # before what you want to set.\n");
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
