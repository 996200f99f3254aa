//! [`CliRepo`]: [`GitRepo`] by nothing but `git` processes, slow and beyond doubt. It judges the engines, and the
//! conformance suite itself.

use std::path::{Path, PathBuf};

use cfgupdater_core::{
    BlobId, Commit, CommitId, EntryKind, Error, ErrorKind, GitRepo, NewCommit, ObjectFormat, ObjectId,
    RefName, RepoPath, Timestamp, TreeChange, TreeEdit, TreeEntry, TreeId, Walk,
};

use crate::support::{Ran, git, run};

/// A bare repository.
#[derive(Debug)]
pub(crate) struct CliRepo {
    path: PathBuf,
    format: ObjectFormat,
}

impl CliRepo {
    pub(crate) fn open(path: &Path) -> Self {
        let format = match git(path, &["rev-parse", "--show-object-format"]).trim() {
            "sha256" => ObjectFormat::Sha256,
            _ => ObjectFormat::Sha1,
        };
        Self { path: path.to_owned(), format }
    }

    fn git(&self, args: &[&str], input: &[u8]) -> Ran {
        run(&self.path, &[], args, input)
    }

    /// Fails unless an object is there and of this kind.
    fn require(&self, id: &ObjectId, kind: &str) -> Result<(), Error> {
        let found = self.git(&["cat-file", "-t", &id.to_string()], b"");
        if id.format() == self.format && found.succeeded && found.text().trim() == kind {
            return Ok(());
        }
        Err(Error::new(ErrorKind::NotFound, format!("there is no {kind} {id}")))
    }

    fn must(&self, args: &[&str], input: &[u8], kind: ErrorKind) -> Result<Ran, Error> {
        let ran = self.git(args, input);
        if ran.succeeded { Ok(ran) } else { Err(Error::new(kind, format!("git {args:?} failed"))) }
    }

    fn write(&self, kind: &str, content: &[u8]) -> Result<ObjectId, Error> {
        let written =
            self.must(&["hash-object", "-w", "-t", kind, "--stdin"], content, ErrorKind::Invalid)?;
        Ok(written.text().trim().parse().unwrap())
    }

    fn commits(&self, args: &[&str]) -> Vec<CommitId> {
        git(&self.path, args).lines().map(|line| line.parse().unwrap()).collect()
    }

    /// Edits one path, directory by directory, with `ls-tree` and `mktree`.
    fn edit(
        &self,
        tree: Option<ObjectId>,
        names: &[&str],
        put: Option<(EntryKind, ObjectId)>,
    ) -> Option<ObjectId> {
        let mut entries = tree.map_or_else(Vec::new, |tree| self.list(&TreeId::new(tree)).unwrap());
        let at = entries.iter().position(|entry| entry.name == names[0].as_bytes());
        let old = at.map(|at| entries.remove(at));
        let new = match names {
            [_] => put,
            _ => match (&old, put) {
                (Some(old), _) if old.kind == EntryKind::Tree => {
                    self.edit(Some(old.id), &names[1..], put).map(|id| (EntryKind::Tree, id))
                }
                (_, Some(_)) => self.edit(None, &names[1..], put).map(|id| (EntryKind::Tree, id)),
                (old, None) => old.as_ref().map(|old| (old.kind, old.id)),
            },
        };
        let is_empty = |(kind, id): &(EntryKind, ObjectId)| {
            *kind == EntryKind::Tree && git(&self.path, &["cat-file", "-s", &id.to_string()]).trim() == "0"
        };
        entries.extend(new.filter(|new| !is_empty(new)).map(|(kind, id)| TreeEntry::new(names[0], kind, id)));
        (!entries.is_empty()).then(|| self.make_tree(&entries))
    }

    fn make_tree(&self, entries: &[TreeEntry]) -> ObjectId {
        let mut lines = Vec::new();
        for entry in entries {
            let (mode, kind) = mode(entry.kind);
            lines.extend_from_slice(format!("{mode} {kind} {}\t", entry.id).as_bytes());
            lines.extend_from_slice(&entry.name);
            lines.push(0);
        }
        let made = self.git(&["mktree", "-z", "--missing"], &lines);
        assert!(made.succeeded, "git mktree failed");
        made.text().trim().parse().unwrap()
    }
}

