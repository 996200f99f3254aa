//! The engine on libgit2. Its network, its index and its worktrees are not used: pushing to a path by libgit2 loses
//! other writers' commits, and the rest costs time that grows with the repository.

mod ids;
mod nodes;
mod pool;
mod session;

pub(crate) mod git2_repo;
