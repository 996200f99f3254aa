//! cfgupdater