fn mode(kind: EntryKind) -> (&'static str, &'static str) {
    match kind {
        EntryKind::File => ("100644", "blob"),
        EntryKind::Executable => ("100755", "blob"),
        EntryKind::Symlink => ("120000", "blob"),
        EntryKind::Tree => ("040000", "tree"),
        EntryKind::Submodule => ("160000", "commit"),
    }
}

fn kind(mode: &str) -> EntryKind {
    match mode {
        "100755" => EntryKind::Executable,
        "120000" => EntryKind::Symlink,
        "040000" => EntryKind::Tree,
        "160000" => EntryKind::Submodule,
        _ => EntryKind::File,
    }
}

impl GitRepo for CliRepo {
    fn object_format(&self) -> ObjectFormat {
        self.format
    }

    fn resolve(&self, name: &RefName) -> Result<Option<CommitId>, Error> {
        let found = self.git(&["show-ref", "--verify", "--hash", "--", name.as_str()], b"");
        if !found.succeeded {
            return Ok(None);
        }
        let peeled = format!("{}^{{}}", found.text().trim());
        Ok(Some(git(&self.path, &["rev-parse", "--verify", &peeled]).trim().parse().unwrap()))
    }

    fn commit(&self, id: &CommitId) -> Result<Commit, Error> {
        self.require(id.object_id(), "commit")?;
        let show = |format: &str| {
            let format = format!("--format={format}");
            git(&self.path, &["show", "-s", "--encoding=none", &format, &id.to_string()]).trim().to_owned()
        };
        let raw = self.git(&["cat-file", "commit", &id.to_string()], b"").text();
        let message = raw.split_once("\n\n").unwrap().1.to_owned();
        let parents = show("%P").split_whitespace().map(|parent| parent.parse().unwrap()).collect();
        let date = Timestamp::from_millis(show("%ct").parse::<i64>().unwrap() * 1000);
        Ok(Commit::new(*id, show("%T").parse().unwrap(), parents, show("%an <%ae>"), date, message))
    }

    fn has_commit(&self, id: &CommitId) -> Result<bool, Error> {
        Ok(self.require(id.object_id(), "commit").is_ok())
    }

    fn is_ancestor(&self, ancestor: &CommitId, descendant: &CommitId) -> Result<bool, Error> {
        self.require(ancestor.object_id(), "commit")?;
        self.require(descendant.object_id(), "commit")?;
        Ok(self
            .git(&["merge-base", "--is-ancestor", &ancestor.to_string(), &descendant.to_string()], b"")
            .succeeded)
    }

    fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitId>, Error> {
        self.require(one.object_id(), "commit")?;
        self.require(other.object_id(), "commit")?;
        let base = self.git(&["merge-base", &one.to_string(), &other.to_string()], b"");
        Ok(base.succeeded.then(|| base.text().trim().parse().unwrap()))
    }

    /// Lists everything and takes away what is hidden: where dates run backwards, git's own ranges show too much.
    fn walk(&self, range: &Walk) -> Result<Vec<CommitId>, Error> {
        self.require(range.tip.object_id(), "commit")?;
        let tip = range.tip.to_string();
        let line: &[&str] = if range.first_parent { &["--first-parent"] } else { &[] };
        let mut commits = self.commits(&[&["rev-list", "--date-order"], line, &[tip.as_str()]].concat());
        for hide in &range.hide {
            let hidden = self.commits(&["rev-list", &hide.to_string()]);
            commits.retain(|id| !hidden.contains(id));
        }
        commits.truncate(range.limit.unwrap_or(usize::MAX));
        Ok(commits)
    }

    fn entry(&self, tree: &TreeId, path: &RepoPath) -> Result<Option<TreeEntry>, Error> {
        self.require(tree.object_id(), "tree")?;
        let tree = tree.to_string();
        let listed = self.must(&["ls-tree", "-z", &tree, "--", path.as_str()], b"", ErrorKind::Corrupt)?;
        let name = path.components().last().unwrap();
        Ok(entries(&listed.stdout).pop().map(|entry| TreeEntry::new(name, entry.kind, entry.id)))
    }

