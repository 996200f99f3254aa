//! [`BlobSource`]: content to be sent, as often as it takes.

use std::io::SeekFrom;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cfgupdater_core::{Error, ErrorKind};
use reqwest::Body;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

/// Where content comes from that is pushed. A file is never held in memory.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum BlobSource {
    /// It is here.
    Bytes(Arc<[u8]>),
    /// It is in this file.
    File(PathBuf),
}

impl BlobSource {
    /// Reads a piece of the content into memory.
    pub(super) async fn piece(&self, from: u64, length: u64) -> Result<Self, Error> {
        let piece = match self {
            Self::Bytes(bytes) => {
                let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
                Ok(bytes[place(from)..place(from.saturating_add(length))].to_vec())
            }
            Self::File(path) => read_piece(path, from, length).await.map_err(|cause| unreadable(path, cause)),
        };
        Ok(Self::Bytes(piece?.into()))
    }

    /// Opens the content from its beginning.
    pub(super) async fn open(&self) -> Result<Body, Error> {
        match self {
            Self::Bytes(bytes) => Ok(Body::from(bytes.to_vec())),
            Self::File(path) => {
                let file = tokio::fs::File::open(path).await;
                Ok(Body::from(file.map_err(|cause| unreadable(path, cause))?))
            }
        }
    }
}

async fn read_piece(path: &Path, from: u64, length: u64) -> std::io::Result<Vec<u8>> {
    let mut file = tokio::fs::File::open(path).await?;
    file.seek(SeekFrom::Start(from)).await?;
    let mut piece = Vec::new();
    file.take(length).read_to_end(&mut piece).await?;
    Ok(piece)
}

fn unreadable(path: &Path, cause: std::io::Error) -> Error {
    let message = format!("{} can't be read; build the image again", path.display());
    Error::new(ErrorKind::Other, message).with_source(cause)
}
