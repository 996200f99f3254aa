//! TLS by files: the certificate is read again when it changes, so renewing it needs no restart.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::serve::Listener;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::{debug, warn};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How many handshakes may be under way; further clients wait to be accepted.
const HANDSHAKES: usize = 256;

/// A certificate chain and its key, in PEM files.
struct FileCertificate {
    certificate: PathBuf,
    key: PathBuf,
    read: Mutex<(Changed, Arc<CertifiedKey>)>,
}

/// When each of the two files changed last.
type Changed = [SystemTime; 2];

impl FileCertificate {
    fn read(certificate: &Path, key: &Path) -> Result<Self, String> {
        let read = (changed(certificate, key)?, certified(certificate, key)?);
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), read: Mutex::new(read) })
    }

    fn current(&self) -> Arc<CertifiedKey> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let found = changed(&self.certificate, &self.key);
        if found.as_ref().is_ok_and(|found| *found == read.0) {
            return Arc::clone(&read.1);
        }
        // While a renewal is half written, the old certificate serves.
        match found.and_then(|found| Ok((found, certified(&self.certificate, &self.key)?))) {
            Ok(renewed) => *read = renewed,
            Err(why) => warn!("the TLS certificate could not be renewed: {why}"),
        }
        Arc::clone(&read.1)
    }
}

impl fmt::Debug for FileCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileCertificate").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for FileCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

fn changed(certificate: &Path, key: &Path) -> Result<Changed, String> {
    let when = |path: &Path| std::fs::metadata(path).and_then(|data| data.modified());
    Ok([
        when(certificate).map_err(|error| unreadable(certificate, &error))?,
        when(key).map_err(|error| unreadable(key, &error))?,
    ])
}

fn certified(certificate: &Path, key: &Path) -> Result<Arc<CertifiedKey>, String> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(certificate, &error))?;
    if chain.is_empty() {
        return Err(format!("{} holds no certificate in PEM", certificate.display()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, &error))?;
    let provider = rustls::crypto::ring::default_provider();
    let pair = CertifiedKey::from_der(chain, private, &provider);
    let pair = pair.map_err(|error| format!("{} doesn't fit its key: {error}", certificate.display()))?;
    Ok(Arc::new(pair))
}

fn unreadable(path: &Path, error: &dyn fmt::Display) -> String {
    format!("{} can't be read: {error}", path.display())
}

/// Accepts connections and shakes hands with each, none waiting for another.
pub(crate) struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    handshakes: JoinSet<Option<(TlsStream<TcpStream>, SocketAddr)>>,
}

impl TlsListener {
    /// Reads the certificate.
    ///
    /// # Errors
    /// Says which file is wrong and how.
    pub(crate) fn new(listener: TcpListener, certificate: &Path, key: &Path) -> Result<Self, String> {
        let found = Arc::new(FileCertificate::read(certificate, key)?);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_no_client_auth()
            .with_cert_resolver(found);
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Self { listener, acceptor, handshakes: JoinSet::new() })
    }

    fn shake_hands(&mut self, stream: TcpStream, address: SocketAddr) {
        let acceptor = self.acceptor.clone();
        self.handshakes.spawn(async move {
            match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => Some((stream, address)),
                Ok(Err(error)) => {
                    debug!(%address, "no TLS: {error}");
                    None
                }
                Err(_) => None,
            }
        });
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            tokio::select! {
                Some(done) = self.handshakes.join_next() => {
                    if let Ok(Some(connected)) = done {
                        return connected;
                    }
                }
                (stream, address) = Listener::accept(&mut self.listener), if self.handshakes.len() < HANDSHAKES => {
                    self.shake_hands(stream, address);
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}
