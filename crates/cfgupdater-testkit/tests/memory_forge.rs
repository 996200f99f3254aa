//! The in-memory forge does all that a forge must do.

use cfgupdater_testkit::memory::MemoryServer;

cfgupdater_testkit::forge_conformance! {
    harness: MemoryServer::start,
}
