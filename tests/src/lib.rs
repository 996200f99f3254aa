//! End-to-end and property tests of cfgupdater.
