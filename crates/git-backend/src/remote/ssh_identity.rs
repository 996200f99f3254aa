//! [`SshIdentity`]: which key logs in over SSH, and which hosts are trusted.

use std::path::{Path, PathBuf};

use cfgupdater_core::{Error, ErrorKind};

/// A private key file, and a file of known hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshIdentity {
    key_file: PathBuf,
    known_hosts_file: Option<PathBuf>,
}

impl SshIdentity {
    /// Logs in with the key in `key_file`; hosts are those the user's and the system's files know.
    ///
    /// # Errors
    /// Refuses paths that `ssh` can't take in an option.
    pub fn new(key_file: impl Into<PathBuf>) -> Result<Self, Error> {
        let key_file = key_file.into();
        check(&key_file)?;
        Ok(Self { key_file, known_hosts_file: None })
    }

    /// Trusts the hosts in `known_hosts_file`, and no others.
    ///
    /// # Errors
    /// Refuses paths that `ssh` can't take in an option.
    pub fn with_known_hosts(mut self, known_hosts_file: impl Into<PathBuf>) -> Result<Self, Error> {
        let file = known_hosts_file.into();
        check(&file)?;
        self.known_hosts_file = Some(file);
        Ok(self)
    }
}

/// Builds the value of `GIT_SSH_COMMAND`, which a shell reads. Nobody is asked anything, unknown hosts are refused,
/// and the user's own `ssh` configuration has no say.
pub(crate) fn ssh_command(identity: Option<&SshIdentity>) -> String {
    let mut command = "ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=yes".to_owned();
    if let Some(identity) = identity {
        command += " -o IdentitiesOnly=yes -o IdentityAgent=none";
        command += &option("IdentityFile", &identity.key_file);
        if let Some(file) = &identity.known_hosts_file {
            command += " -o GlobalKnownHostsFile=/dev/null";
            command += &option("UserKnownHostsFile", file);
        }
    }
    command
}

fn option(name: &str, file: &Path) -> String {
    let value = format!("{name}=\"{}\"", file.display());
    format!(" -o {}", shell_quote(&value))
}

/// Quotes text for a POSIX shell.
pub(crate) fn shell_quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// `ssh` expands `%` and takes no escapes inside quotes.
fn check(file: &Path) -> Result<(), Error> {
    let usable = file.is_absolute()
        && file.to_str().is_some_and(|text| !text.contains(|c: char| c.is_control() || "\"%\\".contains(c)));
    if usable {
        return Ok(());
    }
    let message = format!(
        "ssh can't take the path {}: it has to be absolute and without quotes, percent signs and backslashes",
        file.display()
    );
    Err(Error::new(ErrorKind::Invalid, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_survive_the_shell_and_ssh() {
        let identity =
            SshIdentity::new("/run/se crets/it's").unwrap().with_known_hosts("/etc/hosts k").unwrap();
        let command = ssh_command(Some(&identity));
        assert!(command.contains(r#"-o 'IdentityFile="/run/se crets/it'\''s"'"#), "{command}");
        assert!(command.contains(r#"-o 'UserKnownHostsFile="/etc/hosts k"'"#), "{command}");
    }

    #[test]
    fn paths_that_ssh_would_expand_are_refused() {
        for bad in ["relative", "/a%h", "/a\"b", "/a\nb"] {
            assert!(SshIdentity::new(bad).is_err(), "{bad:?}");
        }
    }
}
