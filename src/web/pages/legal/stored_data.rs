//! All columns of the database, described for users, with their retention. A test compares them with the schema.

/// A table, as a section of the privacy page.
pub(crate) struct StoredTable {
    pub(crate) heading: &'static str,
    pub(crate) purpose: &'static str,
    pub(crate) table: &'static str,
    pub(crate) fields: &'static [Field],
}

/// Columns that are described together.
pub(crate) struct Field {
    pub(crate) description: &'static str,
    pub(crate) retention: &'static str,
    pub(crate) columns: &'static [&'static str],
}

const ACCOUNT: &str = "Until you delete your account; then it is gone at once.";
const IDENTITY: &str = "Until you unlink it or delete your account; then it is gone at once.";
const HEART: &str = "Until 30 days after you remove the heart, or until you delete it for good or delete your account.";
const SESSION: &str =
    "Until you sign out or delete your account, and no longer than the cookie that keeps you signed in is good for.";
const SIGN_IN: &str = "An hour from when you press the button.";
const EVENT: &str = "A year, or until you delete your account.";
const INVITE: &str =
    "Until the operator revokes it or leaves; at most a year after it was used, or a month after it expired.";
const FROM_SPOTIFY: &str = "Until you delete your account; at most 30 days after Spotify last showed it to you.";
const SHARED: &str = "Until you turn it off or delete your account.";

