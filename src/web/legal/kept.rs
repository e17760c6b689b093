//! Every column of the database: what it is to the people it is about, and how long it stays.
//!
//! A test holds this list against the database, so that a new column needs a line here.

/// What is kept about one thing.
pub(super) struct Kept {
    pub(super) heading: &'static str,
    /// What the whole of it is for.
    pub(super) purpose: &'static str,
    pub(super) table: &'static str,
    pub(super) fields: &'static [Field],
}

/// Columns that mean one thing to people.
pub(super) struct Field {
    pub(super) what: &'static str,
    pub(super) how_long: &'static str,
    pub(super) columns: &'static [&'static str],
}

const ACCOUNT: &str = "Until you delete your account; then it is gone at once.";
const IDENTITY: &str = "Until you unlink it or delete your account; then it is gone at once.";
const HEART: &str = "Until you take the heart back, or delete your account.";
const REMOVED: &str = "30 days, or until you delete your account.";
const SESSION: &str =
    "Until you sign out or delete your account; 180 days after you pressed the sign-in button at the latest.";
const SIGN_IN: &str = "An hour from the press of the button.";
const EVENT: &str = "A year, or until you delete your account.";
const INVITE: &str = "Until the operator takes it back or leaves; a year after it was used, or a month after its time was over, at the latest.";
const SHOWN: &str = "Until you delete your account; 30 days after Spotify last showed it to you at the latest.";

const SHARED: &str = "Until you switch it off, or delete your account.";

