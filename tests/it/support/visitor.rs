//! A visitor with an HTTP client: opens pages, follows redirects, submits forms.

use std::sync::Arc;

use fake_spotify::{Account, FakeSpotify, OtherProvider};
use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Request};
use url::Url;

use super::assert_valid_html;
use super::page::{Form, Page};

/// An HTTP client with a cookie jar.
pub(crate) struct Visitor {
    client: Client,
    cookies: Arc<Jar>,
    base: Url,
}

impl Visitor {
    pub(crate) fn new(base: &str) -> Self {
        // Not yet done if this process has opened no site.
        heartlist::cli::install_tls();
        let cookies = Arc::new(Jar::default());
        let client = Client::builder().cookie_provider(cookies.clone()).redirect(Policy::none()).build().unwrap();
        Self { client, cookies, base: Url::parse(base).unwrap() }
    }

    /// The `Cookie` header.
    pub(crate) fn cookie(&self) -> String {
        self.cookies.cookies(&self.base).unwrap().to_str().unwrap().to_owned()
    }

    /// Requests an address and follows redirects.
    pub(crate) async fn open(&self, path: &str) -> Page {
        let page = self.get(path).await;
        self.follow(page).await
    }

    /// Requests an address without following redirects.
    pub(crate) async fn get(&self, path: &str) -> Page {
        self.request(Method::GET, path, &[("sec-fetch-site", "none")], None).await
    }

    /// Submits a form and follows redirects.
    pub(crate) async fn submit(&self, form: Form) -> Page {
        let page = self.send_form(form).await;
        self.follow(page).await
    }

    /// Submits a form without following redirects.
    pub(crate) async fn send_form(&self, form: Form) -> Page {
        let method = Method::from_bytes(form.method.as_bytes()).unwrap();
        let mut action = form.action;
        let origin = action.origin().ascii_serialization();
        let mut page = form.page.clone();
        page.set_fragment(None);
        let headers = [("sec-fetch-site", "same-origin"), ("origin", origin.as_str()), ("referer", page.as_str())];
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
        if method == Method::GET {
            action.set_query(Some(&body));
            return self.request(method, action.as_str(), &headers, None).await;
        }
        self.request(method, action.as_str(), &headers, Some(body)).await
    }

    /// Sends a same-origin form without following redirects.
    pub(crate) async fn post(&self, path: &str, body: &str) -> Page {
        self.request(Method::POST, path, &[("sec-fetch-site", "same-origin")], Some(body.to_owned())).await
    }

    /// Sends a same-origin request for JSON, as the page's script does.
    pub(crate) async fn fetch(&self, method: Method, path: &str) -> Page {
        let headers = [("sec-fetch-site", "same-origin"), ("accept", "application/json")];
        self.request(method, path, &headers, None).await
    }

    /// Submits a form with a file in its field `file`, without following redirects.
    pub(crate) async fn upload(&self, form: Form, file: &[u8]) -> Page {
        let origin = form.action.origin().ascii_serialization();
        let headers = [("sec-fetch-site", "same-origin"), ("origin", origin.as_str())];
        let mut body = b"--part\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a file\"\r\ncontent-type: application/octet-stream\r\n\r\n".to_vec();
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n--part--\r\n");
        let body = Some(("multipart/form-data; boundary=part", body));
        self.execute(Method::POST, form.action.as_str(), &headers, body).await
    }

    /// Sends any request; `body` is form-encoded.
    pub(crate) async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Page {
        let body = body.map(|body| ("application/x-www-form-urlencoded", body.into_bytes()));
        self.execute(method, path, headers, body).await
    }

