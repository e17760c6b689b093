//! Operators: who becomes one, and what they do on their page.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::page::Page;
use crate::support::program::{Program, free_port, start_program};
use crate::support::rows::add_hearts_of_strangers;
use crate::support::sharing::{create_secret_link, publish_page_at};
use crate::support::visitor::{Visitor, approve};
use crate::support::{Site, wait_until};

/// No `OPERATOR`.
const NOBODY: (&str, &str) = ("OPERATOR", "");
/// The identity on the account page.
const IDENTITY: &str = "section[aria-labelledby='identities'] code";
const HIDDEN: &str = "3cEYpjA9oz9GiPac4AsH4n";

/// Runs `heartlist operator` with `arguments` on the site's database. Returns whether it succeeded, and its output.
async fn run_command(site: &Site, arguments: &[&str]) -> (bool, String) {
    let arguments = [&["operator"], arguments].concat();
    let (code, output) = Program::start_with(&arguments, &site.settings()).wait_for_exit().await;
    (code == Some(0), output)
}

/// Makes a link for an operator. Returns its path.
async fn create_link(site: &Site) -> String {
    link_path(&run_command(site, &[]).await.1)
}

fn link_path(output: &str) -> String {
    let link = output.split_whitespace().find(|word| word.contains("/invite/")).expect("a link");
    url::Url::parse(link).unwrap().path().to_owned()
}

/// Presses the button `action` beside the person whose row names them.
async fn change(operator: &Visitor, name: &str, action: &str) -> Page {
    let path = person_path(operator, name).await;
    operator.post(&path, &format!("action={action}")).await
}

/// Returns the path of the forms beside the person whose row names them.
async fn person_path(operator: &Visitor, name: &str) -> String {
    let page = operator.open("/operator").await;
    let (names, ids) = (page.texts("main li b[id]"), page.attributes("main li b[id]", "id"));
    let at = names.iter().position(|shown| shown.starts_with(name)).unwrap_or_else(|| panic!("{name} in {names:?}"));
    format!("/operator/people/{}", ids[at].trim_start_matches("p-"))
}

#[tokio::test]
async fn nobody_becomes_operator_by_coming_first() {
    for registration in ["open", "invite"] {
        let site = Site::open_with(&[NOBODY, ("REGISTRATION", registration)]).await;
        let mira = site.visitor();
        let status = mira.sign_in("mira").await.status;
        assert_eq!(status, if registration == "open" { 200 } else { 403 }, "{registration}");
        assert_eq!(site.count("select count(*) from users where operator").await, 0);
        assert_ne!(mira.get("/operator").await.status, 200);
    }
}

#[tokio::test]
async fn operator_named_in_settings_may_always_join() {
    let site = Site::open_with(&[("REGISTRATION", "closed")]).await;
    assert_eq!(site.visitor().sign_in("mira").await.status, 403);
    let ada = site.sign_in("ada").await;
    assert!(ada.open("/account").await.has("a[href='/operator']"));
    assert_eq!(ada.open("/operator").await.status, 200);
    assert_eq!(ada.get("/setup").await.status, 200, "an operator may look at the setup from anywhere");
}

#[tokio::test]
async fn link_makes_one_person_operator_once() {
    let site = Site::open_with(&[NOBODY, ("REGISTRATION", "closed")]).await;
    let (path, other) = (create_link(&site).await, create_link(&site).await);
    let ada = site.visitor();
    assert_eq!(ada.open(&path).await.text("h1"), "Become the operator");
    assert_eq!(ada.sign_in_at(&path, "ada").await.status, 200);
    assert_eq!(ada.open("/operator").await.status, 200);
    assert_eq!(site.visitor().open(&path).await.status, 410);
    assert_eq!(site.visitor().open(&other).await.status, 404, "the first link that is used ends the others");
    assert_eq!(site.visitor().sign_in("mira").await.status, 403);
}