pub(super) const KEPT: &[Kept] = &[
    Kept {
        heading: "You",
        purpose: "So that your hearts have an owner, and the page can say your name.",
        table: "users",
        fields: &[
            field("A number that stands for you here", ACCOUNT, &["id"]),
            field("Your name as the provider gives it by which you came first", ACCOUNT, &["display_name"]),
            field("When you first came", ACCOUNT, &["created_at"]),
            field("Whether you are the operator, who may invite others", ACCOUNT, &["operator"]),
        ],
    },
    Kept {
        heading: "Invitations",
        purpose: "So that an invitation lets one person in, and whoever made it sees whether it was used.",
        table: "invites",
        fields: &[
            field(
                "Its number, a digest of the link, who made it, when, and until when it is good",
                INVITE,
                &["id", "token_hash", "created_by", "created_at", "expires_at"],
            ),
            field("Who used it, and when", INVITE, &["used_by", "used_at"]),
        ],
    },
    Kept {
        heading: "How you sign in",
        purpose: "So that you are known again. Your passwords are never asked for, and no keys are kept but Spotify’s.",
        table: "identities",
        fields: &[
            field(
                "Your account’s id at each provider by which you sign in, and whose it is",
                IDENTITY,
                &["user_id", "provider", "subject"],
            ),
            field("The name by which Spotify says whose a playlist is", IDENTITY, &["handle"]),
            field("When you first signed in with it, and when last", IDENTITY, &["created_at", "last_used_at"]),
            field(
                "Your e-mail address where Google, GitHub or Facebook gives it, and whether they have verified it. It is shown to you, and tells a newcomer with the same verified address that an account may be theirs already; nothing is ever sent to it",
                IDENTITY,
                &["email", "email_verified"],
            ),
        ],
    },
    Kept {
        heading: "Your sessions",
        purpose: "One for each browser in which you are signed in. What matters is encrypted.",
        table: "sessions",
        fields: &[
            field(
                "A digest of the cookie that your browser holds, and whose session it is",
                SESSION,
                &["id_hash", "user_id"],
            ),
            field(
                "Encrypted: your name, the keys with which Spotify lets us read your playlists, what you allowed and when, until when you may prove an older account, and a random name for your browser",
                SESSION,
                &["sealed"],
            ),
            field("Which of the server's own keys that is encrypted with", SESSION, &["sealed_with"]),
            field("When the session began, and when it ends by itself", SESSION, &["created_at", "expires_at"]),
            field(
                "When you signed in and when the session was last seen, and the kind of browser and system, such as “Firefox on Linux”",
                SESSION,
                &["signed_in_at", "last_seen_at", "device"],
            ),
            field("That the keys are just being renewed", "Twenty seconds.", &["leased_until"]),
        ],
    },
    Kept {
        heading: "What happened to your account",
        purpose: "So that you notice if somebody else was here. No internet address is kept.",
        table: "events",
        fields: &[field(
            "That it was your account, when, what, through which provider, and the kind of browser and system",
            EVENT,
            &["id", "user_id", "at", "kind", "provider", "device"],
        )],
    },
    Kept {
        heading: "Sign-ins on their way",
        purpose: "While you are at a provider to give your consent, so that only you can come back.",
        table: "sign_ins",
        fields: &[
            field(
                "Digests of two random numbers, one for the sign-in and one for your browser",
                SIGN_IN,
                &["state_hash", "browser_hash"],
            ),
            field(
                "Where you sign in, when you began and when you came back",
                SIGN_IN,
                &["provider", "started_at", "used_at"],
            ),
            field(
                "Encrypted: the proof that it is you, what you set out for, the page you wanted and the heart you pressed",
                "Until you come back; an hour at the latest.",
                &["sealed"],
            ),
        ],
    },
    Kept {
        heading: "Your hearts",
        purpose: "What Heartlist is for.",
        table: "hearts",
        fields: &[
            field(
                "That it is yours, which playlist has it, and since when",
                HEART,
                &["user_id", "playlist_id", "hearted_at"],
            ),
            field("Spotify’s number for the version of the playlist that you knew", HEART, &["snapshot_id"]),
            field("Since when Spotify does not show the playlist any more", HEART, &["gone_at"]),
            field(
                "What you write beside it: a note, and tags; and both without accents, for searching",
                HEART,
                &["note", "tags", "note_folded", "tags_folded"],
            ),
        ],
    },
    Kept {
        heading: "Hearts that you took back",
        purpose: "So that you can have them back as they were.",
        table: "removed_hearts",
        fields: &[
            field(
                "That it was yours, which playlist had it, since when and until when",
                REMOVED,
                &["user_id", "playlist_id", "hearted_at", "removed_at"],
            ),
            field(
                "The version of the playlist that you knew, your note and your tags",
                REMOVED,
                &["snapshot_id", "note", "tags", "note_folded", "tags_folded"],
            ),
        ],
    },
    Kept {
        heading: "What you share",
        purpose: "So that others find your hearts where you show them. Nothing, unless you switch it on.",
        table: "shares",
        fields: &[
            field("Whose it is", ACCOUNT, &["user_id"]),
            field("The address of your page, and since when", SHARED, &["slug", "slug_since"]),
            field(
                "A digest of your secret link, the link itself, encrypted, and when it was made",
                SHARED,
                &["token_hash", "token_sealed", "token_since"],
            ),
        ],
    },
    Kept {
        heading: "Addresses that are taken",
        purpose: "So that who follows your page’s address does not come upon somebody else.",
        table: "held_slugs",
        fields: &[field(
            "A digest of the address, whose it is or was, and since when it is given up",
            "90 days from when you give the address up. If you delete your account, the digest alone stays for as long, without a word about whose it was.",
            &["slug_hash", "user_id", "released_at"],
        )],
    },
    Kept {
        heading: "How many hearts a playlist has",
        purpose: "A number, without a word about whose hearts they are.",
        table: "heart_counts",
        fields: &[field(
            "The playlist, its number of hearts, and whether somebody’s library had it as private, so that it is not shown to others",
            "As long as this server runs. Your heart is no longer counted once you take it back or delete your account.",
            &["playlist_id", "hearts", "private"],
        )],
    },
    Kept {
        heading: "The most hearted playlists",
        purpose: "For the page of that name: only playlists that at least three people heart, without a word about who does; by its link alone where nobody here knows it as public.",
        table: "top_playlists",
        fields: &[field(
            "The playlist, its place and its numbers of hearts",
            "Until the list is made anew, within a minute.",
            &["period", "place", "playlist_id", "week", "ever"],
        )],
    },
    Kept {
        heading: "The age of that list",
        purpose: "About this server, not about you.",
        table: "top_lists",
        fields: &[field(
            "When it was made, and that it is just being made",
            "Until it is made anew, within a minute.",
            &["only_one", "made_at", "leased_until"],
        )],
    },
    Kept {
        heading: "Playlists that Spotify showed you",
        purpose: "So that a page opens without asking Spotify anew, and while Spotify is away. Shown to you alone, and to others only where you share your hearts; but the names and covers of public ones that at least three people heart may stand on the page of most hearted playlists, without a word about you.",
        table: "playlists",
        fields: &[
            field("That it was shown to you, which one, and when last", SHOWN, &["user_id", "id", "seen_at"]),
            field("Its place in your list", SHOWN, &["position"]),
            field(
                "Its name, its owner’s id and name, and the address of its cover; both names also without accents, for searching",
                SHOWN,
                &["name", "owner_id", "owner_name", "cover_url", "name_folded", "owner_folded"],
            ),
            field(
                "How many items it has, whether it is public or collaborative, and its version",
                SHOWN,
                &["item_count", "public", "collaborative", "snapshot_id", "snapshot_seen_at"],
            ),
        ],
    },
    Kept {
        heading: "The state of your list",
        purpose: "So that the page can say how old it is, and whether it is whole.",
        table: "libraries",
        fields: &[
            field(
                "Whose it is, when Spotify last showed it, and when it last failed to",
                SHOWN,
                &["user_id", "fetched_at", "failed_at"],
            ),
            field("How many playlists Spotify counts, and how many of them were read", SHOWN, &["counted", "reached"]),
            field("That it is just being read", "A few seconds.", &["leased_until"]),
        ],
    },
    Kept {
        heading: "When to leave Spotify alone",
        purpose: "About this server, not about you.",
        table: "cooldowns",
        fields: &[field(
            "What must not be asked, until when, and whether an allowance is used up",
            "Until that time is over.",
            &["bucket", "until", "quota"],
        )],
    },
    Kept {
        heading: "How often Spotify was asked",
        purpose: "About this server, not about you.",
        table: "spotify_calls",
        fields: &[field("A number for each day and each kind of question", "A month.", &["day", "endpoint", "calls"])],
    },
];

const fn field(what: &'static str, how_long: &'static str, columns: &'static [&'static str]) -> Field {
    Field { what, how_long, columns }
}
