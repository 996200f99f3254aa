//! cfgupdater-forge-local
