//! Developer commands of cfgupdater.

fn main() {}
