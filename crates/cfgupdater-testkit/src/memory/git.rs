//! Git in memory: [`MemoryRepo`] and [`MemoryRemote`], for tests that want no `git` and no directory.
//!
//! Objects have the encodings and the ids that git gives them, SHA-1 or SHA-256, so whatever is written here can be
//! compared with git. Both are stricter than real backends: what git lets pass although the traits' contracts forbid it
//! fails here, so a test finds it before a remote does. What exactly is said at [`MemoryRepo`] and [`MemoryRemote`].
//!
//! ```
//! use cfgupdater_core::{GitRepo, ObjectFormat, TreeEdit};
//! use cfgupdater_testkit::memory::git::MemoryRepo;
//!
//! let repo = MemoryRepo::new(ObjectFormat::Sha1);
//! let blob = repo.write_blob(b"hello\n").unwrap();
//! // As `git hash-object` says.
//! assert_eq!(blob.to_string(), "ce013625030ba8dba906f756967f9e9ca394464a");
//! let tree = repo.edit_tree(None, &[TreeEdit::file("README".parse().unwrap(), blob)]).unwrap();
//! assert_eq!(repo.list(&tree).unwrap().len(), 1);
//! ```

mod commit_codec;
mod history;
mod object;
mod push;
mod remote;
mod repo;
mod server;
mod tree_codec;
mod tree_edit;

pub use object::ObjectKind;
pub use remote::MemoryRemote;
pub use repo::MemoryRepo;
pub use server::{Fault, MemoryGitServer};

/// Writes the bytes of a tree with its entries in the order given, as wrong as it may be.
pub fn encode_tree(entries: &[cfgupdater_core::TreeEntry]) -> Vec<u8> {
    tree_codec::encode_as_given(entries)
}
