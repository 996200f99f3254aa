//! What is secret stays so.

use std::time::Duration;

use cfgupdater_core::{Error, explain};

use super::case::{CaseResult, Unable, ensure};
use super::harness::{ForgeHarness, Trouble};
use super::scene::Scene;
use super::webhooks::Stage;

pub(super) async fn debug_shows_no_secret(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    scene.green_commit().await?;
    hides(harness, "Debug of the forge", &format!("{:?} {:#?}", scene.forge, scene.forge))?;
    let credentials = scene.forge.git_credentials().await;
    hides(harness, "Debug of the credentials", &format!("{credentials:?}"))
}

pub(super) async fn errors_show_no_secret(harness: &dyn ForgeHarness) -> CaseResult {
    let commit = Scene::set(harness).await.green_commit().await?;
    let troubles = [
        Trouble::RateLimited { after: Some(Duration::from_mins(1)) },
        Trouble::Unavailable,
        Trouble::PageFails(1),
        Trouble::PageIsCut(1),
        Trouble::RepositoryGone,
        Trouble::TokenRevoked,
        Trouble::ChecksForbidden,
        Trouble::RequiredForbidden,
    ];
    let mut caused = 0;
    for trouble in troubles {
        // An adapter may keep quiet for a while after a rate limit.
        let scene = Scene::set(harness).await;
        let Ok(()) = harness.cause(trouble).await else { continue };
        caused += 1;
        let what = format!("the error of {trouble:?}");
        let errors = [
            scene.forge.checks(&[commit]).await.err(),
            scene.forge.required_checks().await.err(),
            scene.forge.git_credentials().await.err(),
            scene.forge.preflight().await.err(),
        ];
        harness.cure().await;
        errors.iter().flatten().try_for_each(|error| error_hides(harness, &what, error))?;
    }
    if caused == 0 { Err(Unable::to("cause any trouble").into()) } else { Ok(()) }
}

pub(super) async fn refused_webhooks_show_no_secret(harness: &dyn ForgeHarness) -> CaseResult {
    let stage = Stage::set(harness).await?;
    let mut odd = stage.webhook.clone();
    odd.body = b"not what was expected".to_vec();
    let webhooks =
        [stage.webhook.clone(), stage.sign_with(stage.webhook.clone(), "not the secret"), stage.sign(odd)];
    for webhook in webhooks {
        if let Err(error) = stage.decode(&webhook) {
            error_hides(harness, "the error of a refused webhook", &error)?;
        }
    }
    Ok(())
}

pub(super) async fn findings_show_no_secret(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    for trouble in [None, Some(Trouble::TokenRevoked), Some(Trouble::RequiredForbidden)] {
        if let Some(trouble) = trouble
            && harness.cause(trouble).await.is_err()
        {
            continue;
        }
        let findings = scene.forge.preflight().await;
        harness.cure().await;
        hides(harness, "a finding", &format!("{findings:?}"))?;
    }
    Ok(())
}

fn error_hides(harness: &dyn ForgeHarness, what: &str, error: &Error) -> CaseResult {
    hides(harness, what, &format!("{error:?} {error:#?} {}", explain(error)))
}

/// Sees that a text holds no secret.
fn hides(harness: &dyn ForgeHarness, what: &str, text: &str) -> CaseResult {
    let shown = harness.secrets().iter().any(|secret| !secret.is_empty() && text.contains(secret.as_str()));
    // The text itself is not repeated: this is printed.
    ensure!(!shown, "{what} shows a secret");
    Ok(())
}
