//! A transaction pooler at DATABASE_URL is refused.

use std::sync::{Arc, Mutex};

use heartlist::db::pooler;
use heartlist::ids::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::program::{Program, free_port};
use crate::support::{SESSION_SECRET, Site};

/// Starts a fake pooler that speaks enough of Postgres's protocol; its clients share one server session.
async fn start_fake_pooler(refusing: bool) -> String {
    start_fake_pooler_at("127.0.0.1:0", refusing).await
}

async fn start_fake_pooler_at(address: &str, refusing: bool) -> String {
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    let shared = Arc::new(Mutex::new(false));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let shared = shared.clone();
            tokio::spawn(async move { serve_client(client, refusing, shared).await });
        }
    });
    format!("postgres://somebody@{address}/heartlist?sslmode=disable")
}

async fn serve_client(mut client: TcpStream, refusing: bool, set: Arc<Mutex<bool>>) -> Option<()> {
    let length = client.read_u32().await.ok()?;
    client.read_exact(&mut vec![0; length as usize - 4]).await.ok()?;
    if refusing {
        let error = b"SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: options\0\0";
        return client.write_all(&message(b'E', error)).await.ok();
    }
    client.write_all(&[message(b'R', &[0; 4]), message(b'Z', b"I")].concat()).await.ok()?;
    loop {
        let kind = client.read_u8().await.ok()?;
        let mut body = vec![0; client.read_u32().await.ok()? as usize - 4];
        client.read_exact(&mut body).await.ok()?;
        let text = String::from_utf8_lossy(&body).into_owned();
        if kind == b'X' {
            return None;
        }
        if text.starts_with("set ") {
            *set.lock().unwrap() = true;
        }
        let seen = *set.lock().unwrap();
        let response = if text.starts_with("select") { row(seen) } else { Vec::new() };
        client.write_all(&[response, message(b'C', b"DONE\0"), message(b'Z', b"I")].concat()).await.ok()?;
    }
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat()
}

/// One text row: the setting made by the first client.
fn row(seen: bool) -> Vec<u8> {
    let column =
        [&1u16.to_be_bytes()[..], b"m\0", &[0; 6], &25u32.to_be_bytes(), &[255; 2], &[255; 4], &[0; 2]].concat();
    let value = if seen { [&5u32.to_be_bytes()[..], b"first"].concat() } else { vec![255; 4] };
    [message(b'T', &column), message(b'D', &[&1u16.to_be_bytes()[..], &value].concat())].concat()
}

#[tokio::test]
async fn plain_server_is_not_taken_for_pooler() {
    let site = Site::open().await;
    let settings = site.settings();
    let (_, url) = settings.iter().find(|(name, _)| *name == "DATABASE_URL").unwrap();
    assert!(!pooler::is_transaction_pooler(&Secret::new(*url)).await.unwrap());
}

#[tokio::test]
async fn start_behind_transaction_pooler_is_refused_with_reason() {
    for refusing in [false, true] {
        let url = start_fake_pooler(refusing).await;
        assert!(pooler::is_transaction_pooler(&Secret::new(url.as_str())).await.unwrap(), "refusing: {refusing}");
        let port = free_port();
        let settings = [("DATABASE_URL", url.as_str()), ("PORT", &port), ("SESSION_SECRET", SESSION_SECRET)];
        let (code, output) = Program::start(&settings).wait_for_exit().await;
        assert!(code == Some(1) && output.contains("DATABASE_URL leads to a pooler in transaction mode"), "{output}");
        assert!(output.contains("Use the server's own URL"), "{output}");
    }
}

#[tokio::test]
async fn replica_behind_transaction_pooler_is_refused() {
    let site = Site::open().await;
    let (url, port) = (start_fake_pooler(false).await, free_port());
    let mut settings = site.settings();
    settings.extend([("READ_DATABASE_URL", url.as_str()), ("PORT", &port)]);
    let (code, output) = Program::start(&settings).wait_for_exit().await;
    assert!(code == Some(1) && output.contains("READ_DATABASE_URL leads to a pooler in transaction mode"), "{output}");
}

#[tokio::test]
async fn pooler_found_after_start_ends_the_process() {
    let (site, address) = (Site::open().await, format!("127.0.0.1:{}", free_port()));
    let (url, port) = (format!("postgres://somebody@{address}/heartlist?sslmode=disable"), free_port());
    let mut settings = site.settings();
    settings.retain(|(name, _)| *name != "DATABASE_URL");
    // On Heroku the app serves before the database answers.
    settings.extend([("DATABASE_URL", url.as_str()), ("PORT", &port), ("DYNO", "web.1")]);
    let mut program = Program::start(&settings);
    program.wait_until_ready().await;
    start_fake_pooler_at(&address, false).await;
    let (code, output) = program.wait_for_exit().await;
    assert!(code == Some(1) && output.contains("DATABASE_URL leads to a pooler in transaction mode"), "{output}");
}