    async fn execute(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<(&'static str, Vec<u8>)>,
    ) -> Page {
        let mut request = Request::new(method, self.base.join(path).unwrap());
        request.headers_mut().insert("accept", HeaderValue::from_static("text/html"));
        if let Some((kind, body)) = body {
            request.headers_mut().insert("content-type", HeaderValue::from_static(kind));
            *request.body_mut() = Some(body.into());
        }
        let given = headers.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()));
        request.headers_mut().extend(given.collect::<HeaderMap>());
        let response = self.client.execute(request).await.expect("an answer");
        let (status, url, headers) = (response.status().as_u16(), response.url().clone(), response.headers().clone());
        let page = Page { status, url, headers, html: response.text().await.expect("a whole answer") };
        assert_valid_html(&page);
        page
    }

    async fn follow(&self, mut page: Page) -> Page {
        for _ in 0..10 {
            if !(300..400).contains(&page.status) {
                return page;
            }
            let target = page.url.join(page.header("location")).unwrap();
            page = self.get(target.as_str()).await;
        }
        panic!("redirected without end, last to {}", page.url)
    }

    /// Opens the annotation form of the first heart.
    pub(crate) async fn edit_first_heart(&self) -> Page {
        let hearts = self.open("/hearts").await;
        self.open(&hearts.attribute("a.edit-link", "href")).await
    }

    /// Saves a heart's note and tags; returns the page it ends on.
    pub(crate) async fn annotate(&self, id: &str, note: &str, tags: &str) -> Page {
        let form = self.open(&format!("/hearts/{id}/annotation")).await.form(".annotation form");
        self.submit(form.with("note", note).with("tags", tags)).await
    }

    /// Submits the Spotify button of a page; returns the consent page.
    pub(crate) async fn start_spotify_sign_in(&self, sign_in_page: &str) -> Page {
        let page = self.open(sign_in_page).await;
        let consent = self.submit(page.form("form[action='/auth/spotify']")).await;
        assert!(consent.has("button[value=approve]"), "{} {}", consent.status, consent.html);
        consent
    }

    /// Submits the button of another provider; returns its consent page.
    pub(crate) async fn start_sign_in_with(&self, provider: OtherProvider, page: &Page) -> Page {
        let action = format!("/auth/{}", provider.key());
        let form = page.form(&format!("button[formaction='{action}'], form[action='{action}'] button"));
        let consent = self.submit(Form { action: page.url.join(&action).unwrap(), ..form }).await;
        assert!(consent.has("button[value=approve]"), "{} {}", consent.status, consent.html);
        consent
    }

    /// Signs in with the account of `key` at another provider; returns the page it ends on.
    pub(crate) async fn sign_in_with(&self, spotify: &FakeSpotify, provider: OtherProvider, key: &str) -> Page {
        let consent = self.start_sign_in_with(provider, &self.open("/login").await).await;
        self.submit(consent.approve_as(&spotify.account(provider, key))).await
    }

    /// Links an identity on the account page; returns the page it ends on.
    pub(crate) async fn link_identity(&self, spotify: &FakeSpotify, provider: OtherProvider, key: &str) -> Page {
        let consent = self.start_sign_in_with(provider, &self.open("/account").await).await;
        self.submit(consent.approve_as(&spotify.account(provider, key))).await
    }

    /// Signs in as `user` with Spotify; returns the page it ends on.
    pub(crate) async fn sign_in(&self, user: &str) -> Page {
        self.sign_in_at("/login", user).await
    }

    /// The same from another page that has the Spotify button, such as an invite.
    pub(crate) async fn sign_in_at(&self, sign_in_page: &str, user: &str) -> Page {
        let consent = self.start_spotify_sign_in(sign_in_page).await;
        self.submit(approve(&consent, user)).await
    }
}

impl Page {
    /// The approved form of another provider's consent page.
    pub(crate) fn approve_as(&self, account: &Account) -> Form {
        self.form("button[value=approve]").with("account", &account.id).with("decision", "approve")
    }
}

/// The approved form of Spotify's consent page.
pub(crate) fn approve(consent: &Page, user: &str) -> Form {
    consent.form("button[value=approve]").with("user", user).with("decision", "approve")
}

/// The denied form of a consent page.
pub(crate) fn deny(consent: &Page) -> Form {
    consent.form("button[value=deny]").with("decision", "deny")
}
