//! [`PageCache`]: answers that GitHub confirms for free.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How much is kept for one repository, in bytes. A check run takes about 300.
const CAP: usize = 512 * 1024;

/// A page as it was read: what we need of it, not what was sent.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    /// The mark by which GitHub knows it.
    pub(crate) mark: String,
    /// The items, encoded.
    pub(crate) items: Vec<u8>,
    pub(crate) total: Option<usize>,
    pub(crate) next: Option<String>,
}

/// Pages by their target. An answer "unchanged" to a conditional request counts against no limit.
#[derive(Debug, Default)]
pub(crate) struct PageCache(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    kept: BTreeMap<String, Kept>,
    size: usize,
}

impl PageCache {
    pub(crate) fn get(&self, target: &str) -> Option<Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).kept.get(target).cloned()
    }

    pub(crate) fn put(&self, target: &str, kept: Kept) {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let size = |target: &str, kept: &Kept| target.len() + kept.mark.len() + kept.items.len() + 64;
        let added = size(target, &kept);
        if pages.size + added > CAP {
            // What is asked for again is soon back.
            *pages = Pages::default();
        }
        if added <= CAP {
            pages.size += added;
            if let Some(old) = pages.kept.insert(target.to_owned(), kept) {
                pages.size -= size(target, &old);
            }
        }
    }

    /// Forgets every page whose target contains `part`.
    pub(crate) fn forget(&self, part: &str) {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages.kept.retain(|target, _| !target.contains(part));
        pages.size = pages
            .kept
            .iter()
            .map(|(target, kept)| target.len() + kept.mark.len() + kept.items.len() + 64)
            .sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(bytes: usize) -> Kept {
        Kept { mark: "m".to_owned(), items: vec![0; bytes], total: None, next: None }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let cache = PageCache::default();
        for n in 0..100 {
            cache.put(&format!("/{n}"), kept(CAP / 10));
            assert!(cache.0.lock().unwrap().size <= CAP);
        }
        assert!(cache.get("/99").is_some());
        cache.put("/huge", kept(CAP));
        assert!(cache.get("/huge").is_none());
        cache.put("/same", kept(10));
        cache.put("/same", kept(20));
        assert_eq!(cache.0.lock().unwrap().size, "/same".len() + 1 + 20 + 64);
        cache.forget("same");
        assert!(cache.get("/same").is_none());
        assert_eq!(cache.0.lock().unwrap().size, 0);
    }
}
