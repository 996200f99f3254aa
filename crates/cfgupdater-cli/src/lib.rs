//! cfgupdater-cli