#[tokio::test]
async fn printed_link_ends_with_the_start_that_names_an_operator() {
    let site = Site::open_with(&[NOBODY, ("REGISTRATION", "closed")]).await;
    let links = async || site.count("select count(*) from invites").await;
    let (mut first, _) = start_program(&site, &[]).await;
    let path = link_path(&first.read_line().await);
    first.signal(Signal::TERM);
    first.wait_for_exit().await;
    assert_eq!(links().await, 1);
    assert_eq!(site.visitor().open(&path).await.text("h1"), "Become the operator");
    let (mut second, _) = start_program(&site, &[("OPERATOR", "spotify:made-up-ada")]).await;
    wait_until("the link is gone", async || links().await == 0).await;
    second.signal(Signal::TERM);
    second.wait_for_exit().await;
    assert_eq!(site.visitor().open(&path).await.status, 404);
    assert_eq!(site.visitor().sign_in("mira").await.status, 403);
}

#[tokio::test]
async fn demo_that_others_reach_prints_no_link() {
    let (data, port) = (tempfile::tempdir().unwrap(), free_port());
    let public = [("DEMO", "1"), ("BASE_URL", "https://hearts.example")];
    for (settings, prints_link) in [(&public[..], false), (&[], true)] {
        let mut program = Program::start_demo_with(data.path(), &port, settings);
        program.wait_until_ready().await;
        let readiness = format!("http://127.0.0.1:{port}/readyz");
        wait_until("ready", async || reqwest::get(&readiness).await.is_ok_and(|response| response.status() == 200))
            .await;
        let line = if prints_link { program.read_line().await } else { String::new() };
        program.signal(Signal::TERM);
        let (_, output) = program.wait_for_exit().await;
        assert_eq!(format!("{line}{output}").contains("To become operator"), prints_link, "{output}");
    }
}

#[tokio::test]
async fn whoever_becomes_operator_ends_the_links() {
    let site = Site::open_with(&[NOBODY]).await;
    let (ada, _mira) = (site.sign_in("ada").await, site.sign_in("mira").await);
    let by_command = create_link(&site).await;
    assert!(run_command(&site, &["add", "spotify:made-up-ada"]).await.0);
    assert_eq!(site.visitor().open(&by_command).await.status, 404);
    let on_the_page = create_link(&site).await;
    change(&ada, "Mira", "grant").await;
    assert_eq!(site.visitor().open(&on_the_page).await.status, 404);
    let site = Site::open().await;
    let by_setting = create_link(&site).await;
    site.sign_in("mira").await;
    assert_eq!(site.visitor().open(&by_setting).await.status, 200);
    site.sign_in("ada").await;
    assert_eq!(site.visitor().open(&by_setting).await.status, 404);
}

#[tokio::test]
async fn link_makes_existing_user_operator_after_confirmation() {
    let site = Site::open_with(&[NOBODY]).await;
    let mira = site.sign_in("mira").await;
    let path = create_link(&site).await;
    let page = mira.open(&path).await;
    assert_eq!(site.count("select count(*) from users where operator").await, 0, "opening it changes nothing");
    assert_eq!(mira.submit(page.form("main form")).await.text("h1"), "Operator");
    assert_eq!(mira.post(&path, "").await.status, 410);
    let late = create_link(&site).await;
    site.advance(Duration::from_secs(86_400));
    assert_eq!(site.sign_in("noor").await.open(&late).await.status, 410, "valid for a day");
}

#[tokio::test]
async fn an_ordinary_invitation_makes_nobody_operator() {
    let site = Site::open().await;
    let page = {
        let ada = site.sign_in("ada").await;
        ada.submit(ada.open("/invites").await.form("form[action='/invites']")).await
    };
    let path = url::Url::parse(&page.text("main code.copy-value")).unwrap().path().to_owned();
    let mira = site.sign_in("mira").await;
    assert_eq!(mira.post(&path, "").await.status, 410);
    assert_eq!(site.visitor().sign_in_at(&path, "noor").await.status, 200);
    assert_eq!(site.count("select count(*) from users where operator").await, 1);
}

