//! [`Relay`]: stands before a server and counts what passes.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::Result;
use crate::cpu::Cpu;

/// Passes on every connection to a server, until the process ends.
#[derive(Debug)]
pub struct Relay {
    address: String,
    passed: Arc<Passed>,
}

/// What passed, and what that cost.
#[derive(Debug, Default)]
struct Passed {
    up: AtomicU64,
    down: AtomicU64,
    microseconds: AtomicU64,
}

impl Relay {
    /// Listens on loopback and connects to this address.
    ///
    /// # Errors
    /// Fails where nothing can be listened on.
    pub fn before(server: &str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let (passed, server) = (Arc::new(Passed::default()), server.to_owned());
        let counting = Arc::clone(&passed);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                // Who connects in vain sees it.
                let _ = client.and_then(|client| relay(client, &server, &counting));
            }
        });
        Ok(Self { address, passed })
    }

    /// Returns the address to connect to.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the bytes that clients sent.
    pub fn up(&self) -> u64 {
        self.passed.up.load(Ordering::Relaxed)
    }

    /// Returns the bytes that the server sent.
    pub fn down(&self) -> u64 {
        self.passed.down.load(Ordering::Relaxed)
    }

    /// Returns the processor time of this process that was spent on passing on.
    pub fn spent(&self) -> Duration {
        Duration::from_micros(self.passed.microseconds.load(Ordering::Relaxed))
    }
}

fn relay(client: TcpStream, server: &str, passed: &Arc<Passed>) -> std::io::Result<()> {
    let server = TcpStream::connect(server)?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let (back_from, back_to) = (server.try_clone()?, client.try_clone()?);
    let (one, other) = (Arc::clone(passed), Arc::clone(passed));
    std::thread::spawn(move || pass(client, server, &one.up, &one.microseconds));
    std::thread::spawn(move || pass(back_from, back_to, &other.down, &other.microseconds));
    Ok(())
}

/// Passes on one direction up to its end.
fn pass(mut from: TcpStream, mut to: TcpStream, bytes: &AtomicU64, microseconds: &AtomicU64) {
    let mut buffer = vec![0; 256 * 1024];
    let mut told = Duration::ZERO;
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        bytes.fetch_add(length as u64, Ordering::Relaxed);
        let written = to.write_all(&buffer[..length]);
        let spent = Cpu::of_thread().unwrap_or(told);
        let more = spent.saturating_sub(told).as_micros();
        microseconds.fetch_add(u64::try_from(more).unwrap_or_default(), Ordering::Relaxed);
        told = spent;
        if written.is_err() {
            break;
        }
    }
    // The other side is told that no more comes; the other direction may still be open.
    let _ = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_counted_and_unchanged() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Relay::before(&server.local_addr().unwrap().to_string()).unwrap();
        let answering = std::thread::spawn(move || {
            let mut peer = server.accept().unwrap().0;
            let mut heard = String::new();
            peer.read_to_string(&mut heard).unwrap();
            peer.write_all(b"an answer").unwrap();
            heard
        });
        let mut client = TcpStream::connect(relay.address()).unwrap();
        client.write_all(b"a question").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut heard = String::new();
        client.read_to_string(&mut heard).unwrap();
        assert_eq!((answering.join().unwrap().as_str(), heard.as_str()), ("a question", "an answer"));
        assert_eq!((relay.up(), relay.down()), (10, 9));
    }
}
