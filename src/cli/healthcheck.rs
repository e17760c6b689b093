//! `heartlist healthcheck`: for containers, whose image has no other HTTP client.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

const TIMEOUT: Duration = Duration::from_secs(3);

/// Fails unless the server on this machine answers /healthz with 200.
pub(super) fn run(host: IpAddr, port: u16) -> Result<()> {
    let host = if host.is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { host };
    let address = SocketAddr::new(host, port);
    let status = request_status(address).with_context(|| format!("nothing answers at http://{address}/healthz"))?;
    ensure!(status.starts_with("HTTP/1.1 200 "), "http://{address}/healthz answers {status:?}");
    Ok(())
}

/// Returns the beginning of the response.
fn request_status(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut status = [0; 13];
    stream.read_exact(&mut status)?;
    Ok(String::from_utf8_lossy(&status).into_owned())
}
