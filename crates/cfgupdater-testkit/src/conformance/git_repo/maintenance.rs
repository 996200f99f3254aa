//! Other processes at work on the same repository.

use cfgupdater_core::{BlobId, CommitId, RefName};

use super::{IsMaintained, commit};

/// One handle finds what three hundred fetches bring.
pub fn hundreds_of_packs_are_found_as_they_arrive(harness: &impl IsMaintained) {
    let repo = harness.repo();
    let mut tip: Option<CommitId> = None;
    for round in 0..300 {
        let content = format!("{round:03}");
        let id = harness.bring(tip.as_ref(), "f", &content);
        assert!(repo.has_commit(&id).unwrap(), "round {round}");
        let read = repo.commit(&id).unwrap();
        assert_eq!(read.parents.first(), tip.as_ref());
        let entry = repo.entry(&read.tree, &"f".parse().unwrap()).unwrap().unwrap();
        assert_eq!(repo.blob(&BlobId::new(entry.id)).unwrap(), content.as_bytes());
        tip = Some(id);
    }
}

/// Packs that are replaced under an open handle are found again, and so is what was in them.
pub fn repacking_under_an_open_handle_loses_nothing(harness: &impl IsMaintained) {
    let repo = harness.repo();
    let master: RefName = "refs/heads/master".parse().unwrap();
    let mut tips: Vec<CommitId> = Vec::new();
    for round in 0..12 {
        let parents: Vec<_> = tips.last().copied().into_iter().collect();
        let tip = commit(repo, &parents, &[("d/f", &round.to_string())], round);
        harness.set_ref(&master, Some(*tip.object_id()));
        tips.push(harness.bring(Some(&tip), "g", &round.to_string()));
        harness.set_ref(&master, tips.last().map(|tip| *tip.object_id()));
        harness.repack();
        for id in &tips {
            assert!(repo.has_commit(id).unwrap(), "round {round}");
            let tree = repo.commit(id).unwrap().tree;
            assert!(repo.entry(&tree, &"g".parse().unwrap()).unwrap().is_some(), "round {round}");
        }
    }
}
