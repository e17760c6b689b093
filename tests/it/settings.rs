//! Settings of the process: the file .env, and what of a database URL may reach the log.

use std::path::Path;

use rustix::process::Signal;
use tokio::process::Command;

use crate::support::Site;
use crate::support::program::{Program, free_port};
use crate::support::visitor::Visitor;

/// Runs `heartlist doctor` in `folder`; returns its output.
async fn run_doctor_in(folder: &Path, settings: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heartlist"));
    command.arg("doctor").env_clear().envs(settings.iter().copied()).current_dir(folder);
    let output = command.output().await.unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

/// The value that the program reads for `REGISTRATION=written`: `open` is accepted, and any other is an error.
async fn is_read_as_open(content: &[u8]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".env"), content).unwrap();
    let output = run_doctor_in(folder.path(), &[("PORT", "0")]).await;
    assert!(output.contains("- PORT "), "the file is read: {output}");
    !output.contains("- REGISTRATION ")
}

/// The password of a role as the file has it must be the one that the program sends.
#[tokio::test]
async fn dollar_signs_in_env_file_are_literal() {
    let site = Site::open().await;
    let folder = tempfile::tempdir().unwrap();
    let token = "pa$word-$HOME-${PORT}-$$-32-characters-at-least";
    for written in [token.to_owned(), format!("\"{token}\""), format!("'{token}'"), token.replace('$', "\\$")] {
        let port = free_port();
        std::fs::write(folder.path().join(".env"), format!("# it's $5\nPORT={port}\nOPERATOR_TOKEN={written}\n"))
            .unwrap();
        let base = format!("http://127.0.0.1:{port}");
        let mut settings = site.settings();
        settings.retain(|(name, _)| *name != "BASE_URL");
        let mut program = Program::start_in(folder.path(), &settings);
        assert_eq!(program.wait_until_ready().await, base);
        let headers = [("authorization", format!("Bearer {token}")), ("x-forwarded-for", "203.0.113.7".into())];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let setup = Visitor::new(&base).request(reqwest::Method::GET, "/setup", &headers, None).await;
        assert_eq!(setup.status, 200, "{written}");
        program.signal(Signal::TERM);
        program.wait_for_exit().await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn settings_that_cannot_be_read_are_named_with_the_cause() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().unwrap();
    for name in ["OPERATOR_TOKEN", "DATABASE_URL", "REGISTRATION"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_heartlist"));
        command.arg("doctor").env_clear().current_dir(folder.path());
        let output = command.env(name, std::ffi::OsStr::from_bytes(b"hush\xff")).output().await.unwrap();
        let output = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.contains(&format!("{name} is not encoded as UTF-8")) && !output.contains("hush"), "{output}");
    }
    std::fs::create_dir(folder.path().join(".env")).unwrap();
    let output = run_doctor_in(folder.path(), &[]).await;
    assert!(output.contains(".env is not a regular file"), "{output}");
}

#[tokio::test]
async fn env_file_in_another_encoding_is_named_as_such() {
    let text = "REGISTRATION=open\r\nSESSION_SECRET=hush-hush-hush\r\n";
    let utf16 = |to_bytes: fn(u16) -> [u8; 2], bom: bool| {
        let units = bom.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        units.flat_map(to_bytes).collect::<Vec<u8>>()
    };
    for (content, cause) in [
        (utf16(u16::to_le_bytes, true), "UTF-16"),
        (utf16(u16::to_be_bytes, true), "UTF-16"),
        (utf16(u16::to_le_bytes, false), "UTF-16"),
        (b"REGISTRATION=caf\xe9\n".to_vec(), "UTF-8"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".env"), content).unwrap();
        let output = run_doctor_in(folder.path(), &[]).await;
        assert!(output.contains(".env") && output.contains(cause) && output.contains("Save it as UTF-8"), "{output}");
        assert!(!output.contains("hush"), "{output}");
    }
    for readable in
        ["\u{feff}REGISTRATION=open\n", "\u{feff}# caf\u{e9}\r\nREGISTRATION=open\r\n", "REGISTRATION='open'"]
    {
        assert!(is_read_as_open(readable.as_bytes()).await, "{readable:?}");
    }
    assert!(!is_read_as_open("\u{feff}REGISTRATION=nobody\n".as_bytes()).await);
}

