//! cfgupdater-server
