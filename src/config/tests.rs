use std::collections::HashMap;

use super::*;

fn read(pairs: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let map: HashMap<_, _> = pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    Config::from_env(|name| map.get(name).cloned(), false)
}

const REAL: [(&str, &str); 3] = [
    ("SPOTIFY_CLIENT_ID", "id"),
    ("SPOTIFY_CLIENT_SECRET", "client-secret-value"),
    ("SESSION_SECRET", "0123456789012345678901234567890123456789"),
];

fn errors(extra: &[(&str, &str)]) -> String {
    read(&[&REAL[..], extra].concat()).unwrap_err().to_string()
}

#[test]
fn nothing_set_is_a_demo_on_loopback() {
    let config = read(&[]).unwrap();
    assert!(config.demo && config.session_secret.is_none());
    assert_eq!(config.base_url.as_str(), "http://127.0.0.1:8080/");
    assert_eq!(config.spotify.accounts_url.as_str(), "http://127.0.0.1:8080/fake-spotify");
    assert_eq!(config.spotify.api_url.as_str(), "http://127.0.0.1:8080/fake-spotify/v1");
    assert!(matches!(config.database, Database::Private { .. }));
}

#[test]
fn a_client_id_means_the_real_spotify() {
    let config = read(&REAL).unwrap();
    assert!(!config.demo);
    assert_eq!(config.spotify.accounts_url.as_str(), "https://accounts.spotify.com/");
    assert_eq!(config.spotify.api_url.as_str(), "https://api.spotify.com/v1");
    assert_eq!(config.redirect_uri(Provider::Spotify).as_str(), "http://127.0.0.1:8080/auth/spotify/callback");
}

#[test]
fn all_errors_are_reported_together_without_secrets() {
    let settings = [
        ("PORT", "0"),
        ("HOST", "here"),
        ("SESSION_SECRET", "short-secret"),
        ("DATABASE_URL", "mysql://u:hidden@h/d"),
        ("READ_DATABASE_URL", "http://hidden"),
        ("LOG_FORMAT", "xml"),
        ("OPERATOR_TOKEN", "short-token"),
        ("TOP_PAGE", "maybe"),
        ("OEMBED", "yes"),
        ("TITLE_DAYS", "29"),
        ("SESSION_SECRET_OLD", "short-secret"),
        ("DATABASE_CONNECTIONS", "1"),
    ];
    let errors = read(&[&settings[..], &[("SPOTIFY_CLIENT_ID", "x")]].concat()).unwrap_err().to_string();
    for name in settings.iter().map(|(name, _)| *name).chain(["SPOTIFY_CLIENT_SECRET"]) {
        assert!(errors.contains(&format!("- {name} ")), "{name} in {errors}");
    }
    assert!(!errors.contains("short-secret") && !errors.contains("short-token") && !errors.contains("hidden"));
}

#[test]
fn base_urls_that_spotify_refuses_are_errors() {
    assert!(errors(&[("BASE_URL", "http://localhost:8080")]).contains("127.0.0.1"));
    for bad in
        ["http://example.com", "ftp://example.com", "https://example.com/app", "https://u:p@example.com", "nonsense"]
    {
        assert!(errors(&[("BASE_URL", bad)]).contains("BASE_URL"), "{bad}");
    }
    for good in ["https://hearts.example.com", "https://hearts.example.com/", "http://[::1]:3000", "http://127.0.0.1:9"]
    {
        assert!(read(&[&REAL[..], &[("BASE_URL", good)]].concat()).is_ok(), "{good}");
    }
}

#[test]
fn a_demo_never_uses_the_real_spotify_and_is_explicit_on_heroku() {
    assert!(errors(&[("DEMO", "1")]).contains("DEMO"));
    let dyno = [("DYNO", "web.1"), ("DATABASE_URL", "postgres://h/d"), ("BASE_URL", "https://x.example"), REAL[2]];
    assert!(read(&dyno).unwrap_err().to_string().contains("SPOTIFY_CLIENT_ID"));
    assert!(read(&[&dyno[..], &[("DEMO", "1")]].concat()).unwrap().demo);
    let review = [dyno[0], dyno[1], REAL[2], ("DEMO", "1"), ("HEROKU_APP_NAME", "hearts-pr-7")];
    assert!(!read(&review).unwrap().is_base_url_known, "the name is not the whole host");
    let domain = ("HEROKU_APP_DEFAULT_DOMAIN_NAME", "hearts-pr-7-0123456789ab.herokuapp.com");
    let review = read(&[&review[..], &[domain]].concat()).unwrap();
    assert!(review.is_base_url_known);
    assert_eq!(review.base_url.as_str(), "https://hearts-pr-7-0123456789ab.herokuapp.com/");
    assert!(read(&[("SPOTIFY_API_URL", "https://api.example/v1")]).is_err());
    assert!(read(&[("SPOTIFY_OEMBED_URL", "https://oembed.example")]).is_err());
}

