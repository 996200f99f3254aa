//! What would not work, found before it doesn't.

mod branches;
mod hooks;
mod push_rules;
mod rights;

use cfgupdater_core::{Error, ErrorKind, Finding, explain};
use cfgupdater_forge_http::{Trouble, now};
use gitlab::api::personal_access_tokens::PersonalAccessTokenSelf;
use gitlab::api::projects::hooks::Hooks;
use gitlab::api::projects::members::AllProjectMember;
use gitlab::api::projects::protected_branches::ProtectedBranches;

use crate::forge::{Inner, Project};
use crate::project::{incomplete, name};

use branches::{Bot, Branch, Protected, Role};
use hooks::Hook;
use push_rules::{PushRule, PushRules};
use rights::{Member, Token};

/// Looks at the token, the project, its branches, its webhooks and its push rules.
///
/// What GitLab doesn't let us look at is passed over or told. An outage is neither: what was found before stays as it is.
pub(crate) async fn examine(inner: &Inner) -> Result<Vec<Finding>, Error> {
    let project = match answered(inner.project().await)? {
        Ok(project) => project,
        Err(trouble) => {
            let remedy = "check api_url, the project's name, and the token";
            return Ok(vec![Finding::fatal(explain(&trouble.error), remedy)]);
        }
    };
    inner.remember(&project);
    let mut findings = rights::of_address(&inner.settings.api_url);
    findings.extend(rights::of_project(&project));
    let token = own_token(inner).await?;
    findings.extend(token.as_ref().map(|token| rights::of_token(token, now())).unwrap_or_default());
    let bot = bot(inner, token.as_ref()).await?;
    findings.extend(bot.as_ref().map(|bot| rights::of_member(bot.level)).unwrap_or_default());
    findings.extend(examine_branches(inner, &project, bot.unwrap_or_default()).await?);
    findings.extend(examine_hooks(inner).await?);
    findings.extend(examine_push_rules(inner).await?);
    Ok(findings)
}

/// Tells what GitLab won't show, which stays so until somebody acts, from what it can't show now.
fn answered<T>(read: Result<T, Trouble>) -> Result<Result<T, Trouble>, Error> {
    match read {
        Ok(read) => Ok(Ok(read)),
        Err(trouble) => match trouble.error.kind() {
            ErrorKind::Unavailable | ErrorKind::TimedOut | ErrorKind::RateLimited => Err(trouble.error),
            _ => Ok(Err(trouble)),
        },
    }
}

/// Reads what the token may do; those of before GitLab 16 don't tell.
async fn own_token(inner: &Inner) -> Result<Option<Token>, Error> {
    let endpoint = PersonalAccessTokenSelf::builder().build().map_err(incomplete)?;
    Ok(answered(inner.client.read("looking at the token", &endpoint).await)?.ok())
}

/// Finds out who the token's account is in the project.
async fn bot(inner: &Inner, token: Option<&Token>) -> Result<Option<Bot>, Error> {
    let Some(id) = token.and_then(|token| token.user_id) else { return Ok(None) };
    let project = name(&inner.settings.project);
    let endpoint = AllProjectMember::builder().project(project).user(id).build().map_err(incomplete)?;
    let member: Option<Member> =
        answered(inner.client.read("looking at the token's account", &endpoint).await)?.ok();
    Ok(member.map(|member| Bot { id: Some(id), level: Some(member.access_level) }))
}

async fn examine_branches(inner: &Inner, project: &Project, bot: Bot) -> Result<Vec<Finding>, Error> {
    let settings = &inner.settings;
    let stable = settings.stable.as_ref().map(ToString::to_string).or_else(|| project.default_branch.clone());
    let (auto, state, probe) =
        (settings.auto.to_string(), settings.state.to_string(), settings.probe.to_string());
    let endpoint =
        ProtectedBranches::builder().project(name(&settings.project)).build().map_err(incomplete)?;
    let what = "reading the protected branches";
    let read = inner.client.list(what, &endpoint, |branch: &Protected| branch.id).await;
    let protected = match answered(read)? {
        Ok(protected) => protected,
        Err(trouble) => return Ok(vec![invisible("the protected branches", &trouble)]),
    };
    let all = [
        (stable.as_deref(), Role::Stable),
        (Some(auto.as_str()), Role::Rebuilt),
        (Some(probe.as_str()), Role::Rebuilt),
        (Some(state.as_str()), Role::Appended),
    ];
    let ours = all.into_iter().filter_map(|(name, role)| Some(Branch { name: name?, role }));
    Ok(ours.flat_map(|branch| branches::findings(&branch, &protected, bot)).collect())
}

async fn examine_hooks(inner: &Inner) -> Result<Vec<Finding>, Error> {
    let settings = &inner.settings;
    if settings.webhook_secret.is_none() {
        let problem = "webhook_secret_file is not configured, so results are seen by the timer alone";
        let remedy = "give the project's webhook a secret, and name a file that holds it";
        return Ok(vec![Finding::warning(problem, remedy)]);
    }
    let endpoint = Hooks::builder().project(name(&settings.project)).build().map_err(incomplete)?;
    let read = inner.client.list("reading the webhooks", &endpoint, |hook: &Hook| hook.id).await;
    // A pipeline tells when it ends; a job that is required without it, only itself.
    let of_jobs = !settings.pipeline && !settings.required.is_empty();
    Ok(match answered(read)? {
        Ok(listed) => hooks::findings(&listed, of_jobs),
        Err(trouble) => vec![invisible("the webhooks", &trouble)],
    })
}

/// Looks at rules that only some editions have.
async fn examine_push_rules(inner: &Inner) -> Result<Vec<Finding>, Error> {
    let read = inner.client.read("reading the push rules", &PushRule(&inner.settings.project)).await;
    let rules: Option<PushRules> = answered(read)?.ok().flatten();
    Ok(rules.map(|rules| push_rules::findings(&rules)).unwrap_or_default())
}

fn invisible(what: &str, trouble: &Trouble) -> Finding {
    Finding::warning(
        format!("{what} can't be looked at: {}", explain(&trouble.error)),
        "give the token the role Maintainer, or look at them yourself as docs/gitlab.md says",
    )
}
