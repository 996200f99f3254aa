//! What would not work, found before it doesn't.

mod branches;
mod hooks;
mod push_rules;
mod rights;

use cfgupdater_core::{Error, Finding, explain};
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
pub(crate) async fn examine(inner: &Inner) -> Result<Vec<Finding>, Error> {
    let project = match inner.project().await {
        Ok(project) => project,
        Err(error) => {
            let remedy = "check api_url, the project's name, and the token";
            return Ok(vec![Finding::fatal(explain(&error), remedy)]);
        }
    };
    let token = own_token(inner).await;
    let mut findings = rights::of_project(&project, inner.settings.pipeline);
    findings.extend(token.as_ref().map(|token| rights::of_token(token, now())).unwrap_or_default());
    let bot = bot(inner, token.as_ref()).await;
    findings.extend(bot.as_ref().map(|bot| rights::of_member(bot.level)).unwrap_or_default());
    findings.extend(examine_branches(inner, &project, bot.unwrap_or_default()).await);
    findings.extend(examine_hooks(inner).await);
    findings.extend(examine_push_rules(inner).await);
    Ok(findings)
}

/// Reads what the token may do; those of before GitLab 16 don't tell.
async fn own_token(inner: &Inner) -> Option<Token> {
    let endpoint = PersonalAccessTokenSelf::builder().build().ok()?;
    inner.client.read("looking at the token", &endpoint).await.ok()
}

/// Finds out who the token's account is in the project.
async fn bot(inner: &Inner, token: Option<&Token>) -> Option<Bot> {
    let id = token?.user_id?;
    let project = name(&inner.settings.project);
    let endpoint = AllProjectMember::builder().project(project).user(id).build().ok()?;
    let member: Member = inner.client.read("looking at the token's account", &endpoint).await.ok()?;
    Some(Bot { id: Some(id), level: Some(member.access_level) })
}

async fn examine_branches(inner: &Inner, project: &Project, bot: Bot) -> Vec<Finding> {
    let settings = &inner.settings;
    let stable = settings.stable.as_ref().map(ToString::to_string).or_else(|| project.default_branch.clone());
    let (auto, state, probe) =
        (settings.auto.to_string(), settings.state.to_string(), settings.probe.to_string());
    let read: Result<Vec<Protected>, Trouble> = async {
        let endpoint = ProtectedBranches::builder().project(name(&settings.project)).build();
        let endpoint = endpoint.map_err(incomplete)?;
        inner.client.list("reading the protected branches", &endpoint, |branch: &Protected| branch.id).await
    }
    .await;
    let protected = match read {
        Ok(protected) => protected,
        Err(trouble) => return vec![invisible("the protected branches", &trouble)],
    };
    let all = [
        (stable.as_deref(), Role::Stable),
        (Some(auto.as_str()), Role::Rebuilt),
        (Some(probe.as_str()), Role::Rebuilt),
        (Some(state.as_str()), Role::Appended),
    ];
    all.into_iter()
        .filter_map(|(name, role)| Some(Branch { name: name?, role }))
        .flat_map(|branch| branches::findings(&branch, &protected, bot))
        .collect()
}

async fn examine_hooks(inner: &Inner) -> Vec<Finding> {
    if inner.settings.webhook_secret.is_none() {
        let problem = "webhook_secret_file is not configured, so results are seen by the timer alone";
        return vec![Finding::warning(
            problem,
            "give the project's webhook a secret, and name a file that holds it",
        )];
    }
    let read: Result<Vec<Hook>, Trouble> = async {
        let endpoint = Hooks::builder().project(name(&inner.settings.project)).build().map_err(incomplete)?;
        inner.client.list("reading the webhooks", &endpoint, |hook: &Hook| hook.id).await
    }
    .await;
    match read {
        Ok(listed) => hooks::findings(&listed),
        Err(trouble) => vec![invisible("the webhooks", &trouble)],
    }
}

/// Looks at rules that only some editions have.
async fn examine_push_rules(inner: &Inner) -> Vec<Finding> {
    let rules: Option<PushRules> =
        inner.client.read("reading the push rules", &PushRule(&inner.settings.project)).await.ok().flatten();
    rules.map(|rules| push_rules::findings(&rules)).unwrap_or_default()
}

fn invisible(what: &str, trouble: &Trouble) -> Finding {
    Finding::warning(
        format!("{what} can't be looked at: {}", explain(&trouble.error)),
        "give the token the role Maintainer, or look at them yourself as docs/gitlab.md says",
    )
}