#[test]
fn heroku_needs_base_url_database_and_secret() {
    let errors = errors(&[("DYNO", "web.1"), ("SESSION_SECRET", "")]);
    for name in ["BASE_URL", "DATABASE_URL", "SESSION_SECRET"] {
        assert!(errors.contains(name), "{name} in {errors}");
    }
    let with_domain = [
        ("DYNO", "web.1"),
        ("DATABASE_URL", "postgres://h/d"),
        ("HEROKU_APP_DEFAULT_DOMAIN_NAME", "x-1.herokuapp.com"),
    ];
    let config = read(&[&REAL[..], &with_domain].concat()).unwrap();
    assert_eq!(config.base_url.as_str(), "https://x-1.herokuapp.com/");
    assert_eq!(config.host.to_string(), "0.0.0.0");
}

#[test]
fn an_empty_value_counts_as_not_set() {
    assert!(read(&[("SPOTIFY_CLIENT_ID", ""), ("PORT", " ")]).unwrap().demo);
}

#[test]
fn debug_shows_no_secret() {
    let config = read(&[&REAL[..], &[("DATABASE_URL", "postgres://u:hidden@h/d")]].concat()).unwrap();
    let debug = format!("{config:?}");
    for secret in ["client-secret-value", "0123456789", "hidden"] {
        assert!(!debug.contains(secret));
    }
}

#[test]
fn invalid_values_are_reported_by_name() {
    for bad in ["postgres://", "postgres:///hearts", "postgres", "mysql://h/d"] {
        assert!(read(&[("DATABASE_URL", bad)]).unwrap_err().to_string().contains("- DATABASE_URL "), "{bad}");
    }
    assert!(read(&[("DATABASE_URL", "postgresql:///hearts?host=/run/postgresql")]).is_ok());
    assert!(read(&[("RUST_LOG", "=bad[")]).unwrap_err().to_string().contains("- RUST_LOG "));
    assert!(read(&[("DEMO", "0")]).unwrap_err().to_string().contains("DEMO=0"));
    for bad in ["off", "false", "no", "true", "2"] {
        let error = read(&[("DEMO", bad)]).unwrap_err().to_string();
        assert!(error.contains("- DEMO is not `1` or `0`"), "{bad}: {error}");
    }
}

#[test]
fn database_urls_with_unescaped_special_characters_are_errors() {
    for password in
        ["hush/hush", "hush?hush", "hush#hush", "hush@hush", "hush:hush", "hush%hush", "12/34", "1?hush=2", "hush hush"]
    {
        for scheme in ["postgres", "postgresql"] {
            let url = format!("{scheme}://somebody:{password}@db.example:5432/hearts");
            for name in ["DATABASE_URL", "READ_DATABASE_URL"] {
                let errors = errors(&[(name, &url)]);
                assert!(errors.contains(&format!("- {name} ")) && errors.contains("percent-encode it"), "{errors}");
                for part in ["hush", "12", "somebody", "db.example", "5432/"] {
                    assert!(!errors.contains(part), "{part} of {url} in {errors}");
                }
            }
        }
    }
    for good in [
        "postgres://somebody:%2F%3F%23%40%3A%25@db.example:5432/hearts",
        "postgres://somebody:hush!$&'()*+,;=~-._@db.example/hearts?sslmode=require",
        "postgres://somebody@[::1]:5432/hearts",
        "postgres://db.example/hearts?user=somebody&password=hush%40hush",
        "postgresql://%2Frun%2Fpostgresql/hearts",
        "POSTGRES://somebody@db.example/hearts",
        "PostgreSQL://db.example/hearts",
    ] {
        assert!(read(&[&REAL[..], &[("DATABASE_URL", good)]].concat()).is_ok(), "{good}");
    }
    for url in ["postgres://ada@server:hush@db.example/hearts", "postgres://ada@server@db.example/hearts"] {
        let errors = errors(&[("DATABASE_URL", url)]);
        assert!(errors.contains("user name or password") && !errors.contains("server"), "{errors}");
    }
    let unknown = errors(&[("DATABASE_URL", "postgres://db.example/hearts?sslmode=no-verify")]);
    assert!(unknown.contains("verify-full") && !unknown.contains("no-verify"), "{unknown}");
}

#[test]
fn values_with_quotes_are_named_for_every_variable() {
    for Variable { name, .. } in VARIABLES.iter() {
        for quoted in ["\"value\"", "'value'", "\u{201c}value\u{201d}", "`value`", "„value“", "„value”", "«value»"]
        {
            let errors = errors(&[(name, quoted)]);
            assert!(errors.contains(&format!("- {name} has quotes around its value")), "{name} {quoted}: {errors}");
        }
    }
    for name in ["SESSION_SECRET", "OPERATOR_TOKEN"] {
        let inside = "it's a secret of 32 characters or \"more\"";
        assert!(read(&[&REAL[..], &[(name, inside)]].concat()).is_ok(), "{name}");
    }
}

