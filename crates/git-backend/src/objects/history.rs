//! Which commits a range holds, and in which order.
//!
//! Commits carry the date of the intent they stand for, so a child is often older than its parent: nothing here
//! trusts dates for more than speed.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap};

use cfgupdater_core::{CommitId, Error};

use super::session::{Nodes, Session};

/// What an order and a range need to know of a commit.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Seconds since 1970; a date that can't be read is zero and sorts last, as in git.
    pub(crate) date: i64,
    pub(crate) parents: Vec<CommitId>,
}

/// Reads the shape of history.
pub(crate) struct History<'a, S, N> {
    session: &'a S,
    nodes: N,
    first_parent: bool,
}

/// Which commits to list.
pub(crate) struct Range {
    pub(crate) tip: CommitId,
    pub(crate) hide: Vec<CommitId>,
    pub(crate) limit: usize,
}

impl<'a, S: Session> History<'a, S, ()> {
    pub(crate) fn new(session: &'a S, first_parent: bool) -> History<'a, S, impl Nodes + 'a> {
        History { session, nodes: session.nodes(), first_parent }
    }
}

impl<S: Session, N: Nodes> History<'_, S, N> {
    /// Lists a range, newest first, children before parents.
    pub(crate) fn list(&mut self, range: &Range) -> Result<Vec<CommitId>, Error> {
        if self.first_parent && range.hide.is_empty() {
            return self.first_parents(range);
        }
        let wanted = if range.hide.is_empty() { self.reachable(range.tip)? } else { self.difference(range)? };
        let mut commits = newest_first(range.tip, &wanted);
        commits.truncate(range.limit);
        Ok(commits)
    }

    fn first_parents(&mut self, range: &Range) -> Result<Vec<CommitId>, Error> {
        let mut commits = Vec::new();
        let mut next = Some(range.tip);
        while let Some(id) = next.filter(|_| commits.len() < range.limit) {
            commits.push(id);
            next = self.node(id, true)?.parents.first().copied();
        }
        Ok(commits)
    }

    fn reachable(&mut self, tip: CommitId) -> Result<HashMap<CommitId, Node>, Error> {
        let mut found = HashMap::new();
        let mut queue = vec![tip];
        while let Some(id) = queue.pop() {
            if let Entry::Vacant(place) = found.entry(id) {
                let node = self.node(id, self.first_parent)?;
                queue.extend(&node.parents);
                place.insert(node);
            }
        }
        Ok(found)
    }

    /// Finds what is reachable from the tip and from nothing hidden.
    fn difference(&mut self, range: &Range) -> Result<HashMap<CommitId, Node>, Error> {
        let mut wanted = self.paint(range)?;
        // Where dates run backwards, the painting may stop before it has hidden everything. Whatever it missed is an
        // ancestor of something hidden, and then so is the oldest missed one, which has no wanted parent.
        loop {
            let hidden = self.hidden_roots(&wanted, &range.hide)?;
            if hidden.is_empty() {
                return Ok(wanted);
            }
            wanted.retain(|id, _| !hidden.contains(id));
        }
    }

    /// Walks both sides by date until everything still queued is hidden and already seen from the tip.
    fn paint(&mut self, range: &Range) -> Result<HashMap<CommitId, Node>, Error> {
        let mut painting = Painting::default();
        painting.mark(range.tip, self.node(range.tip, self.first_parent)?, Paint::WANTED);
        for hide in &range.hide {
            painting.mark(*hide, self.node(*hide, false)?, Paint::HIDDEN);
        }
        while let Some((id, paint)) = painting.next() {
            let follow_first_only = self.first_parent && !paint.hidden;
            for parent in self.node(id, follow_first_only)?.parents {
                if !painting.has(parent, paint) {
                    let node = self.node(parent, self.first_parent)?;
                    painting.mark(parent, node, paint);
                }
            }
        }
        Ok(painting.into_wanted())
    }

    fn hidden_roots(
        &self,
        wanted: &HashMap<CommitId, Node>,
        hide: &[CommitId],
    ) -> Result<Vec<CommitId>, Error> {
        let mut hidden = Vec::new();
        for (id, node) in wanted {
            let is_root = !node.parents.iter().any(|parent| wanted.contains_key(parent));
            if is_root && self.session.reaches_any(id, hide)? {
                hidden.push(*id);
            }
        }
        Ok(hidden)
    }

    fn node(&mut self, id: CommitId, first_parent: bool) -> Result<Node, Error> {
        let mut node = self.nodes.node(&id)?;
        if first_parent {
            node.parents.truncate(1);
        }
        Ok(node)
    }
}

/// From which sides a commit was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Paint {
    wanted: bool,
    hidden: bool,
}

impl Paint {
    const WANTED: Self = Self { wanted: true, hidden: false };
    const HIDDEN: Self = Self { wanted: false, hidden: true };

    fn is_settled(self) -> bool {
        self.wanted && self.hidden
    }

    fn with(self, other: Self) -> Self {
        Self { wanted: self.wanted || other.wanted, hidden: self.hidden || other.hidden }
    }
}

/// Two sides of a history, walked together.
#[derive(Default)]
struct Painting {
    seen: HashMap<CommitId, (Node, Paint)>,
    queue: BinaryHeap<(i64, CommitId, bool)>,
    /// Queued commits that may still teach something.
    unsettled: usize,
}

impl Painting {
    fn has(&self, id: CommitId, paint: Paint) -> bool {
        self.seen.get(&id).is_some_and(|(_, seen)| seen.with(paint) == *seen)
    }

    fn mark(&mut self, id: CommitId, node: Node, paint: Paint) {
        let date = node.date;
        let (_, seen) = self.seen.entry(id).or_insert((node, Paint::default()));
        *seen = seen.with(paint);
        let settled = seen.is_settled();
        self.unsettled += usize::from(!settled);
        self.queue.push((date, id, settled));
    }

    /// Takes the newest queued commit, `None` once all that is queued is settled.
    fn next(&mut self) -> Option<(CommitId, Paint)> {
        if self.unsettled == 0 {
            return None;
        }
        let (_, id, settled) = self.queue.pop()?;
        self.unsettled -= usize::from(!settled);
        Some((id, self.seen[&id].1))
    }

    fn into_wanted(self) -> HashMap<CommitId, Node> {
        let wanted = self.seen.into_iter().filter(|(_, (_, paint))| *paint == Paint::WANTED);
        wanted.map(|(id, (node, _))| (id, node)).collect()
    }
}

/// Orders commits by date, a commit only once all its children are out.
fn newest_first(tip: CommitId, commits: &HashMap<CommitId, Node>) -> Vec<CommitId> {
    let Some(first) = commits.get(&tip) else { return Vec::new() };
    let mut children: HashMap<CommitId, usize> = HashMap::new();
    for parent in commits.values().flat_map(|node| &node.parents) {
        *children.entry(*parent).or_default() += 1;
    }
    let mut ready = BinaryHeap::from([(first.date, Reverse(0), tip)]);
    let mut ordered = Vec::with_capacity(commits.len());
    let mut arrival = 0;
    while let Some((_, _, id)) = ready.pop() {
        ordered.push(id);
        for parent in &commits[&id].parents {
            let waiting = children.entry(*parent).or_default();
            *waiting -= 1;
            if let (0, Some(node)) = (*waiting, commits.get(parent)) {
                arrival += 1;
                ready.push((node.date, Reverse(arrival), *parent));
            }
        }
    }
    ordered
}
