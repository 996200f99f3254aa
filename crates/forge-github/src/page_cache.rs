//! [`PageCache`]: answers that GitHub confirms for free.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

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
    kept: BTreeMap<String, (u64, Kept)>,
    size: usize,
    /// Counts every use, so that it is known which page was used longest ago.
    uses: u64,
}

impl PageCache {
    pub(crate) fn get(&self, target: &str) -> Option<Kept> {
        let mut pages = self.lock();
        pages.uses += 1;
        let now = pages.uses;
        let (used, kept) = pages.kept.get_mut(target)?;
        *used = now;
        Some(kept.clone())
    }

    /// Keeps a page, in the place of those that were used longest ago.
    pub(crate) fn put(&self, target: &str, kept: Kept) {
        let mut pages = self.lock();
        let size = size(target, &kept);
        if size > CAP {
            return;
        }
        pages.remove(target);
        while pages.size + size > CAP {
            let oldest =
                pages.kept.iter().min_by_key(|(_, (used, _))| *used).map(|(target, _)| target.clone());
            let Some(oldest) = oldest else { break };
            pages.remove(&oldest);
        }
        pages.uses += 1;
        pages.size += size;
        let now = pages.uses;
        pages.kept.insert(target.to_owned(), (now, kept));
    }

    /// Forgets every page whose target contains `part`.
    pub(crate) fn forget(&self, part: &str) {
        let mut pages = self.lock();
        let gone: Vec<String> = pages.kept.keys().filter(|target| target.contains(part)).cloned().collect();
        for target in gone {
            pages.remove(&target);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn remove(&mut self, target: &str) {
        if let Some((_, kept)) = self.kept.remove(target) {
            self.size -= size(target, &kept);
        }
    }
}

fn size(target: &str, kept: &Kept) -> usize {
    target.len() + kept.mark.len() + kept.items.len() + 64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(bytes: usize) -> Kept {
        Kept { mark: "m".to_owned(), items: vec![0; bytes], total: None, next: None }
    }

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let cache = PageCache::default();
        for name in ["/a", "/b", "/c"] {
            cache.put(name, kept(CAP / 4));
        }
        cache.get("/a").unwrap();
        cache.put("/d", kept(CAP / 4));
        assert!(cache.get("/b").is_none(), "nobody asked for it since");
        assert!(["/a", "/c", "/d"].iter().all(|name| cache.get(name).is_some()));
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
        assert!(cache.get("/99").is_some(), "what is too large drives nothing out");
        let cache = PageCache::default();
        cache.put("/same", kept(10));
        cache.put("/same", kept(20));
        assert_eq!(cache.0.lock().unwrap().size, "/same".len() + 1 + 20 + 64);
        cache.forget("same");
        assert!(cache.get("/same").is_none());
        assert_eq!(cache.0.lock().unwrap().size, 0);
    }
}