/// Attack: somebody who may write above the working folder, such as in /tmp, sets where secrets are sent.
#[tokio::test]
async fn env_file_of_a_folder_above_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".env"), "REGISTRATION=nobody\n").unwrap();
    for below in ["one", "one/two"] {
        let inner = folder.path().join(below);
        std::fs::create_dir_all(&inner).unwrap();
        assert!(!run_doctor_in(&inner, &[("PORT", "0")]).await.contains("REGISTRATION"), "{below}");
    }
    assert!(run_doctor_in(folder.path(), &[("PORT", "0")]).await.contains("REGISTRATION"));
}

/// Attack: whoever may write into the working folder makes a file that never opens.
#[tokio::test]
async fn env_that_is_no_file_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".env");
    assert!(std::process::Command::new("mkfifo").args(["-m", "600"]).arg(&path).status().unwrap().success());
    assert!(run_doctor_in(folder.path(), &[]).await.contains(".env is not a regular file"));
}

#[tokio::test]
async fn env_file_that_others_may_write_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(".env");
    std::fs::write(&file, "REGISTRATION=nobody\n").unwrap();
    for (mode, is_refused) in
        [(0o666, true), (0o620, true), (0o602, true), (0o660, true), (0o644, false), (0o600, false), (0o440, false)]
    {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let output = run_doctor_in(folder.path(), &[]).await;
        assert_eq!(output.contains(".env can be changed by other users"), is_refused, "{mode:o}: {output}");
        assert_ne!(output.contains("- REGISTRATION"), is_refused, "{mode:o}: {output}");
    }
    // Only root can give a file away.
    if std::os::unix::fs::chown(&file, Some(12345), None).is_ok() {
        let output = run_doctor_in(folder.path(), &[]).await;
        assert!(output.contains(".env belongs to another user") && !output.contains("- REGISTRATION"), "{output}");
    }
}

#[tokio::test]
async fn doctor_names_value_that_keeps_its_quotes() {
    let output = run_doctor_in(&std::env::temp_dir(), &[("SPOTIFY_CLIENT_ID", "\"hush\""), ("PG_BIN", "'hush'")]).await;
    for name in ["SPOTIFY_CLIENT_ID", "PG_BIN"] {
        assert!(output.contains(&format!("- {name} has quotes around its value")), "{output}");
    }
    assert!(!output.contains("hush"), "{output}");
}

/// At the lowest level, because libraries log what they parse.
#[tokio::test]
async fn log_contains_no_part_of_database_url() {
    let site = Site::open().await;
    let parts = ["hush-pass", "hush-key", "hush-name", "hush-option", "hush-host"];
    let query = "sslpassword=hush-key&hush-option=hush-name&application_name=hush-name&connect_timeout=hush-option";
    let urls = [
        format!("postgres://127.0.0.1:1/hush-name?password=hush-pass&{query}"),
        format!("postgres://somebody:hush-pass/@hush-host/hush-name?{query}"),
        format!("postgres://somebody:hush%ff@hush-host/hush-name?{query}"),
        format!("postgres://somebody:hush-pass@127.0.0.1:1/hush-name?sslmode=hush-option&{query}"),
        "postgres://127.0.0.1:1/hush-name?port=hush-option".into(),
    ];
    for name in ["DATABASE_URL", "READ_DATABASE_URL"] {
        for url in &urls {
            let mut settings = site.settings();
            settings.push((name, url));
            settings.extend([("RUST_LOG", "trace"), ("LOG_FORMAT", "text")]);
            let output = run_doctor_in(&std::env::temp_dir(), &settings).await;
            assert!(output.contains(name) || output.contains("cannot be used"), "{output}");
            for part in parts {
                assert!(!output.contains(part), "{part} of {url}:\n{output}");
            }
        }
    }
}

/// A pooler's or a hosting service's own parameters, such as Neon's.
#[tokio::test]
async fn unknown_parameters_of_database_url_are_ignored() {
    let site = Site::open().await;
    let settings = site.settings();
    let url = settings.iter().find(|(name, _)| *name == "DATABASE_URL").unwrap().1;
    let separator = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{separator}channel_binding=require&pgbouncer=true&sslpassword=hush");
    let mut settings = settings.clone();
    settings.extend([("DATABASE_URL", url.as_str()), ("RUST_LOG", "trace")]);
    let output = run_doctor_in(&std::env::temp_dir(), &settings).await;
    assert!(
        output.contains("Up to date") && !output.contains("hush") && !output.contains("channel_binding"),
        "{output}"
    );
}
