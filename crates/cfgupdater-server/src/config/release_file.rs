//! Mistakes of `release_file`.

use cfgupdater::core::{Policy, ReleaseFile};

use super::error::Mistake;
use super::file::{ImageSet, Repo};

/// Finds release files that can't be, or that would be in the place of something else that is written.
pub(super) fn mistakes(repo: &Repo) -> Vec<Mistake> {
    let policy = repo.policy("stable".parse().expect("a valid branch"));
    repo.image_set.iter().filter_map(|set| mistake(set, &policy)).collect()
}

fn mistake(set: &ImageSet, policy: &Policy) -> Option<Mistake> {
    let name = set.release_file.as_ref()?;
    let wrong = |message: String| Some(Mistake { place: Some(name.span()), message });
    if let Err(error) = name.get_ref().parse::<ReleaseFile>() {
        return wrong(error.to_string());
    }
    let ours = policy.set(set.name.get_ref())?;
    for wave in policy.waves_of(ours) {
        let Some(path) = ours.release_path(&wave.name) else { continue };
        if policy.generated.contains(path.as_str()) {
            return wrong(format!(
                "the release file {path} lies under a generated path, and rendering would remove it; keep it elsewhere"
            ));
        }
        for other in &policy.sets {
            for wave in policy.waves_of(other) {
                let files = other.layout.files(&wave.name);
                let theirs = other.release_path(&wave.name).filter(|_| other.name != ours.name);
                let mut written = files.into_iter().chain(theirs);
                if let Some(taken) = written.find(|file| file.is_within(&path) || path.is_within(file)) {
                    return wrong(format!(
                        "the release file {path} is in the way of {taken}; name another one"
                    ));
                }
            }
        }
    }
    None
}