#[tokio::test]
async fn role_is_handed_over_and_the_last_operator_stays() {
    let site = Site::open_with(&[NOBODY]).await;
    let ada = site.sign_in("ada").await;
    site.make_everybody_operator().await;
    let mira = site.sign_in("mira").await;
    assert!(ada.open("/account/delete").await.text("main").contains("only operator"));
    let refused = change(&ada, "Ada", "revoke").await;
    assert_eq!(refused.header("location"), "/operator");
    assert!(ada.open("/operator").await.text("main").contains("make somebody else operator first"));
    change(&ada, "Mira", "grant").await;
    assert!(!ada.open("/account/delete").await.text("main").contains("only operator"));
    assert_eq!(mira.open("/operator").await.status, 200);
    assert_eq!(ada.open("/operator").await.texts("main li .badge"), ["operator", "you", "operator"]);
    change(&mira, "Ada", "revoke").await;
    assert_eq!(mira.open("/operator").await.flash().unwrap(), "They are no longer an operator.");
    assert_eq!(ada.open("/operator").await.status, 404);
    for (path, body) in [("/operator/people/1", "action=grant"), ("/operator/popular", "hide=true&link=x")] {
        assert_eq!(ada.post(path, body).await.status, 404, "{path}");
    }
    change(&mira, "Ada", "grant").await;
    assert_eq!(change(&mira, "Mira", "revoke").await.header("location"), "/account");
    assert_eq!(mira.open("/account").await.flash().unwrap(), "You are no longer an operator.");
}

#[tokio::test]
async fn operator_of_the_settings_cannot_be_removed() {
    let site = Site::open().await;
    let (ada, mira) = (site.sign_in("ada").await, site.sign_in("mira").await);
    change(&ada, "Mira", "grant").await;
    change(&mira, "Ada", "revoke").await;
    assert!(mira.open("/operator").await.text("main").contains("the setting OPERATOR names it"));
    assert_eq!(ada.open("/operator").await.status, 200);
}

#[tokio::test]
async fn naming_an_operator_needs_a_recent_sign_in() {
    let site = Site::open().await;
    let (ada, mira) = (site.sign_in("ada").await, site.sign_in("mira").await);
    site.advance(Duration::from_secs(3600));
    let redirect = change(&ada, "Mira", "grant").await;
    assert!(redirect.header("location").starts_with("/account/reauthenticate"), "{:?}", redirect.headers);
    assert_eq!(mira.open("/operator").await.status, 404);
    let page = ada.open(redirect.header("location")).await;
    let consent = ada.submit(page.form("form[action='/auth/spotify']:has([name=reason])")).await;
    assert_eq!(ada.submit(approve(&consent, "ada")).await.url.path(), "/operator", "back to the list of people");
    change(&ada, "Mira", "grant").await;
    assert_eq!(mira.open("/operator").await.status, 200);
}

#[tokio::test]
async fn two_operators_cannot_end_each_others_role_at_once() {
    let site = Site::open_with(&[NOBODY]).await;
    let (ada, mira) = (site.sign_in("ada").await, site.sign_in("mira").await);
    site.make_everybody_operator().await;
    let (mira_path, ada_path) = (person_path(&ada, "Mira").await, person_path(&mira, "Ada").await);
    let body = "action=revoke";
    let (first, second) = tokio::join!(ada.post(&mira_path, body), mira.post(&ada_path, body));
    assert!([first.status, second.status].iter().all(|status| [303, 404].contains(status)));
    assert_eq!(site.count("select count(*) from users where operator").await, 1);
}

