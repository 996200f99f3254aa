//! All processes below this one.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getpid, kill_process};

/// How long it is looked for more: each look may find what was started during the one before.
const PATIENCE: Duration = Duration::from_secs(10);

/// Makes this process the parent of whatever is orphaned below it.
pub(crate) fn adopt() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(getpid()))?;
    Ok(())
}

/// Kills all processes below this one, and waits until none is left.
pub(crate) fn end() {
    let start = Instant::now();
    loop {
        let below = below(getpid().as_raw_nonzero().get(), &parents());
        if below.is_empty() || start.elapsed() > PATIENCE {
            return;
        }
        for process in below.into_iter().filter_map(Pid::from_raw) {
            // It fails for one that has ended meanwhile.
            let _ = kill_process(process, Signal::KILL);
        }
    }
}

/// Lists what descends from a process.
fn below(root: i32, parents: &BTreeMap<i32, i32>) -> BTreeSet<i32> {
    let mut found = BTreeSet::new();
    loop {
        let more: Vec<i32> = parents
            .iter()
            .filter(|(process, parent)| {
                (**parent == root || found.contains(*parent)) && !found.contains(*process)
            })
            .map(|(process, _)| *process)
            .collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

/// Returns the parent of each process that runs.
fn parents() -> BTreeMap<i32, i32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter_map(|id: i32| Some((id, parent(&std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?)?)))
        .collect()
}

/// Reads the parent out of a process's `stat`; `None` for one that has ended and is only not waited for.
fn parent(stat: &str) -> Option<i32> {
    // The name stands in parentheses and may hold anything.
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_whitespace();
    match fields.next()? {
        "Z" | "X" => None,
        _ => fields.next()?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_process_calls_itself_its_parent_is_found() {
        assert_eq!(parent("7 (sh) S 1 7 7"), Some(1));
        assert_eq!(parent("7 (a) R 99 (b)) S 3 7"), Some(3));
        assert_eq!(parent("7 (sh) Z 1 7 7"), None);
        assert_eq!(parent("nonsense"), None);
    }

    #[test]
    fn descendants_are_found_over_all_generations_and_nobody_else() {
        let parents = BTreeMap::from([(2, 1), (3, 2), (4, 3), (5, 1), (6, 9), (20, 10), (10, 4)]);
        assert_eq!(below(2, &parents), BTreeSet::from([3, 4, 10, 20]));
    }
}
