//! cfgupdater-git-backend