#[tokio::test]
async fn command_line_adds_and_removes_operators() {
    let site = Site::open_with(&[NOBODY]).await;
    let (mira, noor) = (site.sign_in("mira").await, site.sign_in("noor").await);
    let identity = mira.open("/account").await.text(IDENTITY);
    assert!(identity.starts_with("spotify:"), "{identity}");
    assert!(!run_command(&site, &["add", "spotify:nobody"]).await.0);
    assert!(!run_command(&site, &["add", "mira"]).await.0);
    assert!(run_command(&site, &["add", &identity]).await.0);
    assert_eq!((mira.open("/operator").await.status, noor.open("/operator").await.status), (200, 404));
    assert!(!run_command(&site, &["remove", &identity]).await.0, "the last one stays");
    let other = noor.open("/account").await.text(IDENTITY);
    assert!(run_command(&site, &["add", &other]).await.0 && run_command(&site, &["remove", &identity]).await.0);
    assert_eq!((mira.open("/operator").await.status, noor.open("/operator").await.status), (404, 200));
}

#[tokio::test]
async fn hidden_playlist_leaves_the_popular_list() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    add_hearts_of_strangers(&site, HIDDEN, 3).await;
    site.force_top_refresh().await;
    assert!(site.visitor().open("/top").await.html.contains(HIDDEN));
    let link = format!("hide=true&link=https://open.spotify.com/playlist/{HIDDEN}");
    let login = format!("/login?heart={HIDDEN}");
    assert!(site.visitor().open(&login).await.text("main").contains("Public"));
    ada.post("/operator/popular", &link).await;
    assert!(!site.visitor().open("/top").await.html.contains(HIDDEN), "at once");
    assert!(!site.visitor().open(&login).await.text("main").contains("Public"), "at once");
    site.force_top_refresh().await;
    assert!(!site.visitor().open("/top").await.html.contains(HIDDEN), "and in the next count");
    ada.submit(ada.open("/operator").await.form("main h3 ~ ul form")).await;
    site.force_top_refresh().await;
    assert!(site.visitor().open("/top").await.html.contains(HIDDEN));
    let wrong = ada.open("/operator").await.form("#link").with("link", "spotify:album:3cEYpjA9oz9GiPac4AsH4n");
    let page = ada.submit(wrong).await;
    assert_eq!((page.status, page.attribute("#link", "value")), (422, "spotify:album:3cEYpjA9oz9GiPac4AsH4n".into()));
    assert!(page.text("#link-error").starts_with("This is a link to an album"), "{}", page.text("#link-error"));
    assert_eq!(ada.open(page.url.path()).await.url.path(), "/operator", "and a theme can be chosen there");
}

#[tokio::test]
async fn changes_return_to_the_page_of_people_that_they_were_made_on() {
    let site = Site::open().await;
    let ada = site.sign_in("ada").await;
    let people = "insert into users (display_name, created_at) select 'S', now() from generate_series(1, 60)";
    sqlx::query(people).execute(&site.db).await.unwrap();
    for button in ["button[value=grant]", "#link"] {
        let form = ada.open("/operator?page=2").await.form(button).with("hide", "true").with("link", HIDDEN);
        ada.send_form(form).await.assert_redirect("/operator?page=2");
    }
    let page = ada.submit(ada.open("/operator?page=2").await.form("#link").with("link", "x")).await;
    assert_eq!((page.status, page.text(".pager p").as_str()), (422, "Page 2 of 2"));
    for foreign in ["/account", "//evil.example", "/operators", ""] {
        let form = page.form("#link").with("link", HIDDEN).with("from", foreign);
        ada.send_form(form).await.assert_redirect("/operator");
    }
}

