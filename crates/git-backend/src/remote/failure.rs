//! Why a `git` process failed, read from what it wrote. Git has no codes for it; the wording is that of the C locale.

use cfgupdater_core::ErrorKind;

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    /// The failure came before anything could be asked of the remote, or the remote refused to be asked.
    pub(crate) nothing_sent: bool,
    /// What to do about it.
    pub(crate) advice: &'static str,
}

const LOGIN: &str = "check the configured credentials and that they have not expired";
const RIGHTS: &str = "grant the configured identity access to this repository";
const ADDRESS: &str = "check the repository's address, and that the configured identity may see it";
const LATER: &str = "it is tried again later; check the network if this goes on";
const HOST_KEY: &str = "add the host's key to the known_hosts file";
const CERTIFICATE: &str = "configure ca_file with the authority that signed the server's certificate";
const AFRESH: &str = "the local mirror is damaged and has to be fetched afresh";
const SPACE: &str = "free space in the data directory";
const UNKNOWN: &str = "see git's message";

/// Matches in order: what says more comes first.
const PATTERNS: &[(&str, ErrorKind, bool, &str)] = &[
    ("No space left on device", ErrorKind::Other, true, SPACE),
    ("Disk quota exceeded", ErrorKind::Other, true, SPACE),
    ("Host key verification failed", ErrorKind::Forbidden, true, HOST_KEY),
    ("SSL certificate problem", ErrorKind::Unavailable, true, CERTIFICATE),
    ("server certificate verification failed", ErrorKind::Unavailable, true, CERTIFICATE),
    ("Authentication failed", ErrorKind::Unauthenticated, true, LOGIN),
    ("could not read Username", ErrorKind::Unauthenticated, true, LOGIN),
    ("could not read Password", ErrorKind::Unauthenticated, true, LOGIN),
    ("Permission denied (", ErrorKind::Unauthenticated, true, LOGIN),
    ("returned error: 401", ErrorKind::Unauthenticated, true, LOGIN),
    ("returned error: 403", ErrorKind::Forbidden, true, RIGHTS),
    ("returned error: 404", ErrorKind::NotFound, true, ADDRESS),
    ("returned error: 410", ErrorKind::NotFound, true, ADDRESS),
    ("returned error: 429", ErrorKind::RateLimited, true, LATER),
    ("detected dubious ownership", ErrorKind::Forbidden, true, RIGHTS),
    ("does not appear to be a git repository", ErrorKind::NotFound, true, ADDRESS),
    ("Repository not found", ErrorKind::NotFound, true, ADDRESS),
    ("' not found", ErrorKind::NotFound, true, ADDRESS),
    ("' does not exist", ErrorKind::NotFound, true, ADDRESS),
    ("Could not resolve host", ErrorKind::Unavailable, true, LATER),
    ("Couldn't connect to server", ErrorKind::Unavailable, true, LATER),
    ("Failed to connect", ErrorKind::Unavailable, true, LATER),
    ("Connection refused", ErrorKind::Unavailable, true, LATER),
    ("No route to host", ErrorKind::Unavailable, true, LATER),
    ("unable to access", ErrorKind::Unavailable, true, LATER),
    ("RPC failed", ErrorKind::Unavailable, false, LATER),
    ("Connection reset", ErrorKind::Unavailable, false, LATER),
    ("Connection timed out", ErrorKind::Unavailable, false, LATER),
    ("hung up unexpectedly", ErrorKind::Unavailable, false, LATER),
    ("unexpected disconnect", ErrorKind::Unavailable, false, LATER),
    ("early EOF", ErrorKind::Unavailable, false, LATER),
    ("not a git repository", ErrorKind::Corrupt, true, AFRESH),
    ("mismatched algorithms", ErrorKind::Corrupt, true, AFRESH),
    (" is corrupt", ErrorKind::Corrupt, true, AFRESH),
    (" is empty", ErrorKind::Corrupt, true, AFRESH),
    ("inflate:", ErrorKind::Corrupt, true, AFRESH),
    ("bad object", ErrorKind::Corrupt, true, AFRESH),
    ("missing blob", ErrorKind::Corrupt, true, AFRESH),
    ("Could not read ", ErrorKind::Corrupt, true, AFRESH),
    ("could not read ", ErrorKind::Corrupt, true, AFRESH),
    ("unable to read ", ErrorKind::Corrupt, true, AFRESH),
    ("could not parse ", ErrorKind::Corrupt, true, AFRESH),
    ("did not send all necessary objects", ErrorKind::Corrupt, true, AFRESH),
    ("unresolved delta", ErrorKind::Corrupt, true, AFRESH),
    ("cannot lock ref", ErrorKind::Corrupt, true, AFRESH),
    ("unable to update local ref", ErrorKind::Corrupt, true, AFRESH),
    (".lock': File exists", ErrorKind::Corrupt, true, AFRESH),
    ("src refspec", ErrorKind::Corrupt, true, AFRESH),
];

/// What git adds whenever the other side said no more, whatever the reason.
const CLOSED: &str = "Could not read from remote repository";

/// What forges say before they close an SSH connection.
const REFUSALS: &[(&str, ErrorKind, bool, &str)] = &[
    ("could not be found", ErrorKind::NotFound, true, ADDRESS),
    ("Repository not found", ErrorKind::NotFound, true, ADDRESS),
    ("denied to ", ErrorKind::Forbidden, true, RIGHTS),
    ("not allowed to ", ErrorKind::Forbidden, true, RIGHTS),
    ("read-only", ErrorKind::Forbidden, true, RIGHTS),
    ("", ErrorKind::Unavailable, false, LATER),
];

/// Reads what git wrote. What the remote said is left out where it could be mistaken for git's own words.
pub(crate) fn classify(stderr: &str) -> Failure {
    let own = stderr.lines().filter(|line| !line.starts_with("remote:") && !line.contains(CLOSED));
    let own = own.collect::<Vec<_>>().join("\n");
    let found = match PATTERNS.iter().find(|(needle, ..)| own.contains(needle)) {
        None if stderr.contains(CLOSED) => REFUSALS.iter().find(|(needle, ..)| stderr.contains(needle)),
        found => found,
    };
    let (_, kind, nothing_sent, advice) = found.copied().unwrap_or(("", ErrorKind::Other, false, UNKNOWN));
    Failure { kind, nothing_sent, advice }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_repository_is_not_merely_unreachable() {
        let stderr = "fatal: '/x' does not appear to be a git repository\nfatal: Could not read from remote repository.\n";
        assert_eq!(classify(stderr).kind, ErrorKind::NotFound);
    }

    #[test]
    fn a_remotes_words_can_not_condemn_the_mirror() {
        let failure =
            classify("remote: fatal: pack is corrupt\nfatal: the remote end hung up unexpectedly\n");
        assert_eq!((failure.kind, failure.nothing_sent), (ErrorKind::Unavailable, false));
    }

    #[test]
    fn a_forges_refusal_over_ssh_is_told_from_an_outage() {
        let kind =
            |said: &str| classify(&format!("{said}\nfatal: Could not read from remote repository.\n")).kind;
        assert_eq!(kind("ERROR: Permission to a/b.git denied to me."), ErrorKind::Forbidden);
        assert_eq!(
            kind("remote: ERROR: The project you were looking for could not be found"),
            ErrorKind::NotFound
        );
        assert_eq!(kind("kex_exchange_identification: read: oops"), ErrorKind::Unavailable);
    }

    #[test]
    fn unknown_words_leave_open_whether_anything_was_sent() {
        assert!(!classify("fatal: something new").nothing_sent);
    }
}
