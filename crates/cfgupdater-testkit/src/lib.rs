//! cfgupdater-testkit
