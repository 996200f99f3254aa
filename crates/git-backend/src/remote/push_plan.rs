//! The arguments of one push.

use std::collections::BTreeSet;

use cfgupdater_core::{Error, ErrorKind, Expected, RefEdit};

use super::settings::PushOptions;

/// What the remote was found not to support, so that it isn't asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Lacks {
    pub(crate) atomic: bool,
    pub(crate) options: bool,
}

impl Lacks {
    /// Learns from a push that git gave up before it sent anything; `None` where it failed for another reason.
    pub(crate) fn learn(self, stderr: &str) -> Option<Self> {
        let learnt = Self {
            atomic: self.atomic || stderr.contains("does not support --atomic push"),
            options: self.options || stderr.contains("does not support push options"),
        };
        (learnt != self).then_some(learnt)
    }
}

/// Refuses edits that a push can't express.
pub(crate) fn check(edits: &[RefEdit]) -> Result<(), Error> {
    let names: BTreeSet<_> = edits.iter().map(|edit| &edit.name).collect();
    let wrong = if names.len() != edits.len() {
        "one push edits a reference twice"
    } else if edits.iter().any(|edit| edit.name.as_str() == "HEAD") {
        "a push edits branches by their full name, not HEAD"
    } else if edits.iter().any(|edit| edit.expected == Expected::Ancestor && edit.new.is_none()) {
        "a reference is only deleted from an exact old value"
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Invalid, wrong))
}

/// Builds the options and, after the address, the refspecs. An exact edit carries a lease; a fast-forward carries
/// neither lease nor `+`, so that the remote and git both refuse to rewind.
pub(crate) fn arguments(edits: &[RefEdit], extra: &PushOptions, lacks: Lacks, url: &str) -> Vec<String> {
    let mut args: Vec<String> = Vec::new();
    if edits.len() > 1 {
        args.push("--atomic".into());
    }
    if !lacks.options && edits.iter().all(|edit| extra.refs.contains(&edit.name)) {
        args.extend(extra.options.iter().map(|option| format!("--push-option={option}")));
    }
    args.extend(edits.iter().filter_map(lease));
    args.extend(["--".into(), url.to_owned()]);
    args.extend(edits.iter().map(refspec));
    args
}

fn lease(edit: &RefEdit) -> Option<String> {
    match edit.expected {
        Expected::Exactly(old) => Some(format!("--force-with-lease={}:{}", edit.name, text(old))),
        Expected::Ancestor => None,
    }
}

fn refspec(edit: &RefEdit) -> String {
    format!("{}:{}", text(edit.new), edit.name)
}

/// An absent value is the empty text, for a lease as for a refspec.
fn text(id: Option<cfgupdater_core::CommitId>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stable_moves_without_lease_and_nothing_is_forced_without_one() {
        let id = "1".repeat(40).parse().unwrap();
        let edits = [
            RefEdit::fast_forward("refs/heads/master".parse().unwrap(), id),
            RefEdit::exact("refs/heads/auto".parse().unwrap(), None, Some(id)),
        ];
        let args = arguments(&edits, &PushOptions::default(), Lacks::default(), "/r");
        assert_eq!(args[..2], ["--atomic", "--force-with-lease=refs/heads/auto:"]);
        assert!(!args.iter().any(|arg| arg.contains('+') || arg == "--force"), "{args:?}");
    }

    #[test]
    fn options_go_only_with_pushes_of_their_references() {
        let (state, auto) = ("refs/heads/s".parse().unwrap(), "refs/heads/a".parse().unwrap());
        let extra = PushOptions { refs: vec![state], options: vec!["ci.skip".into()] };
        let edit = |name: &cfgupdater_core::RefName| RefEdit::exact(name.clone(), None, None);
        let sends = |edits: &[RefEdit]| {
            arguments(edits, &extra, Lacks::default(), "/r").contains(&"--push-option=ci.skip".to_owned())
        };
        assert!(sends(&[edit(&extra.refs[0])]));
        assert!(!sends(&[edit(&extra.refs[0]), edit(&auto)]));
    }
}