#[test]
fn a_provider_needs_both_its_client_id_and_its_secret() {
    for prefix in ["GOOGLE", "GITHUB", "FACEBOOK", "X"] {
        let (id, secret) = (format!("{prefix}_CLIENT_ID"), format!("{prefix}_CLIENT_SECRET"));
        let with = |more: &[(&str, &str)]| read(&[&REAL[..], more].concat());
        assert!(
            with(&[(&id, "a")]).unwrap_err().to_string().contains(&format!("- {secret} is missing but {id} is set"))
        );
        assert!(with(&[(&secret, "hush")]).unwrap_err().to_string().contains(&format!("- {id} is missing")));
        assert_eq!(with(&[(&id, "a"), (&secret, "b")]).unwrap().providers.len(), 1);
        assert!(read(&[(&id, "a"), (&secret, "b")]).unwrap_err().to_string().contains(&id), "not in a demo");
    }
    assert!(read(&REAL).unwrap().providers.is_empty());
    assert_eq!(read(&[]).unwrap().providers.len(), 4);
}

#[test]
fn old_secrets_are_separated_by_commas() {
    let old = format!(" {} ,{},", "a".repeat(32), "b".repeat(40));
    let config = read(&[&REAL[..], &[("SESSION_SECRET_OLD", &old), ("DATABASE_CONNECTIONS", "20")]].concat()).unwrap();
    let old: Vec<_> = config.old_session_secrets.iter().map(|secret| secret.expose().len()).collect();
    assert_eq!((old, config.max_connections), (vec![32, 40], 20));
    assert_eq!(read(&REAL).unwrap().max_connections, 8);
}

#[test]
fn a_demo_that_others_can_reach_is_chosen_explicitly() {
    for host in ["0.0.0.0", "::", "192.168.1.7", "fd00::7"] {
        assert!(read(&[("HOST", host)]).unwrap_err().to_string().contains("DEMO=1"), "{host}");
        assert!(read(&[("HOST", host), ("DEMO", "1")]).unwrap().demo);
        assert!(!read(&[&REAL[..], &[("HOST", host), ("DEMO", "0")]].concat()).unwrap().demo);
    }
    assert!(read(&[("HOST", "127.0.0.2")]).unwrap().demo && read(&[("HOST", "::1")]).unwrap().demo);
    for url in ["https://hearts.example.com", "https://192.0.2.7"] {
        let error = read(&[("BASE_URL", url)]).unwrap_err().to_string();
        assert!(error.contains("SPOTIFY_CLIENT_ID") && error.contains("DEMO=1"), "{error}");
        assert!(read(&[("BASE_URL", url), ("DEMO", "1")]).unwrap().demo);
    }
    for url in ["http://127.0.0.1:9000", "http://[::1]:9000"] {
        assert!(read(&[("BASE_URL", url)]).unwrap().demo, "{url}");
    }
}

#[test]
fn operators_are_identities_and_the_contact_is_a_link() {
    let access = |extra: &[(&str, &str)]| read(&[&REAL[..], extra].concat()).unwrap().access;
    let operators = access(&[("OPERATOR", "spotify:q7Zt3LmB0x, github:583231,")]).operators;
    assert_eq!(operators.iter().map(|named| named.subject.as_str()).collect::<Vec<_>>(), ["q7Zt3LmB0x", "583231"]);
    for bad in ["mira", "spotify:", "myspace:1", "spotify:a b", "spotify:a;github:1 x"] {
        assert!(errors(&[("OPERATOR", bad)]).contains("OPERATOR"), "{bad}");
    }
    for (text, url) in [
        ("hearts@example.com", "mailto:hearts@example.com"),
        ("mailto:hearts@example.com", "mailto:hearts@example.com"),
        ("https://example.com/contact", "https://example.com/contact"),
    ] {
        assert_eq!(access(&[("CONTACT", text)]).contact.unwrap().as_str(), url);
    }
    for bad in ["hearts", "javascript:alert(1)", "http://example.com", "mailto:", "@example.com"] {
        assert!(errors(&[("CONTACT", bad)]).contains("CONTACT"), "{bad}");
    }
}

#[test]
fn postgres_is_searched_in_path_and_where_the_scripts_unpack_it() {
    let search_path = |pairs: &[(&str, &str)]| match read(pairs).unwrap().database {
        Database::Private { search_path, .. } => search_path.map(|path| path.into_string().unwrap()),
        Database::Url(_) => panic!("there is no DATABASE_URL"),
    };
    let tools = "heartlist/tools/postgres/bin";
    assert_eq!(search_path(&[("PATH", "/a:/b"), ("HOME", "/home/me")]), Some(format!("/a:/b:/home/me/.cache/{tools}")));
    assert_eq!(search_path(&[("XDG_CACHE_HOME", "/cache"), ("HOME", "/home/me")]), Some(format!("/cache/{tools}")));
    assert_eq!(search_path(&[]), None);
}
