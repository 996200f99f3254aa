//! [`BlobSource`]: content to be sent, as often as it takes.

use std::path::PathBuf;
use std::sync::Arc;

use cfgupdater_core::{Error, ErrorKind};
use reqwest::Body;

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
    /// Opens the content from its beginning.
    pub(super) async fn open(&self) -> Result<Body, Error> {
        match self {
            Self::Bytes(bytes) => Ok(Body::from(bytes.to_vec())),
            Self::File(path) => {
                let file = tokio::fs::File::open(path).await;
                let file = file.map_err(|cause| {
                    let message = format!("{} can't be read; build the image again", path.display());
                    Error::new(ErrorKind::Other, message).with_source(cause)
                })?;
                Ok(Body::from(file))
            }
        }
    }
}
