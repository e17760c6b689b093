//! Check that a server accepts connections, in the messages of the protocol 3.0
//! (<https://www.postgresql.org/docs/current/protocol-flow.html>).

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

/// Version 3.0, as a startup message states it.
const PROTOCOL_VERSION: u32 = 3 << 16;
/// Longest wait for a message of the server.
const REPLY_TIMEOUT: Duration = Duration::from_secs(5);

const ERROR_RESPONSE: u8 = b'E';
const READY_FOR_QUERY: u8 = b'Z';
const TERMINATE: &[u8] = b"X\0\0\0\x04";

/// Opens a session in `database`, as the role of the same name, and ends it. The socket's file alone proves nothing:
/// a killed server leaves it behind.
pub(crate) fn connect_once(socket: &Path, database: &str) -> io::Result<()> {
    let mut server = UnixStream::connect(socket)?;
    server.set_read_timeout(Some(REPLY_TIMEOUT))?;
    let mut startup = PROTOCOL_VERSION.to_be_bytes().to_vec();
    startup.extend(format!("user\0{database}\0database\0{database}\0\0").bytes());
    let length = u32::try_from(startup.len() + 4).unwrap_or(u32::MAX);
    server.write_all(&length.to_be_bytes())?;
    server.write_all(&startup)?;
    loop {
        match read_message(&mut server)? {
            (READY_FOR_QUERY, _) => return server.write_all(TERMINATE),
            (ERROR_RESPONSE, body) => {
                let fields = body.split(|byte| *byte == 0);
                let message = fields.filter_map(|field| field.strip_prefix(b"M")).next();
                return Err(io::Error::other(String::from_utf8_lossy(message.unwrap_or_default()).into_owned()));
            }
            _ => {}
        }
    }
}

/// Returns the type and the body of the next message.
fn read_message(server: &mut UnixStream) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 5];
    server.read_exact(&mut head)?;
    let [kind, length @ ..] = head;
    let mut body = Vec::new();
    let length = u64::from(u32::from_be_bytes(length).saturating_sub(4));
    server.take(length).read_to_end(&mut body)?;
    Ok((kind, body))
}