    fn list(&self, tree: &TreeId) -> Result<Vec<TreeEntry>, Error> {
        self.require(tree.object_id(), "tree")?;
        let listed = self.must(&["ls-tree", "-z", &tree.to_string()], b"", ErrorKind::Corrupt)?;
        Ok(entries(&listed.stdout))
    }

    fn diff(&self, old: Option<&TreeId>, new: &TreeId) -> Result<Vec<TreeChange>, Error> {
        self.require(new.object_id(), "tree")?;
        let empty = self.write("tree", b"")?;
        let old = old.map_or(empty, |old| *old.object_id()).to_string();
        let args = ["diff-tree", "-r", "--raw", "-z", "--no-abbrev", "--no-renames", &old, &new.to_string()];
        let raw = self.must(&args, b"", ErrorKind::Corrupt)?.stdout;
        let mut fields = raw.split(|byte| *byte == 0).filter(|field| !field.is_empty());
        let mut changes = Vec::new();
        while let (Some(head), Some(path)) = (fields.next(), fields.next()) {
            let head = String::from_utf8(head.to_vec()).unwrap();
            let words: Vec<&str> = head.trim_start_matches(':').split(' ').collect();
            let side = |mode: &str, id: &str| (mode != "000000").then(|| (kind(mode), id.parse().unwrap()));
            changes.push(TreeChange::new(path, side(words[0], words[2]), side(words[1], words[3])));
        }
        changes.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(changes)
    }

    fn blob(&self, id: &BlobId) -> Result<Vec<u8>, Error> {
        self.require(id.object_id(), "blob")?;
        Ok(self.must(&["cat-file", "blob", &id.to_string()], b"", ErrorKind::Corrupt)?.stdout)
    }

    fn write_blob(&self, content: &[u8]) -> Result<BlobId, Error> {
        self.write("blob", content).map(BlobId::new)
    }

    fn edit_tree(&self, base: Option<&TreeId>, edits: &[TreeEdit]) -> Result<TreeId, Error> {
        if let Some(base) = base {
            self.list(base)?;
        }
        let mut tree = base.map(|tree| *tree.object_id());
        for edit in edits {
            if let Some((_, id)) = edit.entry.filter(|(_, id)| id.format() != self.format) {
                return Err(Error::new(ErrorKind::NotFound, format!("{id} can't be here")));
            }
            let names: Vec<&str> = edit.path.components().collect();
            tree = self.edit(tree, &names, edit.entry);
        }
        tree.map_or_else(|| self.write("tree", b""), Ok).map(TreeId::new)
    }

    fn write_commit(&self, commit: &NewCommit) -> Result<CommitId, Error> {
        // `git hash-object` finds the rest.
        if commit.name.is_empty() || commit.message.contains('\0') {
            return Err(Error::new(ErrorKind::Invalid, "no name, or a NUL"));
        }
        let who = format!("{} <{}> {} +0000", commit.name, commit.email, commit.date.as_seconds());
        let parents: String = commit.parents.iter().map(|parent| format!("parent {parent}\n")).collect();
        let (tree, message) = (commit.tree, &commit.message);
        let header = if self.format == ObjectFormat::Sha256 { "gpgsig-sha256" } else { "gpgsig" };
        let signature = commit.signature.as_ref();
        if signature.is_some_and(|text| text.contains(['\r', '\0'])) {
            return Err(Error::new(ErrorKind::Invalid, "no such signature"));
        }
        let signature = signature.map(|text| format!("{header} {}\n", text.replace('\n', "\n ")));
        let signature = signature.unwrap_or_default();
        let text = format!("tree {tree}\n{parents}author {who}\ncommitter {who}\n{signature}\n{message}");
        self.write("commit", text.as_bytes()).map(CommitId::new)
    }
}

fn entries(listed: &[u8]) -> Vec<TreeEntry> {
    let lines = listed.split(|byte| *byte == 0).filter(|line| !line.is_empty());
    let parse = |line: &[u8]| {
        let tab = line.iter().position(|byte| *byte == b'\t').unwrap();
        let head = String::from_utf8(line[..tab].to_vec()).unwrap();
        let words: Vec<&str> = head.split(' ').collect();
        TreeEntry::new(&line[tab + 1..], kind(words[0]), words[2].parse().unwrap())
    };
    lines.map(parse).collect()
}
