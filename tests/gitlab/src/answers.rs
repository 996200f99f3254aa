//! Bodies as GitLab writes them.

use serde_json::{Value, json};

use crate::world::{Job, Kind, Pipeline, World};
use crate::{BOT_ID, PROJECT, PROJECT_ID};

const TIME: &str = "2026-01-31T09:30:00.123Z";

pub(crate) fn pipeline(world: &World, pipeline: &Pipeline) -> Value {
    let Pipeline { id, sha, branch, source, .. } = pipeline;
    json!({
        "id": id, "iid": id, "project_id": PROJECT_ID, "sha": sha, "ref": branch, "source": source,
        "status": world.status_of(pipeline), "created_at": TIME, "updated_at": TIME, "name": null,
        "web_url": format!("https://gitlab.example/{PROJECT}/-/pipelines/{id}")
    })
}

pub(crate) fn job(world: &World, job: &Job) -> Value {
    let Job { id, name, status, failure_reason, allow_failure, .. } = job;
    let of = world.pipelines.iter().find(|pipeline| pipeline.id == job.pipeline);
    let failed = status == "failed";
    let mut value = json!({
        "id": id, "name": name, "status": status, "allow_failure": allow_failure, "stage": "test",
        "tag": of.is_some_and(|of| of.of_tag),
        "ref": of.map(|of| &of.branch), "created_at": TIME, "started_at": TIME, "finished_at": TIME,
        "failure_reason": failure_reason.as_ref().filter(|_| failed), "pipeline": of.map(|of| pipeline(world, of)),
        "web_url": format!("https://gitlab.example/{PROJECT}/-/jobs/{id}"), "user": user(BOT_ID, "bot")
    });
    if let Kind::Bridge(to) = job.kind {
        let down = world.pipelines.iter().find(|pipeline| pipeline.id == to);
        value["downstream_pipeline"] = json!(down.map(|down| pipeline(world, down)));
    }
    value
}

pub(crate) fn status(world: &World, job: &Job) -> Value {
    let Job { id, name, status, allow_failure, pipeline, .. } = job;
    let of = world.pipelines.iter().find(|known| known.id == *pipeline);
    let author = if let Kind::Status(by) = &job.kind { user(5, by) } else { user(BOT_ID, "bot") };
    json!({
        "id": id, "sha": of.map(|of| &of.sha), "ref": of.map(|of| &of.branch), "status": status, "name": name,
        "target_url": null, "description": null, "created_at": TIME, "started_at": null, "finished_at": TIME,
        "allow_failure": allow_failure, "coverage": null, "pipeline_id": pipeline, "author": author
    })
}

pub(crate) fn project(world: &World) -> Value {
    let mut project = json!({
        "id": PROJECT_ID, "path_with_namespace": PROJECT, "default_branch": "master", "archived": false,
        "builds_access_level": "enabled", "auto_cancel_pending_pipelines": "disabled"
    });
    for (name, value) in world.project.as_object().into_iter().flatten() {
        project[name] = value.clone();
    }
    project
}

pub(crate) fn token(world: &World) -> Value {
    json!({
        "id": 1, "name": "cfgupdater", "revoked": false, "active": true, "user_id": BOT_ID,
        "scopes": ["read_api", "write_repository"], "created_at": TIME, "expires_at": world.expires_at
    })
}

pub(crate) fn member(world: &World) -> Value {
    let mut member = user(BOT_ID, "project_4711_bot");
    member["access_level"] = json!(world.access_level);
    member
}

pub(crate) fn hooks(world: &World) -> Vec<Value> {
    let alert = if world.hook_is_enabled() { "executable" } else { "temporarily_disabled" };
    let hook = |url: &String| {
        json!({
            "id": 3, "url": url, "project_id": PROJECT_ID, "push_events": true, "pipeline_events": true,
            "job_events": world.job_events, "alert_status": alert, "disabled_until": null, "enable_ssl_verification": true
        })
    };
    world.hook_url.iter().map(hook).collect()
}

fn user(id: u64, username: &str) -> Value {
    json!({
        "id": id, "username": username, "name": username, "state": "active", "avatar_url": null,
        "web_url": format!("https://gitlab.example/{username}")
    })
}