pub(crate) const STORED_DATA: &[StoredTable] = &[
    StoredTable {
        heading: "You",
        purpose: "So that your hearts have an owner, and pages can say your name.",
        table: "users",
        fields: &[
            field("Your account number here", ACCOUNT, &["id"]),
            field("Your name, from the provider you first signed in with", ACCOUNT, &["display_name"]),
            field("When you first came", ACCOUNT, &["created_at"]),
            field(
                "Whether you are an operator, who sees people’s names and when they were last here, and may invite others",
                ACCOUNT,
                &["operator"],
            ),
        ],
    },
    StoredTable {
        heading: "Invitations",
        purpose: "So that an invitation lets one person in, and whoever made it can see whether it was used.",
        table: "invites",
        fields: &[
            field(
                "Its number, a digest of the link, who made it, when, when it expires, and whether it makes somebody operator",
                INVITE,
                &["id", "token_hash", "created_by", "created_at", "expires_at", "makes_operator"],
            ),
            field("Who used it, and when", INVITE, &["used_by", "used_at"]),
        ],
    },
    StoredTable {
        heading: "How you sign in",
        purpose: "So that you are recognised when you come back. You are never asked for a password, and no access tokens are kept but Spotify’s.",
        table: "identities",
        fields: &[
            field(
                "Your account id at each provider you sign in with, and whose it is",
                IDENTITY,
                &["user_id", "provider", "subject"],
            ),
            field("The id by which Spotify says who owns a playlist", IDENTITY, &["handle"]),
            field("When you first and last signed in with it", IDENTITY, &["created_at", "last_used_at"]),
            field(
                "Your email address if Google, GitHub or Facebook gives it, and whether they have verified it. It is shown to you, and lets somebody new with the same verified address know that they may already have an account; nothing is ever sent to it",
                IDENTITY,
                &["email", "email_verified"],
            ),
        ],
    },
    StoredTable {
        heading: "Your sessions",
        purpose: "One for each browser you are signed in with. What matters is encrypted.",
        table: "sessions",
        fields: &[
            field(
                "A digest of the cookie your browser holds, and whose session it is",
                SESSION,
                &["id_hash", "user_id"],
            ),
            field(
                "Encrypted: your name, the Spotify access tokens for reading your playlists, what you allowed and when, and how long you have to confirm an older account",
                SESSION,
                &["sealed"],
            ),
            field("Which of the server’s own keys it is encrypted with", SESSION, &["sealed_with"]),
            field("When the session began, and when it expires", SESSION, &["created_at", "expires_at"]),
            field(
                "When you signed in, when the session was last seen, and the kind of browser and system, such as “Firefox on Linux”",
                SESSION,
                &["signed_in_at", "last_seen_at", "device"],
            ),
            field("That the access tokens are being renewed right now", "Twenty seconds.", &["leased_until"]),
        ],
    },
    StoredTable {
        heading: "What happened to your account",
        purpose: "So that you notice if somebody else was here. No IP address is kept.",
        table: "events",
        fields: &[field(
            "Whose account it was, when, what happened, with which provider, and the kind of browser and system",
            EVENT,
            &["id", "user_id", "at", "kind", "provider", "device"],
        )],
    },
    StoredTable {
        heading: "Sign-ins in progress",
        purpose: "While you are giving your consent at a provider, so that only you can come back.",
        table: "sign_ins",
        fields: &[
            field(
                "Digests of two random numbers, one for the sign-in and one that a cookie keeps in your browser",
                SIGN_IN,
                &["state_hash", "browser_hash"],
            ),
            field(
                "Where you sign in, when you started and when you came back",
                SIGN_IN,
                &["provider", "started_at", "used_at"],
            ),
            field(
                "Encrypted: the proof that it is you, what you wanted to do, the page you came from and the heart you pressed",
                "Until you come back; at most an hour.",
                &["sealed"],
            ),
        ],
    },
    StoredTable {
        heading: "Your hearts",
        purpose: "This is what Heartlist is for. A heart that you remove stays for a while, so that you can restore it as it was.",
        table: "user_hearts",
        fields: &[
            field(
                "That it is yours, which playlist it is on, and since when",
                HEART,
                &["user_id", "playlist_id", "hearted_at"],
            ),
            field(
                "The playlist’s name when Spotify last showed it to you, also without accents for searching",
                HEART,
                &["title", "title_folded"],
            ),
            field("Spotify’s id for the version of the playlist you knew", HEART, &["snapshot_id"]),
            field("Since when Spotify no longer shows the playlist", HEART, &["gone_at"]),
            field(
                "Your note and tags, and both without accents for searching",
                HEART,
                &["note", "tags", "note_folded", "tags_folded"],
            ),
            field("When you removed the heart", "30 days, or until you add it again.", &["removed_at"]),
        ],
    },
    StoredTable {
        heading: "What you share",
        purpose: "So that others can find your hearts where you share them. Nothing, unless you turn it on.",
        table: "shares",
        fields: &[
            field("Whose it is", ACCOUNT, &["user_id"]),
            field("The address of your page, and since when", SHARED, &["slug", "slug_since"]),
            field(
                "A digest of your secret link, the link itself, encrypted, and when it was made",
                SHARED,
                &["token_hash", "token_sealed", "token_since"],
            ),
            field(
                "That an operator took down what you shared, and when",
                "Until an operator lets you share again or you delete your account.",
                &["taken_down_at"],
            ),
            field("A random name for the feeds of each", SHARED, &["page_feed_id", "link_feed_id"]),
        ],
    },
    StoredTable {
        heading: "Who may not share",
        purpose: "So that nobody whose page an operator took down shares again by joining anew. For everybody else nothing is stored.",
        table: "sharing_bans",
        fields: &[field(
            "A digest of your id at each provider, and when the page was taken down",
            "Until an operator lets you share again; at most a year, also if you delete your account.",
            &["identity_hash", "banned_at"],
        )],
    },
    StoredTable {
        heading: "Reserved addresses",
        purpose: "So that nobody who follows your page’s old address ends up at somebody else’s.",
        table: "held_slugs",
        fields: &[field(
            "A digest of the address, whose it is or was, and when it was given up",
            "90 days from when you give the address up. If you delete your account, only the digest stays that long, with nothing to say whose it was.",
            &["slug_hash", "user_id", "released_at"],
        )],
    },
    StoredTable {
        heading: "How many hearts a playlist has",
        purpose: "A number, with nothing to say whose hearts they are.",
        table: "heart_counts",
        fields: &[field(
            "The playlist, its number of hearts, those of the last week, and whether it was private in somebody’s library",
            "Until hearts are next counted: within a minute, on a very large server within a few.",
            &["playlist_id", "hearts", "week", "private"],
        )],
    },
    StoredTable {
        heading: "The most hearted playlists",
        purpose: "For the Popular page: only playlists that at least three people have hearted, with nothing to say who, and only while somebody’s library here has it as public and nobody’s as private.",
        table: "top_playlists",
        fields: &[field(
            "The playlist, its place, its numbers of hearts, and its name, owner and cover when Spotify last showed it to somebody here",
            "Until the list is next made: within a minute, on a very large server within a few.",
            &["period", "place", "playlist_id", "week", "ever", "name", "owner_name", "cover_url", "seen_at"],
        )],
    },
    StoredTable {
        heading: "Playlists kept off that list",
        purpose: "So that an operator can hide what does not belong there.",
        table: "hidden_playlists",
        fields: &[field(
            "The playlist, and when it was hidden",
            "Until an operator lists it again.",
            &["playlist_id", "hidden_at"],
        )],
    },
    StoredTable {
        heading: "About this Heartlist",
        purpose: "So that made-up people and real ones are never mixed.",
        table: "installation",
        fields: &[field("Whether this is a demo", "As long as the database exists.", &["only_one", "demo"])],
    },
    StoredTable {
        heading: "Forms for searching",
        purpose: "About Heartlist’s own work, not about you.",
        table: "text_folding",
        fields: &[field(
            "By which rules names, notes and tags were made ready for searching, how far that has come, when it ended, and that it is being done right now",
            "As long as the database exists.",
            &["only_one", "version", "passes", "reached", "finished_at", "leased_until"],
        )],
    },
    StoredTable {
        heading: "The age of that list",
        purpose: "About Heartlist’s own work, not about you.",
        table: "top_lists",
        fields: &[field(
            "When it was made, that it is being made right now, and how long it then rests",
            "Until it is next made: within a minute, on a very large server within a few.",
            &["only_one", "made_at", "leased_until", "rest"],
        )],
    },
    StoredTable {
        heading: "Playlists that Spotify showed you",
        purpose: "So that pages open without asking Spotify again, and while Spotify is down. Shown only to you, and to others only if you share your hearts. The names and covers of public playlists that at least three people have hearted may also appear on the Popular page, with nothing to say that you are one of them.",
        table: "playlists",
        fields: &[
            field("That it was shown to you, which one, and when last", FROM_SPOTIFY, &["user_id", "id", "seen_at"]),
            field("Its place in your list", FROM_SPOTIFY, &["position"]),
            field(
                "Its name, its owner’s id and name, and the address of its cover; both names also without accents for searching",
                FROM_SPOTIFY,
                &["name", "owner_id", "owner_name", "cover_url", "name_folded", "owner_folded"],
            ),
            field(
                "How many items it has, whether it is public or collaborative, and its version",
                FROM_SPOTIFY,
                &["item_count", "public", "collaborative", "snapshot_id", "snapshot_seen_at"],
            ),
        ],
    },
    StoredTable {
        heading: "The state of your list",
        purpose: "So that the page can say how old it is, and whether it is complete.",
        table: "libraries",
        fields: &[
            field(
                "Whose it is, when Spotify last showed it, and when it last failed to",
                FROM_SPOTIFY,
                &["user_id", "fetched_at", "failed_at"],
            ),
            field(
                "How many playlists Spotify counts, and how many of them have been read",
                FROM_SPOTIFY,
                &["counted", "reached"],
            ),
            field("That it is being read right now", "A few seconds.", &["leased_until"]),
        ],
    },
    StoredTable {
        heading: "When to leave Spotify alone",
        purpose: "About Heartlist’s own work, not about you.",
        table: "cooldowns",
        fields: &[field(
            "What must not be asked for, until when, and whether an allowance is used up",
            "Until then.",
            &["bucket", "until", "quota"],
        )],
    },
    StoredTable {
        heading: "How often Spotify was asked",
        purpose: "About Heartlist’s own work, not about you.",
        table: "spotify_calls",
        fields: &[field("A number for each day and each kind of request", "A month.", &["day", "endpoint", "calls"])],
    },
];

const fn field(description: &'static str, retention: &'static str, columns: &'static [&'static str]) -> Field {
    Field { description, retention, columns }
}
