//! A Postgres that hangs or is gone while the app runs.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use url::Url;

use crate::process::{Program, free_port};
use crate::support::Site;
use crate::support::visitor::Visitor;

/// A socket before the site's Postgres that can stop passing bytes on, as a frozen server does.
struct Between {
    folder: tempfile::TempDir,
    frozen: Arc<AtomicBool>,
}

impl Between {
    fn stand(real: PathBuf) -> Self {
        let folder = tempfile::tempdir_in("/var/tmp").unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
        let frozen = Arc::new(AtomicBool::new(false));
        let gate = frozen.clone();
        tokio::spawn(async move {
            while let Ok((ours, _)) = listener.accept().await {
                let (real, gate) = (real.clone(), gate.clone());
                tokio::spawn(async move {
                    let Ok(theirs) = UnixStream::connect(&real).await else { return };
                    let ((a, b), (c, d)) = (ours.into_split(), theirs.into_split());
                    tokio::join!(pass(a, d, gate.clone()), pass(c, b, gate));
                });
            }
        });
        Self { folder, frozen }
    }

    fn url(&self, real: &str) -> String {
        let mut url = Url::parse(real).unwrap();
        url.set_query(Some(&format!("host={}&sslmode=disable", self.folder.path().display())));
        url.into()
    }
}

async fn pass(mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWriteExt + Unpin, frozen: Arc<AtomicBool>) {
    let mut bytes = [0; 8192];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        while frozen.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}

fn socket_of(url: &str) -> Option<PathBuf> {
    let url = Url::parse(url).unwrap();
    let folder = url.query_pairs().find(|(name, _)| name == "host")?.1.into_owned();
    Some(Path::new(&folder).join(".s.PGSQL.5432"))
}

#[tokio::test]
async fn g15_a_database_that_hangs_is_a_503_soon_and_recovery_comes_by_itself() {
    let site = Site::open().await;
    let settings = site.settings();
    let real = settings.iter().find(|(name, _)| *name == "DATABASE_URL").unwrap().1;
    // A server of TEST_DATABASE_URL may be behind no socket that could be stood before.
    let Some(socket) = socket_of(real) else { return };
    let between = Between::stand(socket);
    let (port, url) = (free_port(), between.url(real));
    let base = format!("http://127.0.0.1:{port}");
    let own = [("PORT", port.as_str()), ("BASE_URL", &base), ("DATABASE_URL", &url)];
    let mut program = Program::start(&settings.iter().copied().chain(own).collect::<Vec<_>>());
    program.ready().await;
    let ada = Visitor::new(&base);
    let id = ada.sign_in("ada").await.playlist_ids().remove(0);

    between.frozen.store(true, Ordering::SeqCst);
    let heart = format!("/heart/{id}");
    // Well under the 25 seconds after which any request is given up; measured at about four.
    let bound = Duration::from_secs(12);
    for path in ["/playlists", "/hearts", "/account"] {
        let page = tokio::time::timeout(bound, ada.look(path)).await.expect("an answer soon");
        assert_eq!((page.status, page.header("retry-after")), (503, "5"), "{path}");
        assert_eq!(page.text("h1"), "Back in a moment");
    }
    let press = tokio::time::timeout(bound, ada.fetch(Method::PUT, &heart)).await.expect("an answer soon");
    assert_eq!(press.status, 503);
    assert_eq!(ada.look("/healthz").await.status, 200);

    between.frozen.store(false, Ordering::SeqCst);
    assert_eq!(ada.fetch(Method::PUT, &heart).await.status, 200);
    assert_eq!(ada.open("/hearts").await.count("li.card"), 1);
}
