//! The list of variables, as `--help` and `.env.example` print it.

use std::fmt::Write;

/// One environment variable.
pub struct Variable {
    pub name: &'static str,
    /// The default, in words.
    pub default: &'static str,
    pub about: &'static str,
}

/// The variables that users set, the most important first.
pub const VARIABLES: &[Variable] = &[
    var("PORT", "8080", "The port to listen on."),
    var("HOST", "127.0.0.1, or 0.0.0.0 on Heroku", "The address to listen on."),
    var(
        "BASE_URL",
        "http://127.0.0.1:PORT",
        "The URL at which browsers reach the app, such as https://my-hearts.herokuapp.com (Heroku shows it once the app is created: correct it there if it differs). Spotify refuses `localhost`, and http except for loopback addresses.",
    ),
    var(
        "DATABASE_URL",
        "a private Postgres in the data folder",
        "The database URL: postgres:// or postgresql://. Required on Heroku, where the Postgres add-on sets it. It must not lead to a pooler in transaction mode, such as the one in DATABASE_CONNECTION_POOL_URL.",
    ),
    var(
        "READ_DATABASE_URL",
        "none",
        "A read replica (Heroku: follower) for reads that may be slightly out of date. Without it, or while it is down or lagging, reads go to DATABASE_URL.",
    ),
    var(
        "DATABASE_CONNECTIONS",
        "8",
        "The most connections that one process opens, and as many again to a replica. Heroku's smallest plan allows 20, and two processes run during a deployment.",
    ),
    var(
        "DISTRIBUTE",
        "off: plain Postgres",
        "Set to citus if DATABASE_URL names the coordinator of a Citus cluster: migrations then distribute the tables over its nodes, once. See docs/growth.md.",
    ),
    var(
        "SESSION_SECRET",
        "generated at the first start of the demo and stored in the data folder",
        "Encrypts sessions and the tokens in them: at least 32 random characters. Required outside the demo.",
    ),
    var(
        "SESSION_SECRET_OLD",
        "none",
        "Earlier secrets, separated by commas. They only decrypt; SESSION_SECRET encrypts.",
    ),
    var(
        "SPOTIFY_CLIENT_ID",
        "none: demo mode",
        "Your Spotify app's client id. Without it, Heartlist runs as a demo with made-up music.",
    ),
    var("SPOTIFY_CLIENT_SECRET", "none", "Your Spotify app's client secret. Required with SPOTIFY_CLIENT_ID."),
    var(
        "SPOTIFY_ACCOUNTS_URL",
        "https://accounts.spotify.com",
        "Spotify's consent pages; /authorize and /api/token are appended.",
    ),
    var("SPOTIFY_API_URL", "https://api.spotify.com/v1", "Spotify's Web API."),
    var(
        "GOOGLE_CLIENT_ID",
        "none",
        "Your Google app's client id. With it and its secret, people can sign in with Google too.",
    ),
    var("GOOGLE_CLIENT_SECRET", "none", "Your Google app's client secret. Required with GOOGLE_CLIENT_ID."),
    var("GOOGLE_ACCOUNTS_URL", "https://accounts.google.com", "Google's consent page."),
    var("GOOGLE_TOKEN_URL", "https://oauth2.googleapis.com", "Google's token endpoint."),
    var("GOOGLE_API_URL", "https://openidconnect.googleapis.com", "Google's userinfo endpoint."),
    var(
        "GITHUB_CLIENT_ID",
        "none",
        "Your GitHub OAuth app's client id. With it and its secret, people can sign in with GitHub too.",
    ),
    var("GITHUB_CLIENT_SECRET", "none", "Your GitHub OAuth app's client secret. Required with GITHUB_CLIENT_ID."),
    var("GITHUB_ACCOUNTS_URL", "https://github.com", "GitHub's consent page and token endpoint."),
    var("GITHUB_API_URL", "https://api.github.com", "GitHub's API."),
    var(
        "FACEBOOK_CLIENT_ID",
        "none",
        "Your Facebook app's id. With it and its secret, people can sign in with Facebook too.",
    ),
    var("FACEBOOK_CLIENT_SECRET", "none", "Your Facebook app's secret. Required with FACEBOOK_CLIENT_ID."),
    var(
        "FACEBOOK_ACCOUNTS_URL",
        "https://www.facebook.com/v24.0",
        "Facebook's consent page, with the version of the Graph API.",
    ),
    var("FACEBOOK_API_URL", "https://graph.facebook.com/v24.0", "Facebook's Graph API, with its version."),
    var(
        "X_CLIENT_ID",
        "none",
        "Your X app's OAuth 2.0 client id. With it and its secret, people can sign in with X too.",
    ),
    var("X_CLIENT_SECRET", "none", "Your X app's OAuth 2.0 client secret. Required with X_CLIENT_ID."),
    var("X_ACCOUNTS_URL", "https://x.com", "X's consent page."),
    var("X_API_URL", "https://api.x.com", "X's API."),
    var(
        "OPERATOR_TOKEN",
        "none: /setup opens only on the same computer, if BASE_URL is a loopback address",
        "Opens /setup and /metrics when sent as `Authorization: Bearer`: at least 32 random characters.",
    ),
    var("TOP_PAGE", "on", "Whether the public page /top shows the playlists with the most hearts: on or off."),
    var("REGISTRATION", "open", "Who may join: open, invite (people whom an operator invites on /invites) or closed."),
    var(
        "OPERATOR",
        "none: the start prints a link that makes its bearer operator, once",
        "Who operates this server: identities as the account page shows them, such as spotify:q7Zt3LmB0x, separated by commas. They become operators when they sign in.",
    ),
    var(
        "CONTACT",
        "none",
        "The operator's mail address or an https page, shown at the foot of every page and in /.well-known/security.txt.",
    ),
    var(
        "SPOTIFY_LISTENERS",
        "none: no number shown",
        "How many listeners Spotify allows for this app (five in development mode), for the landing page.",
    ),
    var(
        "TRUSTED_PROXY",
        "0, or 1 on Heroku",
        "How many proxies in a row stand before the server and append an address to X-Forwarded-For, from 0 to 9; rate limits then use the address that the outermost one saw. Usually 1; with a content delivery network before the proxy, 2.",
    ),
    var("SIGN_INS_PER_ADDRESS", "30", "How many sign-ins one IP address may start in ten minutes, per process."),
    var(
        "HEARTS_PER_MINUTE",
        "60",
        "How many hearts one person may add or remove in a minute, per process. One IP address may do ten times as many.",
    ),
    var("SESSION_DAYS", "180", "How many days after a sign-in its session ends, from 1 to 400."),
    var("SESSION_IDLE_DAYS", "60", "How many days after the last visit a session ends, from 1 to 400."),
    var("LOG_FORMAT", "text on a terminal, json elsewhere", "The log format: text or json."),
    var(
        "RUST_LOG",
        "heartlist=info, and warnings from its libraries",
        "What is logged, for example `heartlist=debug`.",
    ),
    var(
        "DEMO",
        "on when there is no SPOTIFY_CLIENT_ID and only this computer can reach the server",
        "Set to 1 to choose demo mode explicitly. Required on Heroku (for review apps) and wherever HOST or BASE_URL is not a loopback address.",
    ),
    var(
        "HEARTLIST_DATA",
        "/var/lib/heartlist as root, otherwise your data directory",
        "The folder for the private Postgres and the demo's secret.",
    ),
    var("PG_BIN", "searched for", "The folder with the Postgres programs (initdb, postgres) for the private Postgres."),
];