#[tokio::test]
async fn taken_down_page_stays_down_until_allowed_again() {
    let site = Site::open().await;
    let (ada, mira) = (site.sign_in("ada").await, site.sign_in("mira").await);
    publish_page_at(&mira, "mira-loves").await;
    create_secret_link(&mira).await;
    assert_eq!(site.visitor().open("/u/mira-loves").await.status, 200);
    change(&ada, "Mira", "take-down").await;
    assert_eq!(site.visitor().open("/u/mira-loves").await.status, 410);
    assert_eq!(site.count("select count(*) from shares where slug is not null or token_hash is not null").await, 0);
    let refused = mira.post("/account/sharing/page", "on=true&slug=mira-again").await;
    assert!(refused.status == 422 && refused.text("main").contains("The operator took down"), "{}", refused.html);
    for path in ["/account", "/account/sharing"] {
        assert!(mira.open(path).await.text("main").contains("The operator took down"), "{path}");
    }
    mira.post("/account/sharing/link", "on=true").await;
    assert_eq!(site.count("select count(*) from shares where token_hash is not null").await, 0);
    change(&ada, "Mira", "allow-sharing").await;
    publish_page_at(&mira, "mira-loves").await;
    assert!(!mira.open("/account").await.text("main").contains("The operator took down"));
    assert_eq!(site.visitor().open("/u/mira-loves").await.status, 200);
}

#[tokio::test]
async fn taken_down_person_cannot_share_by_joining_again() {
    let site = Site::open().await;
    let (ada, mira) = (site.sign_in("ada").await, site.sign_in("mira").await);
    publish_page_at(&mira, "mira-loves").await;
    change(&ada, "Mira", "take-down").await;
    let form = mira.open("/account/delete").await.form("form[action='/account/delete']").with("confirm", "yes");
    mira.submit(form).await;
    assert_eq!(site.count_users().await, 1);
    let mira = site.sign_in("mira").await;
    let refused = mira.post("/account/sharing/page", "on=true&slug=mira-again").await;
    assert!(refused.status == 422 && refused.text("main").contains("The operator took down"), "{}", refused.html);
    mira.post("/account/sharing/link", "on=true").await;
    assert_eq!(site.count("select count(*) from shares where token_hash is not null").await, 0);
    assert!(ada.open("/operator").await.text("main").contains("not sharing: taken down"));
    change(&ada, "Mira", "allow-sharing").await;
    publish_page_at(&mira, "mira-again").await;
    assert_eq!(site.visitor().open("/u/mira-again").await.status, 200);
}

#[tokio::test]
async fn contact_is_on_every_page_and_in_security_txt() {
    let site = Site::open().await;
    assert_eq!(site.visitor().get("/.well-known/security.txt").await.status, 404);
    assert!(!site.visitor().open("/").await.has("footer a[href^='mailto:']"));
    let site = Site::open_with(&[("CONTACT", "hearts@example.com")]).await;
    for path in ["/", "/top", "/nope"] {
        assert!(site.visitor().get(path).await.html.contains("mailto:hearts@example.com"), "{path}");
    }
    let text = site.visitor().get("/.well-known/security.txt").await.html;
    assert!(text.contains("Contact: mailto:hearts@example.com\n") && text.contains("\nExpires: 2"), "{text}");
    let redirect = site.visitor().get("/.well-known/change-password").await;
    assert_eq!((redirect.status, redirect.header("location")), (303, "/account"));
}

#[tokio::test]
async fn database_of_a_demo_is_refused_by_the_real_mode_and_the_other_way_round() {
    let site = Site::open().await;
    sqlx::query("delete from installation").execute(&site.db).await.unwrap();
    let mut first = Program::start(&site.settings());
    first.wait_until_ready().await;
    first.signal(Signal::TERM);
    first.wait_for_exit().await;
    sqlx::query("update installation set demo = true").execute(&site.db).await.unwrap();
    for arguments in [&[][..], &["migrate"]] {
        let (code, log) = Program::start_with(arguments, &site.settings()).wait_for_exit().await;
        assert!(code != Some(0) && log.contains("filled by the demo"), "{log}");
    }
    sqlx::query("update installation set demo = false").execute(&site.db).await.unwrap();
    let url = site.settings().into_iter().find(|(name, _)| *name == "DATABASE_URL").unwrap().1;
    let (code, log) = Program::start(&[("DATABASE_URL", url), ("PORT", &free_port())]).wait_for_exit().await;
    assert!(code != Some(0) && log.contains("has real people"), "{log}");
}