const fn var(name: &'static str, default: &'static str, about: &'static str) -> Variable {
    Variable { name, default, about }
}

/// Returns the variables as the end of `--help`.
pub fn help() -> String {
    let mut text = String::from("Settings, read from the environment and from the file .env in the working folder:\n");
    for Variable { name, default, about } in VARIABLES {
        let _ = write!(text, "\n  {name}\n      {about}\n      Default: {default}\n");
    }
    text.push_str("\nAlso read as the system sets them: DYNO, HEROKU_APP_DEFAULT_DOMAIN_NAME and HEROKU_APP_NAME\n");
    text.push_str("(Heroku), HOME and XDG_DATA_HOME (your data directory), PATH (the Postgres programs).\n");
    text
}

/// Returns the variables as the file `.env.example`.
pub fn env_example() -> String {
    let mut text = String::from(
        "# Copy this file to .env (UTF-8) and remove the # in front of what you want to set.\n# Values are literal, $ too. \
         Put those with spaces, # or \\ in single quotes: NAME='a value'.\n",
    );
    for Variable { name, default, about } in VARIABLES {
        let _ = write!(text, "\n# {about}\n# Default: {default}\n# {name}=\n");
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn env_example_is_up_to_date() {
        let file = include_str!("../../.env.example");
        assert_eq!(file, super::env_example(), "update it: cargo run -- example-settings > .env.example");
    }
}
